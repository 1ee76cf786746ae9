package devcontainer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"strings"
)

// idLength is how many digits of 5 bits 256 bits take.
const idLength = 52

// ID is ${devcontainerId}: 52 characters that stand for the labels by which the container is found again, the same on each start. It is
// the specification's: SHA-256 of the labels as JSON with sorted names, in base 32 (0-9, a-v), padded by zeros.
func ID(labels map[string]string) string {
	if labels == nil {
		labels = map[string]string{}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text) // sorts the names
	enc.SetEscapeHTML(false)      // as JavaScript does
	_ = enc.Encode(labels)        // a map of strings cannot fail
	sum := sha256.Sum256(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	id := new(big.Int).SetBytes(sum[:]).Text(32)
	return strings.Repeat("0", idLength-len(id)) + id
}

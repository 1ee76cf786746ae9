package agentbin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
)

// Names knows executables by what is in them, and remembers it: to read one costs tens of milliseconds, and to unpack one hundreds. The zero
// value knows none. It is safe for concurrent use.
type Names struct {
	mu    sync.Mutex        // guards known
	known map[string]string // by architecture, and where [Variable] names a file, by what tells that it is another one now
}

// ID is a name for what [For] returns for arch: the same for the same content, and another for any other. Its errors are those of For.
func (n *Names) ID(arch string) (string, error) {
	key := arch
	if named := os.Getenv(Variable); named != "" {
		info, err := os.Stat(named)
		if err != nil {
			return "", fmt.Errorf("read agent executable that %s names: %w", Variable, err)
		}
		key = fmt.Sprint(arch, " ", named, " ", info.Size(), " ", info.ModTime().UnixNano())
	}
	n.mu.Lock()
	id := n.known[key]
	n.mu.Unlock()
	if id != "" {
		return id, nil
	}
	data, err := For(arch)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	id = hex.EncodeToString(sum[:])
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxKnown {
		n.known = map[string]string{}
	}
	n.known[key] = id
	return id, nil
}

const maxKnown = 32 // a developer's file changes with each build

package repo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
)

// packIndex is the sorted names of a pack's objects, from its version 2 index (gitformat-pack(5)).
type packIndex struct {
	names []byte // one after the other
	width int    // 20, or 32 for SHA-256
}

const (
	indexHeader = 8
	indexFanout = 256 * 4
)

var errPackIndex = errors.New("not a pack index of version 2")

func readPackIndex(path string, width int) (packIndex, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return packIndex{}, err
	}
	x, err := parsePackIndex(data, width)
	if err != nil {
		return packIndex{}, fmt.Errorf("read %s: %w", path, err)
	}
	return x, nil
}

func parsePackIndex(data []byte, width int) (packIndex, error) {
	if len(data) < indexHeader+indexFanout || !bytes.Equal(data[:indexHeader], []byte{0xff, 't', 'O', 'c', 0, 0, 0, 2}) {
		return packIndex{}, errPackIndex
	}
	count := int(binary.BigEndian.Uint32(data[indexHeader+indexFanout-4:]))
	names := data[indexHeader+indexFanout:]
	if count > len(names)/width {
		return packIndex{}, errPackIndex
	}
	return packIndex{names: names[:count*width], width: width}, nil
}

func (x packIndex) len() int { return len(x.names) / max(x.width, 1) }

func (x packIndex) at(i int) []byte { return x.names[i*x.width : (i+1)*x.width] }

// list is the names of all objects, one a line.
func (x packIndex) list() string {
	var b strings.Builder
	for i := range x.len() {
		b.WriteString(hex.EncodeToString(x.at(i)) + "\n")
	}
	return b.String()
}

// has reports whether the pack has the object with this hexadecimal name.
func (x packIndex) has(name string) bool {
	id, err := hex.DecodeString(name)
	if err != nil || len(id) != x.width {
		return false
	}
	_, ok := x.find(id)
	return ok
}

// find returns the position of an object.
func (x packIndex) find(id []byte) (int, bool) {
	return sort.Find(x.len(), func(i int) int { return bytes.Compare(id, x.at(i)) })
}

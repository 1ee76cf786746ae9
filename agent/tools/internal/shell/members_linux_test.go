package shell

import "testing"

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("7 (a) b) S 1 7 7 0 -1"))
	f.Fuzz(func(_ *testing.T, data []byte) { parseStat(data) })
}

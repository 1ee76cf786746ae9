package container

import (
	"testing"
)

func FuzzParseIgnore(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf# c\n*.log\n!keep\n**/x\n/[a-z]\n"), "a/b.log")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		m, err := parseIgnore(data)
		if err != nil || name == "" || name[0] == '/' {
			return
		}
		m.MatchesOrParentMatches(name)
	})
}

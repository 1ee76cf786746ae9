package jsonrpc

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write generated files and golden transcripts")

// TestGenerated keeps the TypeScript mirror and the reference equal to the Go source.
func TestGenerated(t *testing.T) {
	t.Parallel()
	doc := parseWire(t)
	for _, file := range []struct{ name, path, content string }{
		{"typescript", "../editors/vscode/src/protocol.ts", typescript(doc)},
		{"reference", "../docs/protocol.md", reference(t, doc)},
		{"guide", "../docs/write-a-client.md", guide(t)},
	} {
		t.Run(file.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.FromSlash(file.path)
			if *update {
				writeFile(t, path, file.content)
			}
			old, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(old), file.content); diff != "" {
				t.Errorf("%s is stale; run `go generate ./jsonrpc` (-file +source):\n%s", path, diff)
			}
		})
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestKindsAreComplete checks that every kind has exactly one code and that no code of ours is reserved.
func TestKindsAreComplete(t *testing.T) {
	t.Parallel()
	codes := make(map[int]Kind)
	listed := make(map[string]bool)
	for _, info := range Kinds() {
		if other, taken := codes[info.Code]; taken {
			t.Errorf("code %d belongs to %s and %s", info.Code, other, info.Kind)
		}
		codes[info.Code] = info.Kind
		listed[string(info.Kind)] = true
		if ours := info.Code >= 0; ours && (info.Code < 1000 || info.Code > 1999) {
			t.Errorf("%s: code %d is outside of 1000 to 1999", info.Kind, info.Code)
		}
	}
	for _, kind := range parseWire(t).find("Kind").values {
		if !listed[kind.name] {
			t.Errorf("kind %s has no code", kind.name)
		}
	}
}

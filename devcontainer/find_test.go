package devcontainer

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files []string
		dirs  []string
		want  string // empty: ErrNotFound
	}{
		{name: "nothing"},
		{name: "folder first", files: []string{".devcontainer/devcontainer.json", ".devcontainer.json", ".devcontainer/a/devcontainer.json"}, want: ".devcontainer/devcontainer.json"},
		{name: "then dot file", files: []string{".devcontainer.json", ".devcontainer/a/devcontainer.json"}, want: ".devcontainer.json"},
		{name: "then the only named folder", files: []string{".devcontainer/a/devcontainer.json", ".devcontainer/b/Dockerfile"}, want: ".devcontainer/a/devcontainer.json"},
		{name: "not two named folders", files: []string{".devcontainer/b/devcontainer.json", ".devcontainer/a/devcontainer.json"}},
		{name: "not deeper", files: []string{".devcontainer/a/b/devcontainer.json"}},
		{name: "folder is a file", files: []string{".devcontainer"}},
		{name: "file is a folder", dirs: []string{".devcontainer/devcontainer.json", ".devcontainer.json"}},
		{name: "empty folder", dirs: []string{".devcontainer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, f := range tt.files {
				write(t, "{}", root, f)
			}
			for _, d := range tt.dirs {
				must(t, os.MkdirAll(filepath.Join(root, d), 0o755))
			}
			got, err := Find(root)
			if tt.want == "" {
				if got != "" || !errors.Is(err, ErrNotFound) {
					t.Errorf("got %q, %v; want ErrNotFound", got, err)
				}
				return
			}
			if want := filepath.Join(root, tt.want); got != want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestFindNamesTheChoice(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	b := write(t, "{}", root, ".devcontainer/b/devcontainer.json")
	a := write(t, "{}", root, ".devcontainer/a/devcontainer.json")
	_, err := Find(root)
	e, ok := errors.AsType[*AmbiguousError](err)
	if !ok {
		t.Fatalf("got %v, want an AmbiguousError", err)
	}
	if diff := cmp.Diff([]string{a, b}, e.Paths); diff != "" {
		t.Error(diff)
	}
	if want := "several devcontainer.json in .devcontainer: a, b"; e.Error() != want {
		t.Errorf("got %q, want %q", e, want)
	}
}

func TestFindInNoRepository(t *testing.T) {
	t.Parallel()
	if _, err := Find(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

package devcontainer

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// seen is what one look finds: the file's content, or why there is none.
func seen(root string) string {
	path, err := Find(root)
	if err != nil {
		return "none"
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "none"
	}
	return string(data)
}

// looker watches a root and looks whenever it is told to.
type looker struct {
	t     *testing.T
	looks chan string // capacity 1: the latest
}

func startLooking(t *testing.T, root string) *looker {
	t.Helper()
	l := &looker{t: t, looks: make(chan string, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	// Ended by cancel and waited for, both in the clean-up.
	go func() { done <- Watch(ctx, root, func() { l.put(seen(root)) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return l
}

func (l *looker) put(look string) {
	select {
	case <-l.looks:
	default:
	}
	l.looks <- look
}

// want waits until a look finds the content.
func (l *looker) want(content string) {
	l.t.Helper()
	deadline := time.After(time.Minute)
	last := "nothing yet"
	for {
		select {
		case last = <-l.looks:
			if last == content {
				return
			}
		case <-deadline:
			l.t.Fatalf("saw %q last, want %q", last, content)
		}
	}
}

// replace writes as editors do: another file that takes the name.
func replace(t *testing.T, content string, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	must(t, os.Rename(write(t, content, path+".swp"), path))
}

package tools

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// nestedFiles are what people write for agents in folders below the workspace's.
var nestedFiles = []string{"AGENTS.md", "AGENT.md", "CLAUDE.md", "GEMINI.md"} //nolint:gochecknoglobals // a table

// foreign are names of folders with what other people wrote: not for an agent that works here.
var foreign = []string{".git", "node_modules", "vendor", "third_party", ".venv", "site-packages"} //nolint:gochecknoglobals // a table

// Bounds of what is told of folders, between two shortenings of the conversation.
const (
	maxNestedText  = 12 << 10 // beside the result of one call
	maxNestedFiles = 32
	maxNestedDepth = 16
)

// nested tells the guidance of folders, each once, when work in them begins.
type nested struct {
	dir string

	mu   sync.Mutex
	told map[string]bool // guarded by mu: by name, below dir
}

// forget makes all of it news again, since the conversation that had it was shortened.
func (n *nested) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.told)
}

// of is the guidance for a file that has not been told yet: that of the outermost folder first, so that the nearest has the last word.
func (n *nested) of(path string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	seen := map[string]bool{}
	for _, folder := range n.folders(path) {
		for _, base := range nestedFiles {
			name := filepath.Join(folder, base)
			if n.told[name] || len(n.told) >= maxNestedFiles || filepath.Join(n.dir, name) == path { // being read itself
				continue
			}
			text := readGuidance(filepath.Join(n.dir, name))
			if text == "" {
				continue
			}
			n.told[name] = true
			if seen[text] { // a copy, or a link
				continue
			}
			seen[text] = true
			if b.Len()+len(text) > maxNestedText {
				text = "(left out for its length: read it)"
			}
			fmt.Fprintf(&b, "\n\n[Guidance for what is in %s, by %s]\n%s", folder, name, text)
		}
	}
	return b.String()
}

// folders are those from the workspace's to a file, without both.
func (n *nested) folders(path string) []string {
	rel, err := filepath.Rel(n.dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil
	}
	parts := strings.Split(filepath.Dir(rel), string(filepath.Separator))
	if parts[0] == "." || len(parts) > maxNestedDepth || slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(foreign, p) }) {
		return nil
	}
	var folders []string
	for i := range parts {
		folders = append(folders, filepath.Join(parts[:i+1]...))
	}
	return folders
}

// guided adds the guidance of a file's folder to what came of reading or changing it. A line of a file that was read begins with its number, so
// that no file can say this in its own text.
func (s *Set) guided(path string, r Result) Result {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.cfg.Dir, path)
	}
	r.Text += s.nested.of(filepath.Clean(path))
	return r
}

// Shortened says that the conversation was made shorter, and that what tools tell once is news again.
func (s *Set) Shortened() { s.nested.forget() }

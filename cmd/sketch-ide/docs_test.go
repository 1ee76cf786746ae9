package main

import (
	"bufio"
	"bytes"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsLinkToWhatIsThere sees to it that a link within the repository leads to a file, and one to a heading to a heading.
func TestDocsLinkToWhatIsThere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|<img src="([^"]+)"`)
	links := 0
	for _, name := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			to, err := url.Parse(m[1] + m[2])
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if to.IsAbs() {
				continue
			}
			links++
			target := name
			if to.Path != "" {
				target = path.Join(path.Dir(name), to.Path)
			}
			if _, err := os.Stat(filepath.Join("../..", target)); err != nil {
				t.Errorf("%s: nothing is at %s", name, to.Path)
			} else if to.Fragment != "" && !headings(t, target)[to.Fragment] {
				t.Errorf("%s: %s has no heading #%s", name, target, to.Fragment)
			}
		}
	}
	if links < 100 {
		t.Errorf("%d links were found", links)
	}
}

// documents are the pages for people, by their paths in the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "editors/*/*.md"} {
		found, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(name), "../../"))
		}
	}
	return names
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// headings are the anchors of a page's headings, made as GitHub makes them.
func headings(t *testing.T, name string) map[string]bool {
	t.Helper()
	drop := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)|[^\p{L}\p{N}_\- ]`)
	anchors := map[string]bool{}
	for line := range strings.Lines(document(t, name)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			text := drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "$1")
			anchors[strings.ReplaceAll(text, " ", "-")] = true
		}
	}
	return anchors
}

// TestDocsNameEveryPackage sees to it that ARCHITECTURE.md knows each package and each module that go.mod requires.
func TestDocsNameEveryPackage(t *testing.T) {
	t.Parallel()
	text := document(t, "ARCHITECTURE.md")
	out, err := exec.CommandContext(t.Context(), "go", "list", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		name := strings.TrimPrefix(lines.Text(), module)
		short := path.Base(name) // a package under internal/ is named where its owner is
		if !strings.Contains(text, "`"+name+"`") && (!strings.Contains(name, "/internal/") || !strings.Contains(text, "`"+short+"`")) {
			t.Errorf("package %s is not in ARCHITECTURE.md", name)
		}
	}
	for line := range strings.Lines(document(t, "go.mod")) {
		required, ok := strings.CutPrefix(line, "\t")
		if name, _, _ := strings.Cut(required, " "); ok && !strings.Contains(line, "// indirect") && !strings.Contains(text, name) {
			t.Errorf("module %s is not in ARCHITECTURE.md", name)
		}
	}
}

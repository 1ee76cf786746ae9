package tools

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	maxGuidance     = 64 << 10 // of all files together
	maxGuidanceFile = 32 << 10
)

// guidanceFiles are what people write for agents, by the names that tools look for.
var guidanceFiles = []string{
	"AGENTS.md", "AGENT.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md", ".cursorrules", ".windsurfrules", ".github/copilot-instructions.md",
	".cursor/rules/*.md", ".cursor/rules/*.mdc", ".github/instructions/*.md",
}

// Guidance returns what a workspace's files say to agents, each under its name, at most 64 KiB: AGENTS.md, CLAUDE.md, .cursorrules,
// .github/copilot-instructions.md and their like. A file that says the same as another, by a link or as a copy, comes once. Empty: there is none.
func Guidance(dir string) string {
	var b strings.Builder
	seen := make(map[string]bool)
	for _, pattern := range guidanceFiles {
		names, _ := filepath.Glob(filepath.Join(escapeGlob(dir), pattern)) // the patterns are good
		for _, name := range names {
			text := readGuidance(name)
			if text == "" || seen[text] {
				continue
			}
			seen[text] = true
			rel, err := filepath.Rel(dir, name)
			if err != nil {
				rel = filepath.Base(name)
			}
			if b.Len()+len(text) > maxGuidance {
				fmt.Fprintf(&b, "## %s\n\n(left out for its length: read it)\n\n", rel)
				continue
			}
			fmt.Fprintf(&b, "## %s\n\n%s\n\n", rel, text)
		}
		if b.Len() > maxGuidance {
			break
		}
	}
	return b.String()
}

// readGuidance returns the text of a regular file; nothing of any other.
func readGuidance(name string) string {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxGuidanceFile+1))
	if err != nil {
		return ""
	}
	text := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(string(data[:min(len(data), maxGuidanceFile)]), "\x00", ""), ""))
	if len(data) > maxGuidanceFile {
		text += "\n\n(cut here: read the rest)"
	}
	return text
}

// escapeGlob makes a pattern of a path that matches only that path.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

package loop

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

// Bounds of what a prompt brings along.
const (
	longPrompt     = 128 << 10 // a longer text is put into a file, and its ends are sent
	longPromptHead = 32 << 10
	longPromptTail = 8 << 10
	maxFile        = 64 << 10
	maxFilesBytes  = 256 << 10
	maxMentions    = 20
	maxEntries     = 200 // of a folder
)

// mention is a word that names a file: @path, at the beginning of a word.
var mention = regexp.MustCompile(`(?:^|[\s("'` + "`" + `])@([^\s"'` + "`" + `]+)`)

// expand makes of a prompt what the model is sent: code and files first, then the words.
func (l *Loop) expand(w waiting) []llm.Block {
	var blocks []llm.Block
	left := maxFilesBytes
	add := func(block llm.Block) {
		left -= len(block.Text)
		blocks = append(blocks, block)
	}
	for _, s := range w.prompt.Context {
		add(l.snippet(s, max(left, 0)))
	}
	seen := make(map[string]bool)
	for _, match := range mention.FindAllStringSubmatch(conversation.Clip(w.prompt.Text, longPrompt), -1) {
		name := match[1]
		if block, ok := l.mentioned(name, max(left, 0)); ok && !seen[name] && len(seen) < maxMentions {
			seen[name] = true
			add(block)
		}
	}
	for _, image := range w.prompt.Images {
		if data, err := base64.StdEncoding.DecodeString(image.Data); err == nil && goodImage(image.MIMEType, len(data)) {
			blocks = append(blocks, llm.Block{Image: &llm.Image{MIMEType: image.MIMEType, Data: data}})
		}
	}
	if text := l.words(w); strings.TrimSpace(text) != "" {
		blocks = append(blocks, llm.Block{Text: text})
	}
	return blocks
}

// words is the text of a prompt, or the ends of it and where the whole is.
func (l *Loop) words(w waiting) string {
	text := strings.ToValidUTF8(w.prompt.Text, "\uFFFD")
	if len(text) <= longPrompt {
		return text
	}
	head, tail := conversation.Clip(text, longPromptHead), conversation.ClipTail(text, longPromptTail)
	place := "the rest is lost: there is no place to keep it"
	dir := filepath.Join(l.cfg.State, "prompts")
	path := filepath.Join(dir, w.id+".txt")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, []byte(text), 0o600)); err == nil {
		place = "the whole is in the file " + path
	}
	return fmt.Sprintf("%s\n\n[The message is %d bytes long; %s. It ends so:]\n\n%s", head, len(text), place, tail)
}

func (l *Loop) snippet(s conversation.Snippet, left int) llm.Block {
	text := s.Text
	if text == "" {
		read, err := l.lines(s)
		if err != nil {
			return llm.Block{Text: fmt.Sprintf("<code path=%q>\n[cannot be read: %v]\n</code>", where(s), err)}
		}
		text = read
	}
	return llm.Block{Text: fmt.Sprintf("<code path=%q>\n%s\n</code>", where(s), conversation.Clip(strings.ToValidUTF8(text, "\uFFFD"), min(left, maxFile)))}
}

// lines reads the lines of a file that a snippet names.
func (l *Loop) lines(s conversation.Snippet) (string, error) {
	file, err := openRegular(l.resolve(s.Path))
	if err != nil {
		return "", err
	}
	defer file.Close()
	r := bufio.NewReader(io.LimitReader(file, 64<<20))
	var b strings.Builder
	for number := 1; b.Len() <= maxFile; number++ {
		line, err := r.ReadString('\n')
		if number >= s.StartLine && (s.EndLine == 0 || number <= s.EndLine) {
			b.WriteString(line)
		}
		if err != nil || s.EndLine > 0 && number >= s.EndLine {
			break
		}
	}
	return strings.TrimRight(b.String(), "\n"), nil
}

// mentioned brings along what @name names, if it names something. A word like that may be anything else, such as a person.
func (l *Loop) mentioned(name string, left int) (llm.Block, bool) {
	for _, candidate := range []string{name, strings.TrimRight(name, ".,;:!?)]}")} {
		path := l.resolve(candidate)
		info, err := os.Stat(path)
		switch {
		case candidate == "" || err != nil:
			continue
		case info.IsDir():
			return llm.Block{Text: fmt.Sprintf("<folder path=%q>\n%s</folder>", candidate, entries(path))}, true
		case info.Mode().IsRegular():
			return l.file(candidate, path, info.Size(), left), true
		}
	}
	return llm.Block{}, false
}

func (l *Loop) file(name, path string, size int64, left int) llm.Block {
	limit := int64(min(left, maxFile))
	kind := ""
	data, err := readFile(path, max(limit, 512))
	if err == nil {
		kind = http.DetectContentType(data)
	}
	switch {
	case err != nil:
		return llm.Block{Text: fmt.Sprintf("<file path=%q>\n[cannot be read: %v]\n</file>", name, err)}
	case goodImage(kind, int(min(size, maxImage+1))):
		if data, err = readFile(path, maxImage); err == nil {
			return llm.Block{Image: &llm.Image{MIMEType: kind, Data: data}}
		}
		return llm.Block{Text: fmt.Sprintf("<file path=%q>\n[cannot be read: %v]\n</file>", name, err)}
	case bytes.IndexByte(data, 0) >= 0:
		return llm.Block{Text: fmt.Sprintf("<file path=%q>\n[binary, %d bytes]\n</file>", name, size)}
	}
	text := strings.ToValidUTF8(string(data[:min(int64(len(data)), limit)]), "\uFFFD")
	if size > limit {
		text += fmt.Sprintf("\n[cut: %d of %d bytes]", limit, size)
	}
	return llm.Block{Text: fmt.Sprintf("<file path=%q>\n%s\n</file>", name, text)}
}

func (l *Loop) resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.cfg.Dir, filepath.FromSlash(name))
}

// openRegular opens a file that is one: a pipe would block for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return os.Open(path)
}

func readFile(path string, limit int64) ([]byte, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

func entries(path string) string {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("[cannot be read: %v]\n", err)
	}
	defer dir.Close()
	list, err := dir.ReadDir(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Sprintf("[cannot be read: %v]\n", err)
	}
	var b strings.Builder
	for _, entry := range list {
		b.WriteString(strings.ToValidUTF8(entry.Name(), "\uFFFD"))
		if entry.IsDir() {
			b.WriteString("/")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func showImage(image tools.Image) conversation.Image {
	return conversation.Image{MIMEType: image.MIMEType, Data: base64.StdEncoding.EncodeToString(image.Data)}
}

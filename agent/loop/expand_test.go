package loop

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// What a prompt names comes with it, within bounds; a word that names nothing is only a word.
func TestExpand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, llm.Anthropic, "")
	picture, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	w.put("main.go", "one\ntwo\nthree\nfour\n")
	w.put("lib/a.txt", "content of a")
	w.put("shot.png", string(picture))
	w.put("blob", "\x00\x01\x02")
	w.put("big", strings.Repeat("x", 1<<20))
	if err := os.Mkdir(filepath.Join(w.dir, "lib", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		prompt conversation.Prompt
		has    []string
		lacks  []string
	}{
		{"file", conversation.Prompt{Text: "look at @lib/a.txt."}, []string{"content of a", `path="lib/a.txt"`, "look at @lib/a.txt."}, nil},
		{"twice", conversation.Prompt{Text: "@blob and (@blob)"}, []string{"[binary, 3 bytes]"}, nil},
		{"folder", conversation.Prompt{Text: "in @lib"}, []string{"a.txt\n", "sub/\n"}, []string{"content"}},
		{"nobody", conversation.Prompt{Text: "ask @ada or a@main.go"}, []string{"ask @ada"}, []string{"three"}},
		{"device", conversation.Prompt{Text: "@/dev/zero @/proc"}, []string{"@/dev/zero"}, []string{"\x00"}},
		{"big", conversation.Prompt{Text: "@big"}, []string{"[cut: 65536 of 1048576 bytes]"}, nil},
		{"code", conversation.Prompt{Text: "why?", Context: []conversation.Snippet{{Path: "main.go", StartLine: 2, EndLine: 3}}}, []string{"main.go:2-3", "two\nthree", "why?"}, []string{"one", "four"}},
		{"code of the editor", conversation.Prompt{Text: "why?", Context: []conversation.Snippet{{Path: "main.go", StartLine: 2, EndLine: 2, Text: "unsaved"}}}, []string{"unsaved"}, []string{"two"}},
		{"code of no file", conversation.Prompt{Context: []conversation.Snippet{{Path: "none.go"}}}, []string{"cannot be read"}, nil},
		{"long", conversation.Prompt{Text: "begin " + strings.Repeat("x", 500_000) + " end"}, []string{"begin ", " end", "500010 bytes long", "prompts"}, nil},
		{"not UTF-8", conversation.Prompt{Text: "caf\xe9"}, []string{"caf\uFFFD"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, size := "", 0
			for _, b := range w.loop.expand(waiting{id: "id", prompt: test.prompt}) {
				text += b.Text + "\n"
				size += len(b.Text)
			}
			for _, part := range test.has {
				if !strings.Contains(text, part) {
					t.Errorf("%q is not in %.1000q", part, text)
				}
			}
			for _, part := range test.lacks {
				if strings.Contains(text, part) {
					t.Errorf("%q is in %.1000q", part, text)
				}
			}
			if size > 400<<10 {
				t.Errorf("%d bytes", size)
			}
		})
	}
	blocks := w.loop.expand(waiting{prompt: conversation.Prompt{Text: "see @shot.png", Images: []conversation.Image{{MIMEType: "image/png", Data: pixel}}}})
	if len(blocks) != 3 || blocks[0].Image == nil || blocks[1].Image == nil {
		t.Errorf("%d blocks", len(blocks))
	}
}

// Only so many pictures are sent again, and dropping goes by steps.
func TestPicturesAreForgotten(t *testing.T) {
	t.Parallel()
	var messages []llm.Message
	for range 14 {
		messages = append(messages, llm.Message{Role: llm.User, Blocks: []llm.Block{{Result: &llm.Result{ID: "x", Images: []llm.Image{{MIMEType: "image/png", Data: make([]byte, 10)}}}}, {Image: &llm.Image{Data: make([]byte, 10)}}}})
	}
	count := func(messages []llm.Message) (n int) {
		eachImage(messages, func(llm.Image) { n++ })
		return n
	}
	for have, want := range map[int]int{4: 8, 9: 18, 10: 10, 14: 18} {
		if got := count(sendable(messages[:have])); got != want {
			t.Errorf("of %d pictures %d are sent, want %d", 2*have, got, want)
		}
	}
	big := []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Image: &llm.Image{Data: make([]byte, 9<<20)}}, {Image: &llm.Image{Data: make([]byte, 9<<20)}}}}}
	if got := count(sendable(big)); got != 1 {
		t.Errorf("%d large pictures are sent", got)
	}
	if count(messages) != 28 {
		t.Error("the history itself was changed")
	}
}

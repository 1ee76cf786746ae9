package browser

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	maxMessages = 200
	maxMessage  = 2000
)

// console keeps what a page said last.
type console struct {
	mu      sync.Mutex // guards what follows
	lines   []string
	dropped int
}

func (c *console) add(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lines) == maxMessages {
		c.lines = c.lines[1:]
		c.dropped++
	}
	c.lines = append(c.lines, short(line, maxMessage))
}

func (c *console) take(clear bool) (lines []string, dropped int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines, dropped = append([]string{}, c.lines...), c.dropped
	if clear {
		c.lines, c.dropped = nil, 0
	}
	return lines, dropped
}

// read takes messages until the tab ends.
func (c *console) read(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return
		}
		line := fmt.Sprintf("%s: %s", m.Type, m.Text)
		if m.URL != "" {
			line += fmt.Sprintf(" (%s:%d:%d)", short(m.URL, 200), m.Line+1, m.Column+1)
		}
		c.add(line)
	}
}

// answerDialogs accepts what a page asks, as it would wait for ever, and notes it.
func (t *tab) answerDialogs(dialogs iter.Seq2[page.EventJavascriptDialogOpening, error]) {
	for d, err := range dialogs {
		if err != nil {
			return
		}
		t.console.add(fmt.Sprintf("dialog: %s %q was accepted", d.Type, short(d.Message, 500)))
		ctx, cancel := context.WithTimeout(t.ctx, probeLimit)
		// An error means that the page is gone, or answered by itself.
		_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true, PromptText: d.DefaultPrompt})
		cancel()
	}
}

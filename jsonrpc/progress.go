package jsonrpc

import (
	"encoding/json"
	"sync"
	"time"

	"go.lsp.dev/protocol"
)

// reportInterval is the least time between two reports that are sent: an image build has hundreds of lines a second.
const reportInterval = 100 * time.Millisecond

type progressToken struct {
	Token json.RawMessage `json:"token"`
}

type progressParams struct {
	Token json.RawMessage `json:"token"`
	Value progressValue   `json:"value"`
}

// progressValue is WorkDoneProgressBegin, -Report or -End of the LSP specification ("Work Done Progress").
type progressValue struct {
	Kind        string `json:"kind"`
	Title       string `json:"title,omitzero"`
	Cancellable *bool  `json:"cancellable,omitzero"`
	Message     string `json:"message,omitzero"`
	Percentage  *int   `json:"percentage,omitzero"`
}

// progress is the work-done progress of one request: begin, reports, end. What is reported before begin is shown by it;
// without begin nothing is sent. A begin that comes after the end is followed by it.
type progress struct {
	outbox *outbox
	title  string
	token  json.RawMessage // set before begin
	prefix string          // of a token of ours
	done   string          // what the end says when nothing failed

	mu      sync.Mutex
	begun   bool        // guarded by mu
	ended   bool        // guarded by mu
	outcome string      // guarded by mu: what the end says
	message string      // guarded by mu: the latest
	percent int         // guarded by mu: the highest, -1 when unknown
	timer   *time.Timer // guarded by mu: set while reports must wait
	waiting bool        // guarded by mu: a report waits for timer
}

func newProgress(out *outbox, title string) *progress {
	return &progress{outbox: out, title: title, prefix: "sketch-start", done: "ready", percent: -1}
}

// Report implements [Progress].
func (p *progress) Report(message string, percent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.message = clip(plainText(message), 200)
	p.percent = max(p.percent, min(percent, 100))
	switch {
	case !p.begun || p.ended:
	case p.timer != nil:
		p.waiting = true
	default:
		p.sendReport()
	}
}

// sendReport sends the latest report and makes further ones wait. The caller holds mu; the outbox does not block.
func (p *progress) sendReport() {
	p.waiting = false
	p.timer = time.AfterFunc(reportInterval, p.ripe)
	report := p.event(progressValue{Kind: "report", Message: p.message, Percentage: p.percentage()})
	report.key = "progress " + string(p.token) // a newer report replaces one that still waits
	p.outbox.post(report)
}

// ripe runs when the interval after a report has passed.
func (p *progress) ripe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	if p.waiting && !p.ended {
		p.sendReport()
	}
}

func (p *progress) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = true
	cancellable := true
	p.outbox.post(p.event(progressValue{
		Kind: "begin", Title: p.title, Cancellable: &cancellable, Message: p.message, Percentage: p.percentage(),
	}))
	if p.ended {
		p.outbox.post(p.ending())
	}
}

// end ends the progress; reports after it are ignored. The channel is closed when the end is on its way to the editor.
func (p *progress) end(message string) <-chan struct{} {
	sent := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.outcome = true, message
	if p.timer != nil {
		p.timer.Stop()
	}
	if !p.begun {
		close(sent)
		return sent
	}
	end := p.ending()
	end.sent = func() { close(sent) }
	p.outbox.post(end)
	return sent
}

// ending is the last event. The caller holds mu.
func (p *progress) ending() event {
	return p.event(progressValue{Kind: "end", Message: p.outcome})
}

func (p *progress) percentage() *int {
	if p.percent < 0 {
		return nil
	}
	percent := p.percent
	return &percent
}

func (p *progress) event(value progressValue) event {
	return event{method: protocol.MethodProgress, params: progressParams{Token: p.token, Value: value}, keep: true}
}

package fakellm

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// frame is one server-sent event, or a hold between two.
type frame struct {
	event string // empty: the event has no name
	data  string
	hold  string
}

func (f frame) String() string {
	if f.event == "" {
		return "data: " + f.data + "\n\n"
	}
	return "event: " + f.event + "\ndata: " + f.data + "\n\n"
}

// answer plays a step.
func (f *Server) answer(w http.ResponseWriter, r *http.Request, d dialect, a asked, step Step, index int) {
	for name, value := range step.Header {
		w.Header().Set(name, value)
	}
	switch {
	case step.Status != 0 && step.Status != http.StatusOK:
		body := []byte(step.Body)
		if step.Body == "" {
			body = d.failure(step.Status, http.StatusText(step.Status))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(step.Status)
		_, _ = w.Write(body) // whether it is read is the client's matter
	case !a.stream:
		for _, p := range step.Reply {
			if p.Hold != "" && !f.wait(r, p.Hold) {
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(d.whole(a, step, index)) // as above
	default:
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		f.stream(w, r, d, step, d.frames(a, step, index))
	}
}

// stream writes the events, each at once, until the client is gone.
func (f *Server) stream(w http.ResponseWriter, r *http.Request, d dialect, step Step, frames []frame) {
	out := flusher{w: w, control: http.NewResponseController(w), single: step.Bytes}
	for i, frame := range frames {
		if step.Fault != nil && i == step.Fault.After && !f.fail(r, &out, d, step.Fault.Kind) {
			return
		}
		if frame.hold != "" {
			if !f.wait(r, frame.hold) {
				return
			}
			continue
		}
		if out.write(frame.String()) != nil {
			return
		}
	}
}

// fail does what goes wrong, and reports whether the stream goes on after it.
func (f *Server) fail(r *http.Request, out *flusher, d dialect, kind string) bool {
	switch kind {
	case "reset":
		panic(http.ErrAbortHandler) // net/http's own way to break a connection
	case "garbage":
		return out.write("data: {\"type\":\"content_block_del\x00, not JSON\n\n") == nil
	case "error":
		_ = out.write(frame{event: "error", data: string(d.failure(http.StatusServiceUnavailable, "Overloaded"))}.String()) // the stream is over either way
	case "hang":
		<-r.Context().Done()
	}
	return false
}

// wait waits at a hold, and reports whether it was released.
func (f *Server) wait(r *http.Request, name string) bool {
	g := f.gate(name)
	f.mu.Lock()
	closeOnce(g.reached)
	f.mu.Unlock()
	select {
	case <-g.released:
		return true
	case <-r.Context().Done():
		return false
	}
}

// flusher sends what it is given at once.
type flusher struct {
	w       http.ResponseWriter
	control *http.ResponseController
	single  bool
}

func (f *flusher) write(text string) error {
	step := len(text)
	if f.single {
		step = 1
	}
	for len(text) > 0 {
		n := min(step, len(text))
		if _, err := f.w.Write([]byte(text[:n])); err != nil {
			return err
		}
		if err := f.control.Flush(); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// pieces cuts text as a model's tokens would: after spaces, and into few thousand pieces where it is long.
func pieces(text string) []string {
	least := len(text) / 2000
	var out []string
	for len(text) > 0 {
		end := len(text)
		if least < len(text) {
			if i := strings.IndexAny(text[least:], " \n"); i >= 0 {
				end = least + i + 1
			} else if least > 0 {
				end = validCut(text, least)
			}
		}
		out = append(out, text[:end])
		text = text[end:]
	}
	return out
}

// validCut is the end of the first rune at or after n.
func validCut(text string, n int) int {
	for n < len(text) && text[n]&0xc0 == 0x80 {
		n++
	}
	return n
}

// messageID names an answer.
func messageID(prefix string, index int) string {
	return fmt.Sprintf("%s_%d_%d", prefix, index+1, time.Now().UnixNano())
}

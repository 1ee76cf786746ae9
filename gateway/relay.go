package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// stallTimeout is how long a stream may be silent: servers send pings.
const stallTimeout = 5 * time.Minute

// relay passes an answer on, each piece at once, and counts what it used.
func (a *Account) relay(w http.ResponseWriter, res *http.Response, first []byte, req request) error {
	m := meter{provider: req.model.Provider, sent: req.size, stream: strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream")}
	for _, name := range []string{"Content-Type", "Request-Id", "X-Request-Id"} {
		if value := res.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	err := pump(w, res.Body, first, m.feed)
	if !req.route.free {
		a.count(m.priced(req.model.Prices))
	}
	if err != nil {
		a.gateway.cfg.Log.Debug("answer broke off", "model", req.model.Name, "err", err)
		panic(http.ErrAbortHandler) // net/http's way to break the connection: an answer that ends early must not look whole
	}
	return nil
}

// pump copies without buffering: what was read is flushed before the next read.
func pump(w http.ResponseWriter, body io.ReadCloser, chunk []byte, seen func([]byte)) error {
	control := http.NewResponseController(w)
	stalled := time.AfterFunc(stallTimeout, func() { body.Close() })
	defer stalled.Stop()
	buffer := make([]byte, firstBytes)
	for {
		if len(chunk) > 0 {
			seen(chunk)
			if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
				return err
			}
			if _, err := w.Write(chunk); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		n, err := body.Read(buffer)
		stalled.Reset(stallTimeout)
		chunk = buffer[:n]
		if errors.Is(err, io.EOF) && n == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read answer: %w", err)
		}
	}
}

// errorText is what a server says is wrong, in one line, and whether it said so by the API's own rules.
func errorText(body []byte) (text string, own bool) {
	var failure struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	text = string(body)
	if json.Unmarshal(body, &failure) == nil && failure.Error.Message != "" {
		text, own = failure.Error.Message, true
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500]) + "…"
	}
	return text, own
}

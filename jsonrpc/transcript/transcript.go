// Package transcript replays conversations between an editor and sketch-ide, for tests. A conversation is a txtar file
// that a person can read and edit:
//
//	A port is told once.
//	-- editor --
//	initialize {"capabilities":{}}
//	-- backend --
//	ports sketch-a owner [{"number":3000,"hostPort":3000,"status":"forwarded","action":"notify"}]
//	wait 200ms
//	-- server --
//	{"method":"window/showMessage","params":{"message":"Port 3000 forwarded","type":3}}
//
// Sections are steps, in order. What is in the sections server, calls and exit is golden: it is compared with what
// really happened after the step before them, and can be rewritten from it.
//
//   - editor: one message a line, without the member "jsonrpc", which is added. `initialize {…}` sends initialize with
//     these params, and initialized; its answer is not shown. `raw "…"` sends bytes (a Go string); `eof` closes the
//     editor's end.
//   - backend: one directive a line, for the [Peer] to understand. `wait 200ms` lets time pass.
//   - server: the messages that the server sent, one a line, without "jsonrpc", members sorted.
//   - calls: what the backend was asked to do, one call a line.
//   - exit: how the server ended.
//
// Who runs a conversation is a Peer: a server in the test's own process with a backend that is played, or the real
// binary, for conversations without the sections backend and calls.
package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// Peer is the server that a conversation is held with.
type Peer interface {
	Send(bytes []byte) error        // what the editor writes
	CloseInput() error              // the end of what the editor writes
	Directive(line string) error    // a line of a backend section
	Settle(want Expectation) Events // what happened since the last call, when nothing more happens by itself
}

// Expectation is what a conversation says will happen, for peers that cannot know when nothing more happens.
type Expectation struct {
	Messages int
	Exit     bool
}

// Events is what happened in a step.
type Events struct {
	Messages []json.RawMessage // sent by the server
	Calls    []string          // made to the backend
	Exit     string            // how the server ended, empty while it runs
}

// Names of the sections.
const (
	sectionEditor  = "editor"
	sectionBackend = "backend"
	sectionServer  = "server"
	sectionCalls   = "calls"
	sectionExit    = "exit"
)

// NeedsBackend reports whether a conversation needs a backend that is played.
func NeedsBackend(file []byte) bool {
	return slices.ContainsFunc(txtar.Parse(file).Files, func(f txtar.File) bool {
		return f.Name == sectionBackend || f.Name == sectionCalls
	})
}

// initializeLine begins a line of an editor section.
const initializeLine = "initialize {"

// Replay holds a conversation with peer and returns the file as it would be if what happened is right: compare it with
// file, or write it.
func Replay(file []byte, peer Peer) ([]byte, error) {
	script := txtar.Parse(file)
	happened := &txtar.Archive{Comment: script.Comment}
	for i, section := range script.Files {
		if isGolden(section.Name) {
			continue
		}
		if err := play(section, peer); err != nil {
			return nil, fmt.Errorf("section %d (%s): %w", i+1, section.Name, err)
		}
		want := expectation(script.Files[i+1:])
		want.Messages += bytes.Count(section.Data, []byte(initializeLine)) // whose answers are not shown
		events := peer.Settle(want)
		sections, err := golden(events)
		if err != nil {
			return nil, err
		}
		happened.Files = append(append(happened.Files, section), sections...)
	}
	return txtar.Format(happened), nil
}

func isGolden(name string) bool {
	return name == sectionServer || name == sectionCalls || name == sectionExit
}

func expectation(following []txtar.File) (want Expectation) {
	for _, section := range following {
		switch section.Name {
		case sectionServer:
			want.Messages += bytes.Count(section.Data, []byte("\n"))
		case sectionExit:
			want.Exit = true
		case sectionCalls:
		default:
			return want
		}
	}
	return want
}

func play(section txtar.File, peer Peer) error {
	for line := range strings.Lines(string(section.Data)) {
		line = strings.TrimSpace(line)
		var err error
		switch {
		case line == "":
		case section.Name == sectionBackend:
			err = peer.Directive(line)
		case section.Name == sectionEditor:
			err = sendLine(line, peer)
		default:
			err = fmt.Errorf("unknown section")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

func sendLine(line string, peer Peer) error {
	if line == "eof" {
		return peer.CloseInput()
	}
	if params, ok := strings.CutPrefix(line, initializeLine); ok {
		request := Frame(`{"jsonrpc":"2.0","id":"initialize","method":"initialize","params":{` + params + `}`)
		return peer.Send(append(request, Frame(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)...))
	}
	if quoted, ok := strings.CutPrefix(line, "raw "); ok {
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return err
		}
		return peer.Send([]byte(text))
	}
	if object, ok := strings.CutPrefix(line, "{"); ok {
		line = `{"jsonrpc":"2.0",` + object
	}
	return peer.Send(Frame(line))
}

// Frame puts a message into the framing of the LSP base protocol.
func Frame(body string) []byte {
	return fmt.Appendf(nil, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

func golden(events Events) ([]txtar.File, error) {
	var files []txtar.File
	var messages strings.Builder
	for _, message := range events.Messages {
		line, err := normal(message)
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(line, `{"id":"initialize","result":`) {
			messages.WriteString(line + "\n")
		}
	}
	add := func(name, text string) {
		if text != "" {
			files = append(files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	add(sectionServer, messages.String())
	add(sectionCalls, lines(events.Calls))
	if events.Exit != "" {
		add(sectionExit, events.Exit+"\n")
	}
	return files, nil
}

func lines(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return strings.Join(items, "\n") + "\n"
}

// normal returns a message as one line with its members sorted, after it has checked that it is JSON-RPC 2.0.
func normal(message json.RawMessage) (string, error) {
	var object map[string]any
	if err := json.Unmarshal(message, &object); err != nil {
		return "", fmt.Errorf("the server sent %q: %w", message, err)
	}
	if object["jsonrpc"] != "2.0" {
		return "", fmt.Errorf("the server sent %q, which is not JSON-RPC 2.0", message)
	}
	delete(object, "jsonrpc")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return "", err
	}
	return strings.TrimSpace(out.String()), nil
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// editorProcess is an editor's end of the real binary.
type editorProcess struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	frames chan json.RawMessage // closed at the end of the binary's output
	errs   bytes.Buffer         // its standard error; complete once it was waited for
}

const answerLimit = time.Minute

func startEditor(t *testing.T, args ...string) *editorProcess {
	t.Helper()
	return startEditorWith(t, nil, args...)
}

// startEditorWith is startEditor with variables in the environment.
func startEditorWith(t *testing.T, env []string, args ...string) *editorProcess {
	t.Helper()
	e := &editorProcess{t: t, cmd: command(t, append(args, "serve", "--stdio")...), frames: make(chan json.RawMessage, 1000)}
	e.cmd.Env = append(os.Environ(), env...)
	e.cmd.Stderr = &e.errs
	var err error
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go e.read(out) // ends with the process, which the cleanup below ends
	t.Cleanup(func() {
		e.in.Close()
		for range e.frames { // until the reader has seen the end
		}
		if e.cmd.ProcessState == nil {
			e.cmd.Process.Kill()
			e.cmd.Wait()
		}
	})
	return e
}

// read takes frames apart strictly: standard output carries frames and nothing else.
func (e *editorProcess) read(out io.Reader) {
	defer close(e.frames)
	r := bufio.NewReader(out)
	for {
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if errors.Is(err, io.EOF) && len(header) == 0 {
			return
		}
		length, lerr := strconv.Atoi(header.Get("Content-Length"))
		if err != nil || lerr != nil {
			e.t.Errorf("standard output is not frames: %v, header %v", err, header)
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			e.t.Errorf("standard output ends in a frame: %v", err)
			return
		}
		e.frames <- body
	}
}

func (e *editorProcess) Send(data []byte) error {
	_, err := e.in.Write(data)
	return err
}

func (e *editorProcess) CloseInput() error { return e.in.Close() }

func (e *editorProcess) Directive(line string) error {
	return fmt.Errorf("the binary's backend is real: %q", line)
}

// Settle waits for as much as is expected. That nothing more comes cannot be known of a process; where it ends, everything was seen.
func (e *editorProcess) Settle(want transcript.Expectation) (events transcript.Events) {
	e.t.Helper()
	limit := time.After(answerLimit)
	for len(events.Messages) < want.Messages || want.Exit {
		select {
		case frame, ok := <-e.frames:
			if !ok {
				events.Exit, events.Calls = e.exitText(), []string{"close"}
				return events
			}
			events.Messages = append(events.Messages, frame)
		case <-limit:
			e.t.Errorf("got %d of %d messages within %v", len(events.Messages), want.Messages, answerLimit)
			return events
		}
	}
	return events
}

// complaint is what the binary says on standard error when it ends with an error.
var complaint = regexp.MustCompile(`(?m)^sketch-ide: (.*) \([a-zA-Z]+, -?[0-9]+\)$`)

// exitText is how a conversation writes an end: the exit status, and the reason where one was given.
func (e *editorProcess) exitText() string {
	err := e.cmd.Wait()
	text := fmt.Sprintf("code %d", e.cmd.ProcessState.ExitCode())
	if said := complaint.FindStringSubmatch(e.errs.String()); err != nil && said != nil {
		text += ": " + said[1]
	}
	return text
}

// TestTranscripts holds the conversations of package jsonrpc with the real binary, as far as they need no played backend.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../jsonrpc/testdata/transcripts/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if needsPlayedBackend(data) {
			continue
		}
		ran++
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			e := startEditor(t, "-H", "unix:///nonexistent.sock", "--state-dir", filepath.Join(t.TempDir(), "state"))
			got, err := transcript.Replay(data, e)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(data), lines(got)); diff != "" {
				t.Errorf("(-file +binary)\n%s", diff)
			}
		})
	}
	if ran < 10 {
		t.Errorf("only %d conversations were held", ran)
	}
}

// needsPlayedBackend tells whether a conversation says more of the backend than that it was closed, which the end of the process shows.
func needsPlayedBackend(data []byte) bool {
	return slices.ContainsFunc(txtar.Parse(data).Files, func(f txtar.File) bool {
		return f.Name == "backend" || f.Name == "calls" && string(f.Data) != "close\n"
	})
}

func lines(data []byte) []string { return strings.Split(string(data), "\n") }

// call sends a request and returns its answer's result, or fails the test.
func (e *editorProcess) call(id int, method string, params any) json.RawMessage {
	e.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		e.t.Fatal(err)
	}
	if err := e.Send(transcript.Frame(string(body))); err != nil {
		e.t.Fatal(err)
	}
	limit := time.After(2 * time.Minute)
	for {
		select {
		case frame, ok := <-e.frames:
			var m struct {
				ID     *int            `json:"id"`
				Method string          `json:"method"`
				Result json.RawMessage `json:"result"`
				Error  json.RawMessage `json:"error"`
			}
			if !ok {
				e.t.Fatalf("%s: the binary ended", method)
			}
			if err := json.Unmarshal(frame, &m); err != nil {
				e.t.Fatal(err)
			}
			if m.Method != "" || m.ID == nil || *m.ID != id {
				continue
			}
			if m.Error != nil {
				e.t.Fatalf("%s: %s", method, m.Error)
			}
			return m.Result
		case <-limit:
			e.t.Fatalf("%s: no answer", method)
		}
	}
}

// TestKilledEditorLeavesOnlyWhatIsShown kills the backend as hard as a crash does: the session shows in ps, its host ports are free, and prune
// removes it.
func TestKilledEditorLeavesOnlyWhatIsShown(t *testing.T) {
	t.Parallel()
	state, repo := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "app")
	for _, args := range [][]string{{"init", "-q", repo}, {"-C", repo, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "first"}} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	e := startEditor(t, "--state-dir", state)
	e.call(1, "initialize", map[string]any{"rootUri": "file://" + repo, "capabilities": map[string]any{}, "initializationOptions": map[string]any{"baseImage": testBase()}})
	if err := e.Send(transcript.Frame(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)); err != nil {
		t.Fatal(err)
	}
	var s struct{ Name string }
	if err := json.Unmarshal(e.call(2, "workspace/executeCommand", map[string]any{"command": "sketch.start"}), &s); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range e.frames { // until the end of its output
	}
	tool := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		c := command(t, append([]string{"--state-dir", state}, args...)...)
		c.Stdout, c.Stderr = &out, &errs
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, errs.String())
		}
		return out.String()
	}
	t.Cleanup(func() { tool("prune", "--all", "--keep-images") })
	if out := tool("ps"); !strings.Contains(out, s.Name) || !strings.Contains(out, "running") {
		t.Errorf("ps does not show the session:\n%s", out)
	}
	if out := tool("prune", "--keep-images"); strings.Contains(out, s.Name) {
		t.Errorf("prune removed a running session unasked:\n%s", out)
	}
	if out := tool("prune", "--all", "--keep-images"); !strings.Contains(out, "removed session "+s.Name) {
		t.Errorf("prune --all did not remove the session:\n%s", out)
	}
	if out := tool("ps"); strings.Contains(out, s.Name) {
		t.Errorf("ps still shows the session:\n%s", out)
	}
	if entries, err := os.ReadDir(filepath.Join(state, "sessions")); err != nil || len(entries) > 0 {
		t.Errorf("state is left: %v, %v", entries, err)
	}
}

//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// editor is the client's end of the protocol: frames, requests, and the ports that were told.
type editor struct {
	server string
	state  string // the backend's state directory
	cmd    *exec.Cmd
	in     io.WriteCloser

	mu      sync.Mutex // guards the fields below
	next    int
	answers map[int]chan json.RawMessage
	ports   map[int]chan time.Duration // who waits for a port, and is told when the notification's bytes came
}

type sessionInfo struct {
	Name      string `json:"name"`
	Container string `json:"container"`
}

// command is the backend's program as a tool of the same user.
func (e *editor) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, e.server, append([]string{"--state-dir", e.state}, args...)...)
}

func startEditor(ctx context.Context, server, dir, repo, image string) (*editor, error) {
	server, err := filepath.Abs(server)
	if err != nil {
		return nil, err
	}
	e := &editor{server: server, state: filepath.Join(dir, "state"), answers: map[int]chan json.RawMessage{}, ports: map[int]chan time.Duration{}}
	e.cmd = e.command(ctx, "serve", "--stdio")
	e.cmd.Stderr = os.Stderr
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	// Ends with the backend, which close waits for.
	go e.read(bufio.NewReaderSize(out, 1<<20))
	_, err = e.call(ctx, "initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": "file://" + repo, "clientInfo": map[string]any{"name": "bench"},
		"capabilities":          map[string]any{"experimental": map[string]any{"sketch": map[string]any{"version": 1}}},
		"initializationOptions": map[string]any{"notifications": "none", "baseImage": image},
	})
	if err != nil {
		return nil, err
	}
	return e, e.send(map[string]any{"jsonrpc": "2.0", "method": "initialized", "params": map[string]any{}})
}

func (e *editor) send(message any) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return err
}

func (e *editor) call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	answer := make(chan json.RawMessage, 1)
	e.mu.Lock()
	e.next++
	id := e.next
	e.answers[id] = answer
	e.mu.Unlock()
	if err := e.send(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case data, ok := <-answer:
		if !ok {
			return nil, errors.New("the backend ended")
		}
		var reply struct {
			Result json.RawMessage `json:"result"`
			Error  *struct {
				Message string          `json:"message"`
				Data    json.RawMessage `json:"data"`
			} `json:"error"`
		}
		if err := json.Unmarshal(data, &reply); err != nil {
			return nil, err
		}
		if reply.Error != nil {
			return nil, fmt.Errorf("%s: %s %s", method, reply.Error.Message, reply.Error.Data)
		}
		return reply.Result, nil
	}
}

// read takes frames until the backend ends. The time of a frame is taken when its last byte is here, before it is parsed.
func (e *editor) read(r *bufio.Reader) {
	defer e.hangUp()
	for {
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			return
		}
		length, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		e.take(body, monotonic())
	}
}

func (e *editor) hangUp() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, answer := range e.answers {
		close(answer)
	}
	e.answers = map[int]chan json.RawMessage{}
}

func (e *editor) take(body []byte, at time.Duration) {
	var m struct {
		ID     *int            `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	if json.Unmarshal(body, &m) != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case m.Method == "$/sketch/ports":
		e.tellPortsLocked(m.Params, at)
	case m.Method == "" && m.ID != nil:
		if answer, ok := e.answers[*m.ID]; ok {
			answer <- body
			delete(e.answers, *m.ID)
		}
	}
}

func (e *editor) tellPortsLocked(params json.RawMessage, at time.Duration) {
	var p struct {
		Ports []struct {
			Number int    `json:"number"`
			Status string `json:"status"`
		} `json:"ports"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	for _, port := range p.Ports {
		if waiting, ok := e.ports[port.Number]; ok && port.Status == "forwarded" {
			waiting <- at
			delete(e.ports, port.Number)
		}
	}
}

// awaitPort returns what waits for the port's notification; ask before the port opens.
func (e *editor) awaitPort(port int) func(context.Context) (time.Duration, error) {
	told := make(chan time.Duration, 1)
	e.mu.Lock()
	e.ports[port] = told
	e.mu.Unlock()
	return func(ctx context.Context) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		select {
		case at := <-told:
			return at, nil
		case <-ctx.Done():
			return 0, fmt.Errorf("no notification for port %d within 10 s", port)
		}
	}
}

func (e *editor) start(ctx context.Context, folder string) (sessionInfo, error) {
	var s sessionInfo
	result, err := e.execute(ctx, "sketch.start", map[string]any{"folder": folder})
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(result, &s)
}

func (e *editor) stop(ctx context.Context, s sessionInfo) error {
	_, err := e.execute(ctx, "sketch.stop", map[string]any{"session": s.Name})
	return err
}

func (e *editor) execute(ctx context.Context, command string, argument any) (json.RawMessage, error) {
	return e.call(ctx, "workspace/executeCommand", map[string]any{"command": command, "arguments": []any{argument}})
}

func (e *editor) close() error {
	_, err := e.call(context.Background(), "shutdown", nil)
	return errors.Join(err, e.send(map[string]any{"jsonrpc": "2.0", "method": "exit"}), e.cmd.Wait())
}

// makeRepo makes a small repository.
func makeRepo(ctx context.Context, dir string) error {
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", dir},
		{"-C", dir, "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "commit", "-q", "--allow-empty", "-m", "first"},
	} {
		if out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w: %s", args, err, out)
		}
	}
	return nil
}

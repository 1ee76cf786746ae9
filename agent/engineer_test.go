//go:build linux

package agent_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/loop"
	"github.com/sketch-ide/sketch-ide/internal/fakellm"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// channelConn is a channel as net/http wants it.
type channelConn struct{ ssh.Channel }

func (channelConn) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "host"} }
func (channelConn) RemoteAddr() net.Addr             { return &net.UnixAddr{Name: "agent"} }
func (channelConn) SetDeadline(time.Time) error      { return nil }
func (channelConn) SetReadDeadline(time.Time) error  { return nil }
func (channelConn) SetWriteDeadline(time.Time) error { return nil }

// channels is the listener of what the agent opens.
type channels struct {
	opened chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (c *channels) Accept() (net.Conn, error) {
	select {
	case conn := <-c.opened:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *channels) Close() error   { c.once.Do(func() { close(c.closed) }); return nil }
func (c *channels) Addr() net.Addr { return &net.UnixAddr{Name: "host"} }

// host connects as the host does, with a scripted model behind its channel. It returns how to leave.
func (w *world) host(fake *fakellm.Server) (leave func()) {
	w.t.Helper()
	conn, opens, requests := w.login()
	ln := &channels{opened: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Api-Key", "key")
		fake.ServeHTTP(rw, r)
	})}
	var serving sync.WaitGroup
	serving.Go(func() { ssh.DiscardRequests(requests) })
	serving.Go(func() { _ = server.Serve(ln) })
	serving.Go(func() {
		for open := range opens {
			if open.ChannelType() != sshwire.ChannelLLM {
				open.Reject(ssh.UnknownChannelType, "")
				continue
			}
			channel, requests, err := open.Accept()
			if err != nil {
				continue
			}
			serving.Go(func() { ssh.DiscardRequests(requests) })
			select {
			case ln.opened <- channelConn{channel}:
			case <-ln.closed:
				channel.Close()
			}
		}
	})
	leave = sync.OnceFunc(func() {
		conn.Close()
		server.Close()
		ln.Close()
		serving.Wait()
	})
	w.t.Cleanup(leave)
	return leave
}

// until waits for the conversation to be as it should.
func (w *world) until(what string, good func(conversation.Page) bool) conversation.Page {
	w.t.Helper()
	var page conversation.Page
	w.eventually(what, func() bool {
		var err error
		page, err = w.client.Conversation().Latest(w.t.Context(), 0, 0)
		return err == nil && good(page)
	})
	return page
}

// The whole agent: a prompt comes by its API, the model is asked through the host's connection, real tools change a real repository, the commit
// bears the user's name and the trailer, and the next process knows of it.
func TestAgentWorks(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = w.workspace
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	git("init", "-qb", "sketch/x")
	git("config", "user.name", "Ada")
	git("config", "user.email", "ada@example.org")
	scenario, err := fakellm.Parse([]byte(`{"steps":[
		{"expect":{"tools":["bash","patch","done"],"anywhere":["sketch/x"]},"reply":[{"text":"I write it."},{"tool":"bash","input":{"command":"echo hello > greeting; pwd"}}]},
		{"expect":{"last":["` + w.workspace + `"]},"reply":[{"tool":"bash","input":{"command":"git add . && git commit -qm 'Greet' && echo committed; echo more > left-over"}}]},
		{"expect":{"last":["committed"]},"reply":[{"text":"Done."}],"usage":{"input":100,"output":10}},
		{"expect":{"anywhere":["I write it."]},"reply":[{"text":"You are welcome."}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	fake := fakellm.New("m", scenario)
	settings := conversation.Settings{Models: []conversation.Model{{Name: "mine", Provider: "anthropic", Model: "m"}}}

	start := func() (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- agent.Run(ctx, w.config, slog.New(slog.NewTextHandler(w.log, nil))) }()
		w.connectConfig()
		leave := w.host(fake)
		return sync.OnceFunc(func() {
			leave()
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("agent ended with %v", err)
			}
		})
	}
	stop := start()
	defer func() { stop() }()
	talk := w.client.Conversation()
	_, err = talk.Prompt(t.Context(), conversation.Prompt{Text: "hello"})
	if problem, ok := errors.AsType[*conversation.Problem](err); !ok || problem.Kind != "noModel" {
		t.Errorf("without a model: %v", err)
	}
	if err := talk.Configure(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if _, err := talk.Prompt(t.Context(), conversation.Prompt{Text: "greet"}); err != nil {
		t.Fatal(err)
	}
	page := w.until("the turn's end", func(p conversation.Page) bool { return p.Status.Outcome != "" })
	if page.Status.Outcome != conversation.Done || len(page.Status.Uncommitted) != 1 || page.Status.Uncommitted[0] != "left-over" {
		t.Errorf("%+v\n%v", page.Status, fake.Faults())
	}
	if got := git("log", "-1", "--format=%an: %B"); !strings.Contains(got, "Ada: Greet") || !strings.Contains(got, loop.CoAuthor) {
		t.Error(got)
	}

	stop()
	transcript, err := os.ReadFile(filepath.Join(w.dir, "conversation", "transcript.jsonl"))
	if err != nil || strings.Contains(string(transcript), "X-Api-Key") {
		t.Errorf("transcript: %v", err)
	}
	stop = start()
	if err := talk.Configure(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if _, err := talk.Prompt(t.Context(), conversation.Prompt{Text: "thanks"}); err != nil {
		t.Fatal(err)
	}
	page = w.until("the second turn's end", func(p conversation.Page) bool { return p.Status.Turn == 2 && p.Status.Outcome != "" })
	if last := page.Messages[len(page.Messages)-1]; last.Text != "You are welcome." {
		t.Errorf("%+v\n%v", last, fake.Faults())
	}
}

package conversation

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; none should need it.
const patience = time.Minute

// agent is a Control that remembers what it was asked.
type agent struct {
	prompts  chan Prompt
	settings chan Settings
	err      error
}

func (a *agent) Prompt(_ context.Context, p Prompt) (Accepted, error) {
	if a.err != nil {
		return Accepted{}, a.err
	}
	a.prompts <- p
	return Accepted{ID: "m1", Turn: 1}, nil
}
func (a *agent) Cancel(string) error         { return a.err }
func (a *agent) Answer(string, string) error { return a.err }
func (a *agent) Configure(s Settings) error {
	a.settings <- s
	return a.err
}

// serve serves a conversation, and ends its streams before the test ends.
func serve(t *testing.T, c *Conversation, control Control) Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewUnstartedServer(Handler(c, control))
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	transport := &http.Transport{}
	t.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		server.Close()
	})
	return Client{HTTP: &http.Client{Transport: transport}, BaseURL: server.URL}
}

// follow delivers into a channel until the test ends.
func follow(t *testing.T, client Client) <-chan Event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	events, ended := make(chan Event), make(chan struct{})
	go func() {
		defer close(ended)
		_ = Follow(ctx, FollowConfig{Client: client}, func(e Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return events
}

// await reads events until one is as it should be.
func await(t *testing.T, events <-chan Event, what string, good func(Event) bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-events:
			if good(e) {
				return
			}
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

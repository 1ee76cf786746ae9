package llm_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/internal/fakellm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// play serves a scenario as both providers do, behind something that adds the key as the gateway does.
func play(t *testing.T, scenario string) (*fakellm.Server, *llm.Client) {
	t.Helper()
	s, err := fakellm.Parse([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	fake := fakellm.New("m", s)
	return fake, client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Api-Key") != "" {
			t.Error("a key came from inside")
		}
		r.Header.Set("Authorization", "Bearer key")
		r.Header.Set("X-Api-Key", "key")
		fake.ServeHTTP(w, r)
	}), 0)
}

func client(t *testing.T, handler http.Handler, silence time.Duration) *llm.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	c := llm.New(llm.Config{Silence: silence, Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}})
	t.Cleanup(func() {
		c.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return c
}

// both runs a test against both APIs.
func both(t *testing.T, test func(t *testing.T, provider string)) {
	t.Helper()
	for _, provider := range []string{llm.Anthropic, llm.OpenAI} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			test(t, provider)
		})
	}
}

func hello(provider string) llm.Request {
	return llm.Request{
		Model:  llm.Model{Name: "mine", Provider: provider, ID: "m"},
		System: "Be brief.",
		Tools: []llm.Tool{
			{Name: "bash", Description: "runs", Schema: []byte(`{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}`)},
			{Name: "done", Description: "ends", Schema: []byte(`{"type":"object"}`)},
		},
		Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: "hi"}}}},
		Turn:     3, Purpose: "turn",
	}
}

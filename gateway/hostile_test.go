package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What a model generated may have a member twice. It goes back to its server as it came, and a block's own members do not.
func TestTheInputOfAToolCallIsOpaque(t *testing.T) {
	t.Parallel()
	const input = `{"path":"a","path":"b","type":"url","url":"http://x"}`
	body := `{"model":"claude-x","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"x","input":` + input + `}]}]}`
	req, err := examine(routes[messages], "", testSettings(), []byte(body))
	if err != nil || !strings.Contains(string(req.body), input) {
		t.Errorf("%v: %s", err, req.body)
	}
	twice := strings.Replace(body, `"id":"1"`, `"input":{},"id":"1"`, 1)
	if _, err := examine(routes[messages], "", testSettings(), []byte(twice)); err == nil {
		t.Error("a block with two inputs was forwarded")
	}
}

func TestOnlyKnownBetasGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": [{"reply": [{"text": "a"}]}]}`)
	if status, text, _ := w.answer(messages, claudeHi, "Anthropic-Beta", "context-1m-2025-08-07, interleaved-thinking-2025-05-14,fast-mode-2026-02-01,,code-execution-2025-08-25"); status != http.StatusOK {
		t.Fatal(text)
	}
	if got := w.llm.Requests()[0].Header.Values("Anthropic-Beta"); len(got) != 1 || got[0] != "interleaved-thinking-2025-05-14" {
		t.Errorf("went on: %q", got)
	}
}

func TestAnHourInTheCacheIsPriced(t *testing.T) {
	t.Parallel()
	m := meter{provider: Anthropic}
	m.feed([]byte(`{"usage":{"input_tokens":0,"output_tokens":0,"cache_creation_input_tokens":1000000,"cache_creation":{"ephemeral_1h_input_tokens":400000}}}`))
	write := 3.75
	if u := m.priced(&Prices{Input: 3, Output: 15, CacheWrite: &write}); u.Dollars != 0.6*3.75+0.4*6 {
		t.Errorf("$%v", u.Dollars)
	}
}

func TestAnErrorsUsageIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": [
		{"status": 529, "body": "{\"error\":{\"message\":\"x\"},\"usage\":{\"input_tokens\":70,\"output_tokens\":5}}"},
		{"reply": [{"text": "a"}], "usage": {"input": 100, "output": 10}}]}`)
	if status, text, _ := w.answer(messages, claudeHi); status != http.StatusOK {
		t.Fatal(text)
	}
	if u := w.account.Usage(); u.Input != 170 || u.Output != 15 || u.Calls != 2 {
		t.Errorf("%+v", u)
	}
}

// Calls at the same time exceed a budget by one of them at most: the rest wait, and are refused when it is used up.
func TestCallsAtTheSameTimeShareABudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"loop": true, "steps": [{"reply": [{"text": "a"}, {"hold": "go"}], "usage": {"input": 100, "output": 9}}]}`, func(s *Settings) {
		s.Budget.Session = Limit{Calls: 2}
	})
	statuses := make(chan int, maxCalls)
	var asking sync.WaitGroup
	for range maxCalls {
		asking.Go(func() { // ends with its answer
			res, err := w.ask(t.Context(), messages, claudeHi)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			_, _ = io.Copy(io.Discard, res.Body)
			statuses <- res.StatusCode
		})
	}
	w.await("two calls are under way, and two wait", func() bool { return len(w.llm.Requests()) == 2 && len(w.account.slots) == maxCalls })
	w.llm.Release("go")
	asking.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusOK] != 2 || count[http.StatusPaymentRequired] != 2 || len(w.llm.Requests()) != 2 {
		t.Errorf("answers %v, %d requests were paid", count, len(w.llm.Requests()))
	}
	w.account.mu.Lock()
	defer w.account.mu.Unlock()
	if w.account.pending != (Usage{}) {
		t.Errorf("still set aside: %+v", w.account.pending)
	}
}

func TestEstimates(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int64{
		`{"model":"gpt-x"}`: unlimitedOutput, `{"model":"gpt-x","max_tokens":7}`: 7, `{"model":"gpt-x","max_tokens":7,"max_completion_tokens":9,"n":3}`: 27,
		`{"model":"gpt-x","n":1000000000,"max_tokens":1000000000}`: 1e12,
	} {
		req, err := examine(routes[completions], "gpt", testSettings(), []byte(body))
		if err != nil || req.estimate().Output != want || req.estimate().Input != int64(req.size/bytesPerToken) {
			t.Errorf("%s: %+v, %v", body, req.estimate(), err)
		}
	}
	if _, err := examine(routes[completions], "", testSettings(), []byte(`{"model":"gpt-x","max_tokens":-1}`)); err == nil {
		t.Error("a call that sets less than nothing aside")
	}
}

// A container that asks, and takes nothing of the answer, holds no memory that others need meanwhile, and not its connection for ever.
func TestAnAnswerThatIsNotTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &memory{}
		g := New(Config{Getenv: func(string) string { return "" }, Transport: endless{}})
		g.Configure(Settings{Models: []Model{{Name: "m", Provider: Anthropic, Model: "claude-x", BaseURL: "http://m.example"}}})
		account := g.Account(AccountConfig{Ledger: ledger})
		inside, outside := net.Pipe()
		defer inside.Close()
		served := make(chan struct{})
		go func() { // ends when the gateway has had enough
			defer close(served)
			account.Serve(t.Context(), outside)
		}()
		if _, err := fmt.Fprintf(inside, "POST %s HTTP/1.1\r\nHost: host\r\nContent-Length: %d\r\n\r\n%s", messages, len(claudeHi), claudeHi); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !g.bodies.TryAcquire(maxBodies) || !account.bodies.TryAcquire(maxSessionBodies) {
			t.Error("the request is held while its answer is not read")
		}
		begun := time.Now()
		<-served
		if took := time.Since(begun); took > writeTimeout+drainTimeout {
			t.Errorf("it was served for %s", took)
		}
		if ledger.balance.Session.Calls != 1 {
			t.Error("the call was not counted")
		}
	})
}

// endless answers with a stream that does not end.
type endless struct{}

func (endless) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: io.NopCloser(zeros{r.Context()}), Request: r,
	}, nil
}

type zeros struct{ ctx context.Context }

func (z zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), z.ctx.Err()
}

// One session's requests leave room for another's, however large and slow they are.
func TestASessionsShareOfMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"loop": true, "steps": [{"reply": [{"text": "a"}]}]}`)
	other := w.gateway.Account(AccountConfig{Ledger: &memory{}})
	ctx, cancel := context.WithCancel(t.Context())
	var hostile sync.WaitGroup
	defer hostile.Wait()
	defer cancel()
	for range maxCalls {
		inside, outside := net.Pipe()
		hostile.Go(func() { other.Serve(ctx, outside) }) // ends with ctx
		hostile.Go(func() {                              // ends with the connection
			_, _ = fmt.Fprintf(inside, "POST %s HTTP/1.1\r\nHost: host\r\nContent-Length: %d\r\n\r\n{", messages, maxBody)
		})
	}
	w.await("its requests wait for one another", func() bool { return len(other.slots) == maxCalls && !other.bodies.TryAcquire(1) })
	large, err := json.Marshal(strings.Repeat("a", 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	if status, text, _ := w.answer(messages, strings.Replace(claudeHi, `"hi"`, string(large), 1)); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}

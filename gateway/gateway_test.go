package gateway

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnswersPassAndAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": [{"bytes": true, "reply": [{"text": "Hello to you"}], "usage": {"input": 1000, "output": 200, "cacheRead": 50, "cacheWrite": 7}}]}`)
	status, text, _ := w.answer(messages, claudeHi, HeaderModel, "claude", HeaderTurn, "1")
	if status != http.StatusOK || !strings.Contains(text, `"text":"to "`) || !strings.HasSuffix(text, "data: {\"type\":\"message_stop\"}\n\n") {
		t.Errorf("Anthropic: %d\n%s", status, text)
	}
	want := Usage{Input: 1000, Output: 200, CacheRead: 50, CacheWrite: 7, Calls: 1, Dollars: (1000*3 + 200*15 + 57*3) / 1e6}
	if got := w.account.Usage(); got != want {
		t.Errorf("used %+v, want %+v", got, want)
	}
	status, text, _ = w.answer(completions, gptHi)
	if status != http.StatusOK || !strings.Contains(text, `"content":"to "`) || !strings.HasSuffix(text, "data: [DONE]\n\n") {
		t.Errorf("OpenAI: %d\n%s", status, text)
	}
	want.Input, want.Output, want.CacheRead, want.CacheWrite = 2007, 400, 100, 7 // what was written to the cache is input there
	want.Calls, want.Unpriced = 2, 1
	if got := w.account.Usage(); got != want {
		t.Errorf("used %+v, want %+v", got, want)
	}
	w.answer(messages, strings.Replace(claudeHi, `"stream":true,`, "", 1))
	if faults := w.llm.Faults(); len(faults) != 1 { // the scenario has no further step
		t.Errorf("faults %v", faults)
	}
	for _, r := range w.llm.Requests() {
		if key := r.Header.Get("X-Api-Key") + r.Header.Get("Authorization"); !strings.HasSuffix(key, secret) {
			t.Errorf("key %q", key)
		}
		if r.Header.Get(HeaderModel) != "" {
			t.Error("our headers went on to the model's server")
		}
	}
}

func TestNothingIsBuffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": [{"reply": [{"text": "first"}, {"hold": "middle"}, {"text": "second"}]}]}`)
	res, err := w.ask(t.Context(), messages, claudeHi)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for line := ""; !strings.Contains(line, `"first"`); { // hangs until the test's end where it is buffered
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	w.llm.Release("middle")
	if rest, err := io.ReadAll(lines); err != nil || !strings.Contains(string(rest), `"second"`) {
		t.Errorf("the rest: %v\n%s", err, rest)
	}
}

func TestRetriesBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": [
		{"status": 429, "header": {"Retry-After": "0.01"}},
		{"status": 529},
		{"reply": [{"text": "never"}], "fault": {"after": 0, "kind": "reset"}},
		{"reply": [{"text": "at last"}]},
	]}`)
	var seen []Retry
	done := make(chan struct{})
	watching := make(chan struct{})
	go func() { // ends with done
		defer close(watching)
		for {
			select {
			case <-w.changed:
				if r := w.account.Retrying(); r.Attempt > 0 {
					seen = append(seen, r)
				}
			case <-done:
				return
			}
		}
	}()
	status, text, _ := w.answer(messages, claudeHi)
	close(done)
	<-watching
	if status != http.StatusOK || !strings.Contains(text, "at ") || len(w.llm.Requests()) != 4 {
		t.Errorf("%d after %d requests\n%s", status, len(w.llm.Requests()), text)
	}
	if len(seen) == 0 || seen[0].Model != "claude" {
		t.Errorf("told of retries: %+v", seen)
	}
	if r := w.account.Retrying(); r != (Retry{}) {
		t.Errorf("still retrying: %+v", r)
	}
	if u := w.account.Usage(); u.Calls != 2 || u.Input < int64(len(claudeHi)/bytesPerToken) {
		t.Errorf("counted %+v; two requests were taken, and two refused", u)
	}
}

func TestNoRetryAfterTheFirstByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": [{"reply": [{"text": "one two three"}], "fault": {"after": 4, "kind": "reset"}}, {"reply": [{"text": "twice"}]}]}`)
	res, err := w.ask(t.Context(), messages, claudeHi)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil || !strings.Contains(string(text), "one ") || strings.Contains(string(text), "twice") {
		t.Errorf("a broken answer looks whole: %v\n%s", err, text)
	}
	if n := len(w.llm.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
	w.await("the broken call is counted", func() bool { return w.account.Usage().Output > 0 })
}

func TestGivingUpSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step   string
		status int
		kind   string
		words  string
		count  int
	}{
		"not retried":       {`{"status": 400, "body": "{\"error\":{\"message\":\"prompt is too long: 9 tokens\"}}"}`, 400, "model", "prompt is too long: 9 tokens", 1},
		"told not to":       {`{"status": 500, "header": {"X-Should-Retry": "false"}}`, 500, "model", "500", 1},
		"too long a wait":   {`{"status": 429, "header": {"Retry-After": "3600"}}`, 429, "model", "429", 1},
		"key refused":       {`{"status": 401, "body": "{\"error\":{\"message\":\"Incorrect API key provided: ` + secret + `\"}}"}`, 401, "noModel", "the key was refused", 1},
		"key in the words":  {`{"status": 400, "body": "{\"error\":{\"message\":\"no ` + secret + ` here\"}}"}`, 400, "model", "no … here", 1},
		"addresses in them": {`{"status": 400, "body": "{\"error\":{\"message\":\"not at http://gpu.corp:8000/v1 nor 10.1.2.3:80 nor [fe80::1]:80\"}}"}`, 400, "model", "not at … nor … nor …", 1},
		"a proxy's page":    {`{"status": 403, "body": "squid at proxy.corp"}`, 403, "noModel", "no key for claude: the key was refused (403)", 1},
		"what went wrong":   {`{"status": 500, "header": {"X-Should-Retry": "false"}, "body": "{\"error\":{\"message\":\"open /srv/model\"}}"}`, 500, "model", "claude: its server answered 500 Internal Server Error", 1},
		"redirect":          {`{"status": 302, "header": {"Location": "http://127.0.0.1:1/"}}`, 502, "model", "redirects", 1},
		"always overloaded": {`{"status": 529}`, 529, "model", "529", 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, `{"loop": true, "steps": [`+c.step+`]}`)
			status, text, header := w.answer(messages, claudeHi)
			if status != c.status || header.Get(HeaderError) != c.kind || !strings.Contains(text, c.words) || strings.Contains(text, secret) {
				t.Errorf("%d %v\n%s", status, header, text)
			}
			if n := len(w.llm.Requests()); n != c.count {
				t.Errorf("%d requests, want %d", n, c.count)
			}
			if strings.Contains(w.log.String(), secret) {
				t.Error("the key is in the log")
			}
		})
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": []}`, func(s *Settings) { s.Models[0].BaseURL = "http://127.0.0.1:1" })
	status, text, header := w.answer(messages, claudeHi)
	if status != http.StatusBadGateway || header.Get(HeaderError) != "model" || !strings.Contains(text, "claude: its server cannot be reached") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("%d %s", status, text)
	}
	if f := w.account.Failure(); f.Kind != "model" || !strings.Contains(f.Message, "127.0.0.1:1: connect: connection refused") || !strings.Contains(w.log.String(), "connection refused") {
		t.Errorf("the user is told %+v", f)
	}
}

func TestTheClientsEndIsTheCallsEnd(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]string{
		"while it streams": `{"reply": [{"text": "a"}, {"hold": "here"}]}`,
		"while it waits":   `{"reply": [{"text": "a"}], "fault": {"after": 0, "kind": "hang"}}`,
		"while it retries": `{"status": 429, "header": {"Retry-After": "60"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, `{"steps": [`+step+`]}`)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { // ends with cancel; waited for below
				defer close(ended)
				res, err := w.ask(ctx, messages, claudeHi)
				if err == nil {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			}()
			w.await("the request arrives", func() bool { return len(w.llm.Requests()) == 1 })
			cancel()
			<-ended
			w.await("the call has ended", func() bool { return len(w.account.slots) == 0 })
			w.ledger.mu.Lock()
			defer w.ledger.mu.Unlock()
			if calls := w.ledger.balance.Session.Calls; name != "while it retries" && calls != 1 {
				t.Errorf("%d calls were counted: what the server began to do is paid", calls)
			}
		})
	}
}

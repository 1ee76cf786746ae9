package fakellm

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func play(t *testing.T, scenario string) (*Server, string) {
	t.Helper()
	s, err := Parse([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	f := New("m", s)
	f.Key = "secret"
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server.URL
}

func ask(t *testing.T, url, path, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Anthropic-Version", "2023-06-01")
	req.Header.Set("X-Api-Key", "secret")
	req.Header.Set("Authorization", "Bearer secret")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const (
	anthropicHello = `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`
	openaiHello    = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`
)

func TestBothDialectsTellTheSame(t *testing.T) {
	t.Parallel()
	const reply = `{"thinking": "hm"}, {"text": "Hello to you"}, {"unknown": true}, {"tool": "bash", "input": {"command": "ls -l"}}`
	f, url := play(t, `{"steps": [
		{"bytes": true, "reply": [`+reply+`], "usage": {"input": 7, "output": 5, "cacheRead": 3}}, // with a comment
		{"reply": [`+reply+`], "usage": {"input": 7, "output": 5, "cacheRead": 3}},
	]}`)
	got := text(t, ask(t, url, "/v1/messages", anthropicHello))
	for _, want := range []string{
		"event: message_start\n", `"input_tokens":7`, `"thinking":"hm"`, `"text":"to "`, "event: content_block_hologram", `"partial_json":"ls `, `"stop_reason":"tool_use"`, `"output_tokens":5`,
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	} {
		if want == `"partial_json":"ls ` {
			want = `"partial_json":"{\"command\": "` // the input is cut after its spaces
		}
		if !strings.Contains(got, want) {
			t.Errorf("Anthropic: no %q in:\n%s", want, got)
		}
	}
	got = text(t, ask(t, url, "/v1/chat/completions", openaiHello))
	for _, want := range []string{`"content":"to "`, `"reasoning_content":"hm"`, `"name":"bash"`, `"finish_reason":"tool_calls"`, `"prompt_tokens":10`, `"cached_tokens":3`, "data: [DONE]\n\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("OpenAI: no %q in:\n%s", want, got)
		}
	}
	if left, faults := f.Left("m"), f.Faults(); left != 0 || len(faults) > 0 {
		t.Errorf("%d steps left, faults %v", left, faults)
	}
	if res := ask(t, url, "/v1/messages", anthropicHello); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a request after the last step: %s", res.Status)
	}
}

func TestFaultsOfAServer(t *testing.T) {
	t.Parallel()
	f, url := play(t, `{"steps": [
		{"status": 429, "header": {"Retry-After": "1"}},
		{"reply": [{"text": "one two three"}], "fault": {"after": 4, "kind": "cut"}},
		{"reply": [{"text": "one two three"}], "fault": {"after": 4, "kind": "reset"}},
		{"reply": [{"text": "one two three"}], "fault": {"after": 4, "kind": "garbage"}},
		{"reply": [{"text": "one two three"}], "fault": {"after": 4, "kind": "error"}},
		{"reply": [{"text": "one"}, {"hold": "here"}, {"text": "two"}]},
	]}`)
	res := ask(t, url, "/v1/messages", anthropicHello)
	if got := text(t, res); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" || !strings.Contains(got, "rate_limit_error") {
		t.Errorf("limit: %s %s", res.Status, got)
	}
	if got := text(t, ask(t, url, "/v1/messages", anthropicHello)); strings.Contains(got, "message_stop") || !strings.Contains(got, "one ") {
		t.Errorf("cut: %s", got)
	}
	if _, err := io.ReadAll(ask(t, url, "/v1/messages", anthropicHello).Body); err == nil {
		t.Error("reset: the stream ended well")
	}
	if got := text(t, ask(t, url, "/v1/messages", anthropicHello)); !strings.Contains(got, "not JSON") || !strings.Contains(got, "three") {
		t.Errorf("garbage: %s", got)
	}
	if got := text(t, ask(t, url, "/v1/messages", anthropicHello)); !strings.Contains(got, "overloaded_error") {
		t.Errorf("error: %s", got)
	}
	res = ask(t, url, "/v1/messages", anthropicHello)
	lines := bufio.NewReader(res.Body)
	for line := ""; !strings.Contains(line, `"one"`); {
		var err error
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	<-f.Reached("here")
	f.Release("here")
	if rest, err := io.ReadAll(lines); err != nil || !strings.Contains(string(rest), `"two"`) {
		t.Errorf("after the hold: %v %s", err, rest)
	}
}

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	call := `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"bash","input":{}}]}`
	for name, messages := range map[string]string{
		"two of the user":       `{"role":"user","content":"a"},{"role":"user","content":"b"}`,
		"begins with assistant": `{"role":"assistant","content":"a"}`,
		"ends with assistant":   `{"role":"user","content":"a"},{"role":"assistant","content":"b"}`,
		"empty text":            `{"role":"user","content":[{"type":"text","text":""}]}`,
		"call without result":   `{"role":"user","content":"a"},` + call + `,{"role":"user","content":"b"}`,
		"result without call":   `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]}`,
		"result after text":     `{"role":"user","content":"a"},` + call + `,{"role":"user","content":[{"type":"text","text":"b"},{"type":"tool_result","tool_use_id":"t1"}]}`,
		"unknown field":         `{"role":"user","content":[{"type":"text","text":"a","colour":"red"}]}`,
		"image":                 `{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/bmp","data":"AA=="}}]}`,
		"thinking unsigned":     `{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]},{"role":"user","content":"b"}`,
	} {
		body := `{"model":"m","max_tokens":9,"messages":[` + messages + `]}`
		_, url := play(t, `{"steps": [{"reply": [{"text": "no"}]}]}`)
		if res := ask(t, url, "/v1/messages", body); res.StatusCode != http.StatusBadRequest {
			t.Errorf("Anthropic, %s: %s", name, res.Status)
		}
	}
	call = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}`
	for name, messages := range map[string]string{
		"call without result": `{"role":"user","content":"a"},` + call + `,{"role":"user","content":"b"}`,
		"call at the end":     `{"role":"user","content":"a"},` + call,
		"result without call": `{"role":"user","content":"a"},{"role":"tool","tool_call_id":"c1","content":"x"}`,
		"image of a tool":     `{"role":"user","content":"a"},` + call + `,{"role":"tool","tool_call_id":"c1","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}`,
		"empty answer":        `{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"user","content":"b"}`,
	} {
		_, url := play(t, `{"steps": [{"reply": [{"text": "no"}]}]}`)
		if res := ask(t, url, "/v1/chat/completions", `{"model":"m","messages":[`+messages+`]}`); res.StatusCode != http.StatusBadRequest {
			t.Errorf("OpenAI, %s: %s", name, res.Status)
		}
	}
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	f, url := play(t, `{"steps": [{"expect": {"last": ["goodbye"]}, "reply": [{"text": "no"}]}]}`)
	if res := ask(t, url, "/v1/messages", anthropicHello); res.StatusCode != http.StatusBadRequest || len(f.Faults()) != 1 || f.Left("m") != 1 {
		t.Errorf("%s, faults %v", res.Status, f.Faults())
	}
	if _, err := Parse([]byte(`{"steps": [{"replay": []}]}`)); err == nil {
		t.Error("a misspelt field was taken")
	}
	if _, err := Parse([]byte(`{"steps": [{"reply": [{"text": "a", "tool": "b"}]}]}`)); err == nil {
		t.Error("a part that is two things was taken")
	}
}

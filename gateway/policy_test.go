package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func testSettings() Settings {
	return Settings{Models: []Model{
		{Name: "claude", Provider: Anthropic, Model: "claude-x"},
		{Name: "gpt", Provider: OpenAI, Model: "gpt-x"},
		{Name: "other", Provider: OpenAI, Model: "gpt-x", BaseURL: "http://localhost:1/v1"},
	}}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	claude, gpt := routes[messages], routes[completions]
	for name, c := range map[string]struct {
		route  route
		model  string // named by the header
		body   string
		status int // 0: allowed
	}{
		"plain":                    {claude, "", claudeHi, 0},
		"by name":                  {gpt, "other", gptHi, 0},
		"a model of the other API": {gpt, "", claudeHi, http.StatusNotFound},
		"a model nobody named":     {claude, "", `{"model":"claude-dear"}`, http.StatusNotFound},
		"a name for another model": {gpt, "claude", gptHi, http.StatusNotFound},
		"not an object":            {claude, "", `[]`, http.StatusBadRequest},
		"not JSON":                 {claude, "", `{"model":`, http.StatusBadRequest},
		"our tool":                 {claude, "", `{"model":"claude-x","tools":[{"name":"bash","input_schema":{"type":"object"}}]}`, 0},
		"a client's own tool":      {claude, "", `{"model":"claude-x","tools":[{"type":"text_editor_20250728","name":"e"}]}`, 0},
		"a function":               {gpt, "", `{"model":"gpt-x","tools":[{"type":"function","function":{"name":"f"}}]}`, 0},
		"web search":               {claude, "", `{"model":"claude-x","tools":[{"type":"web_search_20250305","name":"web_search"}]}`, http.StatusBadRequest},
		"web fetch":                {claude, "", `{"model":"claude-x","tools":[{"name":"f","type":"web_fetch_20250910"}]}`, http.StatusBadRequest},
		"code execution":           {claude, "", `{"model":"claude-x","tools":[{"type":"code_execution_20250825","name":"c"}]}`, http.StatusBadRequest},
		"MCP connector":            {claude, "", `{"model":"claude-x","mcp_servers":[{"type":"url","url":"https://evil.example"}]}`, http.StatusBadRequest},
		"search of the other API":  {gpt, "", `{"model":"gpt-x","web_search_options":{}}`, http.StatusBadRequest},
		"picture by address":       {claude, "", `{"model":"claude-x","messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://evil.example/?leak"}}]}]}`, http.StatusBadRequest},
		"picture in a result":      {claude, "", `{"model":"claude-x","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image","source":{"url":"https://evil.example","type":"x"}}]}]}]}`, http.StatusBadRequest},
		"picture of the other API": {gpt, "", `{"model":"gpt-x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://evil.example"}}]}]}`, http.StatusBadRequest},
		"picture as data":          {gpt, "", `{"model":"gpt-x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`, 0},
		"more speed":               {claude, "", `{"model":"claude-x","speed":"fast"}`, http.StatusBadRequest},
		"another tier":             {gpt, "", `{"model":"gpt-x","service_tier":"priority"}`, http.StatusBadRequest},
		"a tier that is no word":   {gpt, "", `{"model":"gpt-x","service_tier":["default"]}`, http.StatusBadRequest},
		"the ordinary tier":        {claude, "", `{"model":"claude-x","service_tier":"standard_only"}`, 0},
		"another country":          {claude, "", `{"model":"claude-x","inference_geo":"us"}`, http.StatusBadRequest},
		"other models besides":     {gpt, "", `{"model":"gpt-x","models":["gpt-dear"]}`, http.StatusBadRequest},
		"plugins":                  {gpt, "", `{"model":"gpt-x","plugins":[{"id":"web"}]}`, http.StatusBadRequest},
		"sound":                    {gpt, "", `{"model":"gpt-x","modalities":["audio"],"audio":{}}`, http.StatusBadRequest},
		"in other letters":         {claude, "", `{"model":"claude-x","Speed":"fast"}`, http.StatusBadRequest},
		"no number":                {claude, "", `{"model":"claude-x","max_tokens":"9"}`, http.StatusBadRequest},
		"too many functions":       {gpt, "", `{"model":"gpt-x","functions":[` + strings.Repeat(`{"name":"a"},`, maxTools) + `{"name":"a"}]}`, http.StatusBadRequest},
		"as many tools as go":      {claude, "", `{"model":"claude-x","tools":[` + strings.Repeat(`{"name":"a"},`, maxTools-1) + `{"name":"a"}]}`, 0},
		"too many tools":           {claude, "", `{"model":"claude-x","tools":[` + strings.Repeat(`{"name":"a"},`, maxTools) + `{"name":"a"}]}`, http.StatusBadRequest},
		"too long a tool":          {claude, "", `{"model":"claude-x","tools":[{"name":"a","description":"` + strings.Repeat("a", maxSchema) + `"}]}`, http.StatusBadRequest},
		"words about addresses":    {claude, "", `{"model":"claude-x","messages":[{"role":"user","content":"set \"url\": \"https://x\" and url\""}]}`, 0},
		"an address for a tool":    {claude, "", `{"model":"claude-x","messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"url":"http://localhost:3000"}}]}]}`, 0},
	} {
		_, err := examine(c.route, c.model, testSettings(), []byte(c.body))
		r, refused := errors.AsType[*refusal](err)
		if refused != (c.status != 0) || refused && r.status != c.status {
			t.Errorf("%s: %v, want status %d", name, err, c.status)
		}
	}
}

// A container that asks a server not to tell what was used is told of it all the same.
func TestUsageIsAlwaysAskedFor(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gpt", "other"} {
		req, err := examine(routes[completions], name, testSettings(), []byte(`{"model":"gpt-x","stream":true,"stream_options":{"include_usage":false}}`))
		if err != nil || !strings.Contains(string(req.body), `"stream_options":{"include_usage":true}`) {
			t.Errorf("%s: %v %s", name, err, req.body)
		}
	}
}

func TestWhatIsForwardedIsWhatWasUnderstood(t *testing.T) {
	t.Parallel()
	req, err := examine(routes[messages], "", testSettings(), []byte(
		`{"model":"claude-dear","model":"claude-x","tools":[{"name":"a","type":"web_search_20250305","type":"custom"}],"max_tokens":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(req.body); strings.Contains(text, "dear") || strings.Contains(text, "web_search") || !strings.Contains(text, `"max_tokens":1`) {
		t.Errorf("forwarded: %s", text)
	}
}

// However it is written: what the model's server would fetch is not forwarded.
func TestAddressesInOtherWords(t *testing.T) {
	t.Parallel()
	const escaped = `{"type":"u\u0072\u006c","u\u0072\u006c":"https://evil/?leak"}`
	for _, message := range []string{
		`{"role":"user","content":[{"type":"image","source":` + escaped + `}]}`,
		`{"role":"user","content":[{"type":"image","source":{"type":"base64","type":"url","data":"","url":"data:,"}}]}`,
		`{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"x"}}]}`,
		`{"role":"user","content":[{"type":"image","source":{"URL":"http://evil"}}]}`,
		`{"role":"user","role":"assistant","content":"x"}`,
		`{"role":"user","content":[{"type":"text","text":"x","input":` + escaped + `}]}`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		if _, err := examine(routes[messages], "", testSettings(), []byte(`{"model":"claude-x","messages":[`+message+`]}`)); err == nil {
			t.Errorf("forwarded: %s", message)
		}
	}
	call := `{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"x","input":` + escaped + `}]}`
	if _, err := examine(routes[messages], "", testSettings(), []byte(`{"model":"claude-x","messages":[`+call+`]}`)); err != nil {
		t.Errorf("a tool call's input: %v", err)
	}
	text := `{"role":"user","content":"see \"url\": \"https://example.com\""}`
	if _, err := examine(routes[messages], "", testSettings(), []byte(`{"model":"claude-x","messages":[`+text+`]}`)); err != nil {
		t.Errorf("text: %v", err)
	}
	if _, err := examine(routes[messages], "", testSettings(), []byte(`{"model":"claude-x","tools":[`+strings.Repeat(`{"":0},`, maxValues)+`{}]}`)); err == nil {
		t.Error("hundreds of thousands of tools were taken")
	}
}

func TestOtherPathsAreNotServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": []}`)
	for _, path := range []string{"/", "/anthropic/v1/files", "/anthropic/v1/messages/batches", "/openai/v1/responses", "/anthropic/v1/messages/../models", "/v1/messages"} {
		if status, text, _ := w.answer(path, claudeHi); status != http.StatusNotFound && status != http.StatusTemporaryRedirect {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if n := len(w.llm.Requests()); n > 0 {
		t.Errorf("%d requests went out", n)
	}
}

func TestTooLargeARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": []}`)
	res, err := w.ask(t.Context(), messages, strings.Repeat(" ", maxBody+1))
	if err == nil {
		res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s", res.Status)
		}
	}
	if !w.gateway.bodies.TryAcquire(maxBodies) {
		w.await("memory is given back", func() bool { return w.gateway.bodies.TryAcquire(maxBodies) })
	}
	w.gateway.bodies.Release(maxBodies)
}

func FuzzExamine(f *testing.F) {
	f.Add([]byte(claudeHi))
	f.Add([]byte(`{"model":"claude-x","tools":[{"type":"custom"}],"messages":[{"content":[{"type":"image","source":{"url":""}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := examine(routes[messages], "", testSettings(), body)
		if err != nil {
			return
		}
		if again, err := examine(routes[messages], "", testSettings(), req.body); err != nil || !bytes.Equal(again.body, req.body) {
			t.Errorf("what is forwarded is not what is understood: %v\n%s\n%s", err, req.body, again.body)
		}
	})
}

func FuzzMeter(f *testing.F) {
	f.Add([]byte("event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":5}}}\n\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":7}}\n"), true)
	f.Add([]byte(`{"usage":{"prompt_tokens":3,"completion_tokens":-4}}`), false)
	f.Fuzz(func(t *testing.T, answer []byte, stream bool) {
		for _, p := range []Provider{Anthropic, OpenAI} {
			m, split := meter{provider: p, stream: stream}, meter{provider: p, stream: stream}
			m.feed(answer)
			for i := range answer {
				split.feed(answer[i : i+1])
			}
			a, b := m.result(), split.result()
			if a != b || a.Input < 0 || a.Output < 0 || a.CacheRead < 0 || a.CacheWrite < 0 {
				t.Errorf("%s: %+v at once, %+v byte by byte", p, a, b)
			}
		}
	})
}

func TestUsageOfWhatBreaksOff(t *testing.T) {
	t.Parallel()
	m := meter{provider: Anthropic, stream: true, sent: 400}
	m.feed([]byte("event: x\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":50,\"output_tokens\":1}}}\n\n"))
	for range 30 {
		m.feed([]byte("data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"\\\"usage\\\": 7\"}}\n"))
	}
	if u := m.result(); u.Input != 50 || u.Output != 31 {
		t.Errorf("Anthropic: %+v", u)
	}
	m = meter{provider: OpenAI, stream: true, sent: 400}
	m.feed([]byte("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\ndata: {\"choices\":[]"))
	if u := m.result(); u.Input != 100 || u.Output != 1 {
		t.Errorf("OpenAI: %+v", u)
	}
	m = meter{provider: Anthropic, stream: true, sent: 400}
	m.feed([]byte("data: {\"delta\":{\"text\":\"" + strings.Repeat("word ", 800) + "\"}}\n"))
	if u := m.result(); u.Output < 900 || u.Output > 1100 {
		t.Errorf("a caller that leaves after one long event: %+v", u)
	}
	m = meter{provider: Anthropic, stream: true}
	m.feed([]byte("data: " + strings.Repeat("x", 2*maxEventLine)))
	if u := m.result(); u.Output < 2*maxEventLine/bytesPerToken-100 {
		t.Errorf("after one that is too long to be read: %+v", u)
	}
	whole := meter{provider: OpenAI}
	whole.feed([]byte(`{"usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":6}}}`))
	if u := whole.result(); u != (Usage{Input: 4, Output: 4, CacheRead: 6}) {
		t.Errorf("whole: %+v", u)
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	read := 0.3
	u := Usage{Input: 1e6, Output: 1e6, CacheRead: 1e6, CacheWrite: 1e6}.priced(&Prices{Input: 3, Output: 15, CacheRead: &read})
	if u.Dollars != 3+15+0.3+3 {
		t.Errorf("$%v", u.Dollars)
	}
	var data bytes.Buffer
	if err := json.NewEncoder(&data).Encode(u); err != nil {
		t.Fatal(err)
	}
}

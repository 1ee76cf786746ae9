package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/agent/llm"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, provider string) {
		fake, client := play(t, `{"steps":[{"bytes":true,"expect":{"tools":["bash","done"],"anywhere":["Be brief."]},
			"reply":[{"thinking":"hm"},{"unknown":true},{"text":"Let me see."},{"tool":"bash","id":"c1","input":{"command":"ls"}},{"tool":"bash","id":"c2","input":{"command":"pwd"}}],
			"usage":{"input":7,"output":5,"cacheRead":3}}]}`)
		var text, thinking string
		var begun []string
		res, err := client.Stream(t.Context(), hello(provider), func(d llm.Delta) {
			text += d.Text
			thinking += d.Thinking
			if d.Call != nil {
				begun = append(begun, d.Call.ID+" "+d.Call.Name)
			}
		})
		if err != nil {
			t.Fatal(err, fake.Faults())
		}
		if text != "Let me see." || thinking != "hm" || strings.Join(begun, ",") != "c1 bash,c2 bash" {
			t.Errorf("streamed %q, %q, %v", text, thinking, begun)
		}
		want := []llm.Call{{ID: "c1", Name: "bash", Input: []byte(`{"command":"ls"}`)}, {ID: "c2", Name: "bash", Input: []byte(`{"command":"pwd"}`)}}
		if diff := cmp.Diff(want, res.Calls()); diff != "" {
			t.Error(diff)
		}
		if res.Stop != llm.StopTools || res.Text() != "Let me see." || res.Blocks[0].Thinking == nil || res.Blocks[0].Thinking.Text != "hm" {
			t.Errorf("%+v", res)
		}
		if res.Usage.Input != 7 || res.Usage.Output != 5 || res.Usage.CacheRead != 3 {
			t.Errorf("%+v", res.Usage)
		}
		header := fake.Requests()[0].Header
		if header.Get("X-Sketch-Model") != "mine" || header.Get("X-Sketch-Turn") != "3" || header.Get("X-Sketch-Purpose") != "turn" {
			t.Errorf("%v", header)
		}
	})
}

// What a model answers, what its tools gave and what was thought can be sent back, pictures included.
func TestConversation(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, provider string) {
		fake, client := play(t, `{"steps":[
			{"reply":[{"thinking":"hm"},{"tool":"bash","id":"c1","input":{"command":"ls"}},{"tool":"done"}]},
			{"expect":{"last":["a.go","[image]","go on","boom"],"anywhere":["hm"]},"reply":[{"text":"Done."}]},
			{"expect":{"last":["thanks"]},"reply":[{"text":"Welcome."}]}]}`)
		req := hello(provider)
		req.Model.ThinkingTokens = 2000
		res, err := client.Stream(t.Context(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		calls := res.Calls()
		req.Messages = append(req.Messages, llm.Message{Role: llm.Assistant, Blocks: res.Blocks, Model: "m"}, llm.Message{Role: llm.User, Blocks: []llm.Block{
			{Result: &llm.Result{ID: calls[0].ID, Text: "a.go", Images: []llm.Image{{MIMEType: "image/png", Data: []byte("x")}}}},
			{Result: &llm.Result{ID: calls[1].ID, Text: "boom", Failed: true}},
			{Text: "go on"},
			{Text: " "},
			{Image: &llm.Image{MIMEType: "image/png", Data: []byte("y")}},
		}})
		res, err = client.Stream(t.Context(), req, nil)
		if err != nil {
			t.Fatal(err, fake.Faults())
		}
		req.Messages = append(req.Messages, llm.Message{Role: llm.Assistant, Blocks: res.Blocks, Model: "m"}, llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: "thanks"}}})
		req.Model.NoImages = true
		if _, err = client.Stream(t.Context(), req, nil); err != nil {
			t.Fatal(err, fake.Faults())
		}
		if body := string(fake.Requests()[2].Body); strings.Contains(body, "image/png") || !strings.Contains(body, "cannot see") {
			t.Error("a blind model got a picture")
		}
	})
}

func TestCacheMarks(t *testing.T) {
	t.Parallel()
	fake, client := play(t, `{"steps":[{"reply":[{"text":"x"}]}]}`)
	req := hello(llm.Anthropic)
	for range 3 {
		req.Messages = append(req.Messages, llm.Message{Role: llm.Assistant, Blocks: []llm.Block{{Text: "yes"}}}, llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: "and"}}})
	}
	if _, err := client.Stream(t.Context(), req, nil); err != nil {
		t.Fatal(err)
	}
	// One for the tools, one for the system prompt, two for the last messages of the user.
	if n := strings.Count(string(fake.Requests()[0].Body), "cache_control"); n != 4 {
		t.Errorf("%d marks in %s", n, fake.Requests()[0].Body)
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, step string
		stop       llm.Stop
		broken     string // of the call, if any
	}{
		{"length", `{"reply":[{"text":"and so"}],"stop":"length"}`, llm.StopLength, ""},
		{"length in a call", `{"reply":[{"tool":"bash","rawInput":"{\"command\":\"ec"}],"stop":"length"}`, llm.StopLength, "cut off"},
		{"refusal", `{"reply":[{"text":"No."}],"stop":"refusal"}`, llm.StopRefusal, ""},
		{"nothing", `{"reply":[]}`, llm.StopEnd, ""},
		{"blank", `{"reply":[{"text":" "}]}`, llm.StopEnd, ""},
		{"call without saying so", `{"reply":[{"tool":"bash"}],"stop":"end"}`, llm.StopTools, ""},
		{"input is no object", `{"reply":[{"tool":"bash","rawInput":"[1]"}]}`, llm.StopTools, "not a JSON object"},
		{"input is no JSON", `{"reply":[{"tool":"bash","rawInput":"ls -l"}]}`, llm.StopTools, "not a JSON object"},
		{"bad id", `{"reply":[{"tool":"bash","id":"a b/ü"}]}`, llm.StopTools, ""},
		{"bad name", `{"reply":[{"tool":"rm -rf"}]}`, llm.StopTools, "no tool named"},
		{"same ids", `{"reply":[{"tool":"bash","id":"x"},{"tool":"done","id":"x"}]}`, llm.StopTools, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, provider string) {
				fake, client := play(t, `{"steps":[`+test.step+`,{"reply":[{"text":"ok"}]}]}`)
				req := hello(provider)
				res, err := client.Stream(t.Context(), req, nil)
				if err != nil {
					t.Fatal(err)
				}
				broken := ""
				for _, call := range res.Calls() {
					broken += call.Broken
				}
				if res.Stop != test.stop || !strings.Contains(broken, test.broken) || (test.broken == "") != (broken == "") {
					t.Errorf("stop %q, broken %q", res.Stop, broken)
				}
				if len(res.Blocks) == 0 {
					return
				}
				sendBack(t, client, req, res)
				if faults := fake.Faults(); len(faults) > 0 {
					t.Error(faults)
				}
			})
		})
	}
}

// What a server sends without end is not kept without end.
func TestHugeInput(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("x", 1<<20)
	events := map[string]string{
		llm.Anthropic: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"" + part + "\"}}\n\n",
		llm.OpenAI:    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"bash\",\"arguments\":\"" + part + "\"}}]}}]}\n\n",
	}
	begin := "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"bash\",\"input\":{}}}\n\n"
	both(t, func(t *testing.T, provider string) {
		c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			if provider == llm.Anthropic {
				io.WriteString(w, begin)
			}
			for r.Context().Err() == nil {
				io.WriteString(w, events[provider])
			}
		}), 0)
		res, err := c.Stream(t.Context(), hello(provider), nil)
		if err != nil || res.Stop != llm.StopLength || len(res.Calls()) != 1 || !strings.Contains(res.Calls()[0].Broken, "cut off") {
			t.Errorf("%.200v, %v", res, err)
		}
	})
}

// sendBack answers the calls of an answer, which is to be valid whatever came.
func sendBack(t *testing.T, client *llm.Client, req llm.Request, res llm.Response) {
	t.Helper()
	answer := llm.Message{Role: llm.User}
	for _, call := range res.Calls() {
		answer.Blocks = append(answer.Blocks, llm.Block{Result: &llm.Result{ID: call.ID, Text: call.Broken, Failed: true}})
	}
	answer.Blocks = append(answer.Blocks, llm.Block{Text: "go on"})
	req.Messages = append(req.Messages, llm.Message{Role: llm.Assistant, Blocks: res.Blocks, Model: "m"}, answer)
	if _, err := client.Stream(t.Context(), req, nil); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, step string
		want       llm.Reason
		text       string
	}{
		{"wrong key", `{"status":401,"body":"{\"error\":{\"message\":\"invalid x-api-key\"}}"}`, llm.Refused, "invalid x-api-key (HTTP 401)"},
		{"overload", `{"status":529}`, llm.Refused, "HTTP 529"},
		{"rate", `{"status":429}`, llm.Refused, "Too Many Requests"},
		{"page of a proxy", `{"status":502,"body":"<html>\n bad gateway</html>"}`, llm.Refused, "bad gateway"},
		{"too long", `{"status":400,"body":"{\"error\":{\"message\":\"prompt is too long: 250000 tokens > 200000 maximum\"}}"}`, llm.TooLong, "too long"},
		{"too long for llama.cpp", `{"status":400,"body":"{\"error\":\"the request exceeds the available context size\"}"}`, llm.TooLong, ""},
		{"too large", `{"status":413}`, llm.TooLong, ""},
		{"budget", `{"status":402,"header":{"X-Sketch-Error":"budget"},"body":"{\"error\":{\"message\":\"5 $ are used up\"}}"}`, llm.Budget, "5 $ are used up"},
		{"no model", `{"status":404,"header":{"X-Sketch-Error":"noModel"}}`, llm.NoModel, ""},
		{"cut", `{"reply":[{"text":"Hello, world, how are you"}],"fault":{"kind":"cut","after":3}}`, llm.BrokenOff, "broke off"},
		{"reset", `{"reply":[{"text":"Hello, world, how are you"}],"fault":{"kind":"reset","after":3}}`, llm.BrokenOff, "broke off"},
		{"reset at once", `{"reply":[{"text":"Hello"}],"fault":{"kind":"reset","after":0}}`, llm.BrokenOff, "broke off"},
		{"error event", `{"reply":[{"text":"Hello, world, how are you"}],"fault":{"kind":"error","after":3}}`, llm.BrokenOff, "Overloaded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, provider string) {
				_, client := play(t, `{"steps":[`+test.step+`]}`)
				_, err := client.Stream(t.Context(), hello(provider), nil)
				e, ok := errors.AsType[*llm.Error](err)
				if !ok || e.Reason != test.want || !strings.Contains(e.Error(), test.text) {
					t.Errorf("%#v: %v", e, err)
				}
			})
		})
	}
}

// Bytes that are no event end the answer, or are skipped as server-sent events say; in no case is there half an answer.
func TestGarbage(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, provider string) {
		_, client := play(t, `{"steps":[{"reply":[{"text":"Hello, world"}],"fault":{"kind":"garbage","after":2}}]}`)
		res, err := client.Stream(t.Context(), hello(provider), nil)
		e, failed := errors.AsType[*llm.Error](err)
		if err == nil && res.Text() != "Hello, world" || err != nil && (!failed || e.Reason != llm.Garbled) {
			t.Errorf("%q, %v", res.Text(), err)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, provider string) {
		_, client := play(t, `{"steps":[{"reply":[{"text":"Hello"},{"tool":"bash","input":{"command":"ls"}},{"hold":"here"},{"text":"no"}]}]}`)
		ctx, cancel := context.WithCancel(t.Context())
		res, err := client.Stream(ctx, hello(provider), func(d llm.Delta) {
			if d.Call != nil {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || res.Text() != "Hello" {
			t.Errorf("%q, %v", res.Text(), err)
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, provider string) {
		client := llm.New(llm.Config{Dial: func(context.Context) (net.Conn, error) { return nil, errors.New("no host") }})
		_, err := client.Stream(t.Context(), hello(provider), nil)
		if e, ok := errors.AsType[*llm.Error](err); !ok || e.Reason != llm.Unreachable {
			t.Errorf("%v", err)
		}
	})
}

// A server that says nothing is given up.
func TestSilence(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // else net/http does not see that the client goes
			<-r.Context().Done()
		},
		"no event": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, ": hello\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, provider string) {
				c := client(t, handler, 50*time.Millisecond)
				_, err := c.Stream(t.Context(), hello(provider), nil)
				if e, ok := errors.AsType[*llm.Error](err); !ok || e.Reason != llm.BrokenOff || !strings.Contains(e.Error(), "silent") {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

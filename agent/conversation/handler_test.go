package conversation

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	control := &agent{prompts: make(chan Prompt, 1), settings: make(chan Settings, 1)}
	client := serve(t, c, control)
	want := Prompt{Text: "hi", Images: []Image{{MIMEType: "image/png", Data: "eA=="}}, Context: []Snippet{{Path: "a", StartLine: 1, EndLine: 2}}, Model: "m"}
	accepted, err := client.Prompt(t.Context(), want)
	if err != nil || accepted.ID != "m1" {
		t.Fatal(accepted, err)
	}
	if diff := cmp.Diff(want, <-control.prompts); diff != "" {
		t.Error(diff)
	}
	settings := Settings{Models: []Model{{Name: "a", Provider: "openai", Model: "b"}}}
	if err := client.Configure(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(settings, <-control.settings); diff != "" {
		t.Error(diff)
	}
	c.Add(User, 1, func(m *Message) { m.Text = "hi" })
	page, err := client.Latest(t.Context(), 0, 10)
	if err != nil || len(page.Messages) != 1 || page.Status.State != Off {
		t.Errorf("%+v, %v", page, err)
	}
	if err := errors.Join(client.Cancel(t.Context(), "x"), client.Answer(t.Context(), "a", "b")); err != nil {
		t.Error(err)
	}
	problem := &Problem{Kind: "noModel", Message: "no model", Hint: "set one"}
	control.err = problem
	_, err = client.Prompt(t.Context(), want)
	if got, ok := errors.AsType[*Problem](err); !ok || *got != *problem {
		t.Errorf("%#v", err)
	}
	control.err = errors.New("boom")
	if problem, ok := errors.AsType[*Problem](client.Cancel(t.Context(), "")); !ok || problem.Kind != "internal" {
		t.Error("an unexpected error has no kind")
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	handler := Handler(New(nil, Loaded{}), &agent{})
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/prompt", "{", 400},
		{"POST", "/prompt", `{"text":"` + strings.Repeat("x", maxEvent) + `"}`, 400},
		{"GET", "/prompt", "", 405},
		{"POST", "/conversation", "", 405},
		{"GET", "/conversation?after=x", "", 400},
		{"GET", "/conversation?limit=x", "", 400},
		{"GET", "/conversation/events?after=x", "", 400},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(test.method, test.path, strings.NewReader(test.body)))
		if w.Code != test.want {
			t.Errorf("%s %s: %d", test.method, test.path, w.Code)
		}
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	c.Add(User, 1, func(m *Message) { m.Text = "hi" })
	open := c.Begin(Assistant, 1, nil)
	client := serve(t, c, &agent{})
	events := follow(t, client)
	await(t, events, "begin", func(e Event) bool { return e.Begin != nil && e.Begin.Reset })
	await(t, events, "the first message", func(e Event) bool { return e.Message != nil && e.Message.Text == "hi" })
	open.Grow("abc", "")
	await(t, events, "text", func(e Event) bool { return e.Message != nil && e.Message.Text == "abc" })
	client.HTTP.Transport.(*http.Transport).CloseIdleConnections()
	c.SetStatus(func(s *Status) { s.State = Idle })
	await(t, events, "status", func(e Event) bool { return e.Status != nil && e.Status.State == Idle })
	open.Done(nil)
	await(t, events, "the end", func(e Event) bool { return e.Message != nil && e.Message.Done && e.Message.Text == "abc" })
}

// A reader that comes back learns what it has missed, and only that: messages that it saw open, and later ones.
func TestFollowResumes(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	h := Handler(c, &agent{})
	var asked []string
	first := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("after"))
		if len(asked) == 1 {
			// One look at the conversation, and the connection is lost.
			page := c.Latest(0, 0)
			w.Header().Set("Content-Type", streamType)
			out := eventWriter{w: w, rc: http.NewResponseController(w)}
			out.event(beginEvent, 0, begin{Epoch: page.Epoch})
			for _, m := range page.Messages {
				out.event(messageEvent, m.Seq, m)
			}
			out.send()
			<-first
			return
		}
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	c.Add(User, 1, nil)
	open := c.Begin(Tool, 1, nil)
	c.Add(Notice, 1, nil)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	events := follow(t, Client{HTTP: &http.Client{Transport: transport}, BaseURL: server.URL})
	await(t, events, "the third message", func(e Event) bool { return e.Message != nil && e.Message.Seq == 3 })
	open.Done(func(m *Message) { m.Text = "done meanwhile" })
	close(first)
	await(t, events, "no reset", func(e Event) bool { return e.Begin != nil && !e.Begin.Reset })
	await(t, events, "what was missed", func(e Event) bool { return e.Message != nil && e.Message.Text == "done meanwhile" })
	if asked[1] != "1" {
		t.Errorf("asked for what is after %s", asked[1])
	}
}

// Nothing waits for a reader that takes nothing.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	client := serve(t, c, &agent{})
	res, err := client.HTTP.Get(client.BaseURL + "/conversation/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 200 {
			c.Add(Assistant, 1, func(m *Message) { m.Text = strings.Repeat("x", 100_000) })
		}
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the writer waits for a reader")
	}
}

// The container is not trusted: whatever it streams, Follow delivers what is bounded, or reconnects.
func TestFollowHostileServer(t *testing.T) {
	t.Parallel()
	bodies := []string{
		"event: message\ndata: {}\n\n",
		"event: message\ndata: {\n\n",
		"event: status\ndata: []\n\n",
		"event: begin\ndata: 1\n\n",
		"event: other\ndata: 1\n\nevent: message\ndata: {\"id\":\"x\",\"seq\":-1,\"kind\":\"user\"}\n\n",
		"data: " + strings.Repeat("x", maxEvent) + "\n\n",
		"event: message\ndata: {\"id\":\"good\",\"seq\":1,\"kind\":\"user\",\"text\":\"" + strings.Repeat("y", MaxText+1) + "\"}\n\n",
	}
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", streamType)
		_, _ = io.WriteString(w, bodies[n%len(bodies)])
		n++
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	events := follow(t, Client{HTTP: &http.Client{Transport: transport}, BaseURL: server.URL})
	await(t, events, "the good message", func(e Event) bool {
		if e.Message == nil {
			return false
		}
		if e.Message.ID != "good" || len(e.Message.Text) > MaxText {
			panic(fmt.Sprintf("%+v", e.Message)[:100])
		}
		return true
	})
}

// FuzzEvents: whatever the container streams, what is delivered is bounded and whole.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("event: begin\ndata: {\"epoch\":\"e\"}\n\nevent: status\ndata: {\"state\":\"idle\",\"todo\":[{}]}\n\n: alive\n\nevent: message\nid: 1\ndata: {\"id\":\"a\",\"seq\":1,\"kind\":\"tool\",\"tool\":{\"input\":{}}}\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fo := follower{open: make(map[int64]bool), deliver: func(e Event) {
			switch {
			case e.Message != nil && (e.Message.ID == "" || len(e.Message.Text) > MaxText):
				t.Fatalf("%+v", e.Message)
			case e.Status != nil && len(e.Status.Uncommitted) > MaxUncommitted:
				t.Fatalf("%+v", e.Status)
			}
		}}
		r := eventReader{r: bufio.NewReader(bytes.NewReader(data)), heard: func() {}}
		for {
			name, data, err := r.next()
			if err != nil || fo.take(name, data) != nil {
				return
			}
		}
	})
}

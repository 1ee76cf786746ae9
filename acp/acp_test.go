package acp

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

func TestInitialize(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	if got := e.call("session/list", `{}`); !strings.Contains(got, "initialize comes first") {
		t.Errorf("before initialize: %s", got)
	}
	got := e.call("initialize", `{"protocolVersion":2,"clientCapabilities":{"fs":{"readTextFile":true}},"clientInfo":{"name":"zed","version":"1"}}`)
	for _, want := range []string{`"protocolVersion":1`, `"loadSession":true`, `"image":true`, `"authMethods":[]`} {
		if !strings.Contains(got, want) {
			t.Errorf("initialize answered %s without %s", got, want)
		}
	}
	for method, want := range map[string]string{
		"nonsense":       "not found",
		"session/prompt": "not open here",
		"session/load":   "not an absolute path",
	} {
		if got := e.call(method, `{"sessionId":"sketch-7","cwd":"relative"}`); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
	if got := e.call("session/new", `{"cwd":"/","mcpServers":[]}`); !strings.Contains(got, "not a git repository. Make one.") {
		t.Errorf("an error of the backend: %s", got)
	}
	if got := e.call("session/new", `[1`+`]`); !strings.Contains(got, "not valid") {
		t.Errorf("wrong parameters: %s", got)
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.play = func(b *backend, p jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentThinking, "")
		b.say(jsonrpc.Message{ID: "u", Kind: jsonrpc.MessageUser, Text: p.Text, Done: true})
		b.say(jsonrpc.Message{ID: "a", Kind: jsonrpc.MessageAssistant, Thinking: "hm", Text: "I will ", Turn: turn})
		b.say(jsonrpc.Message{ID: "t", Kind: jsonrpc.MessageTool, Done: true, Tool: &jsonrpc.ToolCall{
			Name: "patch", Title: "edit login.go", State: jsonrpc.ToolDone, Output: "ok", Input: json.RawMessage(`{"path":"login.go"}`),
			Diff: "--- a/login.go\n+++ b/login.go\n@@ -1,2 +1,2 @@\n package shop\n-old\n+new\n",
		}})
		b.say(jsonrpc.Message{ID: "b", Kind: jsonrpc.MessageAssistant, Text: "Done.", Done: true})
		b.server.AgentChanged(jsonrpc.AgentStatus{
			Session: "sketch-1", Turn: turn, State: jsonrpc.AgentIdle, Outcome: jsonrpc.TurnDone, ContextUsed: 10, ContextSize: 100,
			Todo: []jsonrpc.TodoItem{{ID: "1", Text: "fix", Status: jsonrpc.TodoActive}}, Usage: jsonrpc.Usage{Dollars: 0.5, Priced: true},
		})
	}
	prompt := `{"sessionId":"sketch-1","prompt":[{"type":"text","text":"fix "},{"type":"resource_link","name":"x","uri":"file:///home/ada/shop/login.go"},` +
		`{"type":"resource","resource":{"uri":"file:///home/ada/shop/a/b.go","text":"code"}},{"type":"image","mimeType":"image/png","data":"aGk="}]}`
	if got := e.call("session/prompt", prompt); got != endTurn {
		t.Errorf("session/prompt: %s", got)
	}
	e.expect(
		`{"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"hm"},"messageId":"a"}`,
		`{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"I will "},"messageId":"a"}`,
		`{"sessionUpdate":"tool_call","toolCallId":"t","title":"edit login.go","kind":"edit","status":"completed","content":[{"type":"diff","path":"/home/ada/shop/login.go","oldText":"package shop\nold\n","newText":"package shop\nnew\n"}`,
		`"text":"Done."`,
		`{"sessionUpdate":"plan","entries":[{"content":"fix","priority":"medium","status":"in_progress"}]}`,
		`{"sessionUpdate":"usage_update","used":10,"size":100,"cost":{"amount":0.5,"currency":"USD"}}`,
	)
	want := `prompt {"session":"sketch-1","text":"fix @login.go","images":[{"mimeType":"image/png","data":"aGk="}],"context":[{"path":"a/b.go","text":"code"}]}`
	if !e.called(want) {
		t.Errorf("calls: %v", e.calls)
	}
}

func TestStreamedText(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	sent := make(chan struct{})
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		for _, text := range []string{"one", "one two", "one two three"} {
			b.say(jsonrpc.Message{ID: "a", Kind: jsonrpc.MessageAssistant, Text: text})
			<-sent
		}
		b.say(jsonrpc.Message{ID: "n", Kind: jsonrpc.MessageNotice, Done: true, Error: &jsonrpc.ErrorData{Message: "overloaded", Hint: "Wait."}})
		b.server.AgentChanged(jsonrpc.AgentStatus{
			Session: "sketch-1", Turn: turn, State: jsonrpc.AgentIdle, Outcome: jsonrpc.TurnFailed, Error: &jsonrpc.ErrorData{Kind: jsonrpc.KindModel, Message: "overloaded"},
		})
	}
	answered := make(chan string, 1)
	go func() {
		answered <- e.prompt("hi")
	}() // waited for below
	for _, want := range []string{`"text":"one"`, `"text":" two"`, `"text":" three"`} {
		e.expect(want)
		sent <- struct{}{}
	}
	e.expect(`overloaded Wait.`)
	if got := <-answered; !strings.Contains(got, "overloaded") {
		t.Errorf("session/prompt: %s", got)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	begun := e.thinks()
	go func() { // ends at once
		<-begun
		e.notify("session/cancel", sessionRequest{SessionID: "sketch-1"})
	}()
	if got := e.prompt("hi"); got != cancelledTurn {
		t.Errorf("session/prompt: %s", got)
	}
}

// Who cancels at once means the prompt that was just sent, although its turn has not begun.
func TestCancelTooEarly(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.before = func() {
		e.notify("session/cancel", sessionRequest{SessionID: "sketch-1"})
		<-e.cancelled // it has found nothing to cancel
	}
	e.play = func(*backend, jsonrpc.PromptParams, int) {} // it goes on until it is cancelled
	if got := e.prompt("hi"); got != cancelledTurn {
		t.Errorf("session/prompt: %s", got)
	}
	e.before = nil
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentIdle, jsonrpc.TurnDone)
	}
	if got := e.prompt("hi"); got != endTurn {
		t.Errorf("the next prompt: %s", got)
	}
}

// A prompt ends with its session, of which nothing is told any more.
func TestCloseInATurn(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	begun := e.thinks()
	closed := make(chan string, 1)
	go func() { // waited for below
		<-begun
		closed <- e.call("session/close", `{"sessionId":"sketch-1"}`)
	}()
	if got := e.prompt("hi"); got != cancelledTurn {
		t.Errorf("session/prompt: %s", got)
	}
	if got := <-closed; got != `{}` {
		t.Errorf("session/close: %s", got)
	}
}

// A request that is cancelled by its id ends with its turn.
func TestCancelRequest(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentThinking, "")
		for id := range 10 { // the editor's ids count from 1
			e.notify("$/cancel_request", map[string]int{"requestId": id})
		}
	}
	if got := e.prompt("hi"); !strings.Contains(got, "was cancelled") {
		t.Errorf("session/prompt: %s", got)
	}
	if !e.called(`cancel {"session":"sketch-1"}`) {
		t.Error("the turn goes on")
	}
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.choose = "1"
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentAsking, "")
		b.say(jsonrpc.Message{ID: "q", Kind: jsonrpc.MessageQuestion, Question: &jsonrpc.Question{Text: "Which?", Options: []string{"MySQL", "PostgreSQL"}}})
		first := <-b.answers
		b.say(jsonrpc.Message{ID: "q", Kind: jsonrpc.MessageQuestion, Done: true, Question: &jsonrpc.Question{Text: "Which?", Answered: true, Answer: first}})
		b.say(jsonrpc.Message{ID: "r", Kind: jsonrpc.MessageQuestion, Question: &jsonrpc.Question{Text: "What name?"}})
		second := <-b.answers
		b.say(jsonrpc.Message{ID: "r", Kind: jsonrpc.MessageQuestion, Done: true, Question: &jsonrpc.Question{Answered: true, Answer: second}})
		b.say(jsonrpc.Message{ID: "a", Kind: jsonrpc.MessageAssistant, Text: first + " " + second, Done: true})
		b.status(turn, jsonrpc.AgentIdle, jsonrpc.TurnDone)
	}
	if got := e.prompt("hi"); got != endTurn {
		t.Errorf("until the question: %s", got)
	}
	e.expect(`"tool_call","toolCallId":"q","title":"Which?","kind":"other","status":"pending"`)
	e.expectInAnyOrder("session/request_permission", `"status":"completed","content":[{"type":"content","content":{"type":"text","text":"Which?\n\n\u003e PostgreSQL"}}]`, "What name?")
	if got := e.prompt(" shop "); got != endTurn {
		t.Errorf("the answer: %s", got)
	}
	e.expect("PostgreSQL shop")
}

// A question that another window answers is taken back, and what came of it is told.
func TestQuestionAnsweredElsewhere(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.ignores = true
	asked := jsonrpc.Message{ID: "q", Kind: jsonrpc.MessageQuestion, Question: &jsonrpc.Question{Text: "Which?", Options: []string{"MySQL", "PostgreSQL"}}}
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentAsking, "")
		b.say(asked)
	}
	answered := make(chan string, 1)
	go func() { answered <- e.prompt("hi") }() // waited for below
	e.expect(`"tool_call","toolCallId":"q"`, "session/request_permission")
	settled := asked
	settled.Done, settled.Question = true, &jsonrpc.Question{Text: "Which?", Answered: true, Answer: "MySQL"}
	e.say(settled)
	e.expectInAnyOrder(`$/cancel_request {"requestId":1}`,
		`"tool_call_update","toolCallId":"q","title":"Which?","kind":"other","status":"completed","content":[{"type":"content","content":{"type":"text","text":"Which?\n\n\u003e MySQL"}}]`)
	e.status(1, jsonrpc.AgentIdle, jsonrpc.TurnDone)
	if got := <-answered; got != endTurn {
		t.Errorf("session/prompt: %s", got)
	}
	if e.called("answer") {
		t.Error("a question that was taken back was answered")
	}
}

// An editor that does not know how to take questions back is not heaped with them.
func TestWithdrawnQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.ignores = true
	for i := range maxWithdrawn + 1 {
		asked := jsonrpc.Message{ID: strconv.Itoa(i), Kind: jsonrpc.MessageQuestion, Question: &jsonrpc.Question{Text: "Which?", Options: []string{"this"}}}
		e.say(asked)
		if i == maxWithdrawn {
			e.expect(`{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"\n\nWhich?\n\n"}`)
			return
		}
		e.expect(`"tool_call"`, "session/request_permission")
		asked.Done, asked.Question = true, &jsonrpc.Question{Text: "Which?", Answered: true} // its turn is over
		e.say(asked)
		e.expectInAnyOrder("$/cancel_request", `"status":"failed"`)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	e.messages = []jsonrpc.Message{
		{ID: "u", Kind: jsonrpc.MessageUser, Text: "hello", Done: true}, {ID: "a", Kind: jsonrpc.MessageAssistant, Text: "hi there", Done: true},
	}
	e.call("initialize", `{"protocolVersion":1}`)
	got := e.call("session/list", `{"cwd":"/home/ada/shop/sub"}`)
	if want := `{"sessions":[{"sessionId":"sketch-1","cwd":"/home/ada/shop","title":"sketch/fix","updatedAt":"0001-01-01T00:00:00Z"}]}`; got != want {
		t.Error(cmp.Diff(want, got))
	}
	got = e.call("session/load", `{"sessionId":"sketch-1","cwd":"/home/ada/shop","mcpServers":[{"name":"x"}]}`)
	if !strings.Contains(got, `"currentValue":"opus"`) {
		t.Errorf("session/load: %s", got)
	}
	e.expect(`{"sessionUpdate":"user_message_chunk","content":{"type":"text","text":"hello"}`, `"text":"hi there"`)
	e.call("session/load", `{"sessionId":"sketch-1","cwd":"/home/ada/shop","mcpServers":[]}`) // an editor that has shown another one meanwhile
	e.expect(`{"sessionUpdate":"user_message_chunk","content":{"type":"text","text":"hello"}`, `"text":"hi there"`)
	if got = e.call("session/set_config_option", `{"sessionId":"sketch-1","configId":"model","value":"local"}`); !strings.Contains(got, `"currentValue":"local"`) {
		t.Errorf("the model: %s", got)
	}
	if got = e.call("session/set_config_option", `{"sessionId":"sketch-1","configId":"model","value":"other"}`); !strings.Contains(got, "has no value") {
		t.Errorf("an unknown model: %s", got)
	}
	// Somebody has talked there, so that a new conversation needs a container of its own.
	if got = e.call("session/new", `{"cwd":"/home/ada/shop","mcpServers":[]}`); !strings.Contains(got, `"sessionId":"sketch-2"`) {
		t.Errorf("session/new: %s", got)
	}
	if got = e.call("session/close", `{"sessionId":"sketch-2"}`); got != `{}` || !e.called(`cancel {"session":"sketch-2"}`) {
		t.Errorf("session/close: %s", got)
	}
	if got = e.call("session/prompt", `{"sessionId":"sketch-2","prompt":[{"type":"text","text":"x"}]}`); !strings.Contains(got, "not open") {
		t.Errorf("a closed session: %s", got)
	}
}

func TestCommandsAndRemarks(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	for command, want := range map[string]string{"/ports": "- 3000: http://localhost:3000 (vite)", "/ssh": "ssh sketch-1", "/branch": "Nothing was committed"} {
		if got := e.prompt(command); got != endTurn {
			t.Errorf("%s: %s", command, got)
		}
		e.expect(want)
	}
	port := jsonrpc.Port{Number: 3000, HostPort: 3001, URL: "http://localhost:3001", Status: jsonrpc.PortForwarded, Reason: "3000 is in use"}
	e.server.PortsChanged("sketch-1", true, []jsonrpc.Port{port})
	e.server.PortsChanged("sketch-9", true, []jsonrpc.Port{port}) // of a session that is not open here
	e.expect(`_sketch/ports {"session":"sketch-1"`)
	e.server.BranchChanged(jsonrpc.Branch{Session: "sketch-1", Name: "sketch/fix", Exists: true, Commit: "c", Ahead: 1, Subject: "fix it"})
	e.expect(`_sketch/branch {"session":"sketch-1"`)
	two := jsonrpc.OtherBranch{Inside: "try/two", Name: "sketch/fix--try-two", Commit: "0123456789abcdef"}
	for _, others := range [][]jsonrpc.OtherBranch{{two}, {two, {Inside: "try/three"}}} {
		e.server.BranchChanged(jsonrpc.Branch{Session: "sketch-1", Name: "sketch/fix", Exists: true, Commit: "c", Ahead: 1, Subject: "fix it", Others: others})
		e.expect(`_sketch/branch {"session":"sketch-1"`)
	}
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentIdle, jsonrpc.TurnDone)
	}
	e.prompt("go on")
	e.expect("Port 3000 forwarded to 3001 (3000 in use): http://localhost:3001", "sketch/fix is on this machine now, 1 commit: fix it", "sketch/fix--try-two is on this machine now, at 0123456789")
	e.prompt("/branch")
	e.expect("- sketch/fix: 1 commit since , the latest: fix it\\n- sketch/fix--try-two (`try/two` inside)\"")
}

// Clients that do not know of them tell their users of notifications that begin with an underscore as of errors.
func TestExtensionsAreForThoseWhoTakeThem(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	e.call("initialize", `{"protocolVersion":1,"clientCapabilities":{"_meta":{"other":{},"sketch":null}}}`)
	e.call("session/new", `{"cwd":"/home/ada/shop","mcpServers":[]}`)
	e.server.BranchChanged(jsonrpc.Branch{Session: "sketch-1", Name: "sketch/fix", Exists: true, Commit: "c", Ahead: 1, Subject: "fix it"})
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.say(jsonrpc.Message{ID: "n", Kind: jsonrpc.MessageNotice, Done: true, Text: "overloaded", Error: &jsonrpc.ErrorData{Message: "overloaded", Hint: "Wait."}})
		b.status(turn, jsonrpc.AgentIdle, jsonrpc.TurnDone)
	}
	e.prompt("go on")
	e.expectInAnyOrder(`"text":"\n\n\u003e overloaded\n\u003e Wait.\n\n"`, "sketch/fix is on this machine now")
}

func TestSessionEndsInATurn(t *testing.T) {
	t.Parallel()
	e := openEditor(t)
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentThinking, "")
		b.server.SessionChanged(jsonrpc.Session{Name: "sketch-1", State: jsonrpc.SessionStopped, Error: &jsonrpc.ErrorData{Hint: "Start it again."}})
	}
	if got := e.prompt("hi"); !strings.Contains(got, "sketch-1 is stopped. Start it again.") {
		t.Errorf("session/prompt: %s", got)
	}
}

// What waits for an editor that does not read is bounded, and nobody who waits for its end is forgotten.
func TestNewsIsBounded(t *testing.T) {
	t.Parallel()
	n := newNews()
	waited := make(barrier)
	n.post(keyBarrier+"1", "s", waited)
	large := strings.Repeat("x", 1<<20)
	for i := range 100 {
		n.post("message "+strconv.Itoa(i), "s", jsonrpc.Message{ID: strconv.Itoa(i), Text: large})
	}
	n.post("message 99", "s", jsonrpc.Message{ID: "99", Text: "short now"})
	if n.bytes > maxNewsBytes || n.bytes < maxNewsBytes/2 {
		t.Errorf("%d bytes wait", n.bytes)
	}
	for i := range 2 * maxNews {
		n.post("message "+strconv.Itoa(i), "s", jsonrpc.Message{})
	}
	taken := n.take()
	if len(taken) > maxNews || taken[0].value != waited {
		t.Errorf("%d items wait, the first is %v", len(taken), taken[0].key)
	}
	if n.bytes != 0 {
		t.Errorf("%d bytes are left", n.bytes)
	}
}

func TestForeignPathsAndManyMessages(t *testing.T) {
	t.Parallel()
	x := NewServer(Config{Backend: newBackend()}).adopt(jsonrpc.Session{Name: "s", Folder: "/home/ada/shop", Workspace: "/workspaces/shop"})
	for name, want := range map[string]string{
		"a.go": "/home/ada/shop/a.go", "/workspaces/shop/b/c.go": "/home/ada/shop/b/c.go", "../../x": "/home/ada/shop/x", "/home/ada/.bashrc": "",
	} {
		if got, ok := x.hostPath(name); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v", name, got, ok)
		}
	}
	for i := range 2 * maxSent {
		x.remember(strconv.Itoa(i)).done = true
	}
	if len(x.sent) != maxSent || len(x.order) != maxSent || !x.remember(strconv.Itoa(2*maxSent-1)).done {
		t.Errorf("%d messages are remembered", len(x.sent))
	}
	if nothing := func() {}; !x.mayAsk("q", nothing) || x.mayAsk("r", nothing) {
		t.Error("two questions at once")
	}
}

func TestEndlessLine(t *testing.T) {
	t.Parallel()
	l := &lines{Reader: strings.NewReader(strings.Repeat("x", maxLine+1))}
	if err := NewServer(Config{Backend: newBackend()}).Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "32 MiB") {
		t.Errorf("Serve: %v", err)
	}
}

func FuzzDiffFiles(f *testing.F) {
	f.Add("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/y\n+++ /dev/null\n@@ -1 +0,0 @@\n-z\n")
	f.Fuzz(func(t *testing.T, diff string) {
		for _, file := range diffFiles(diff) {
			if len(file.new) > len(diff) {
				t.Error("more text than there was")
			}
		}
	})
}

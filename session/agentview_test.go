package session

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/gateway"
)

type freeLedger struct{ balance gateway.Balance }

func (l *freeLedger) Update(change func(*gateway.Balance)) (gateway.Balance, error) {
	change(&l.balance)
	return l.balance, nil
}

// The container is told what kind of failure there was, and the user where.
func TestTheUserIsToldTheWhole(t *testing.T) {
	t.Parallel()
	g := gateway.New(gateway.Config{Getenv: func(string) string { return "" }})
	g.Configure(gateway.Settings{Models: []gateway.Model{{Name: "m", Provider: gateway.Anthropic, Model: "claude-x", APIKeyEnv: "MY_SECRET_VARIABLE"}}})
	part := &agentPart{account: g.Account(gateway.AccountConfig{Ledger: &freeLedger{}}), known: true}
	server := httptest.NewServer(part.account)
	defer server.Close()
	res, err := server.Client().Post(server.URL+"/anthropic/v1/messages", "application/json", strings.NewReader(`{"model":"claude-x"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusUnauthorized || strings.Contains(string(text), "VARIABLE") {
		t.Fatalf("the container is told %v %s %s", err, res.Status, text)
	}
	for kind, want := range map[string]bool{"noModel": true, "cancelled": false} {
		part.status.Error = &conversation.Problem{Kind: kind, Message: "there is no key for m", Hint: "Look."}
		status, known := part.view()
		if whole := strings.Contains(status.Error.Message, "MY_SECRET_VARIABLE"); !known || whole != want || status.Error.Hint != "Look." {
			t.Errorf("%s: the user is told %+v", kind, status.Error)
		}
	}
	if strings.Contains(part.status.Error.Message, "VARIABLE") {
		t.Error("what the container said was changed in place")
	}
}

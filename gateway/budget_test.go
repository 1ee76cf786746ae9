package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestBudgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"loop": true, "steps": [{"reply": [{"text": "a"}], "usage": {"input": 100, "output": 100}}]}`, func(s *Settings) {
		s.Budget.Turn = Limit{Tokens: 300}
	})
	ask := func(turn int) (int, string) {
		status, text, _ := w.answer(messages, claudeHi, HeaderTurn, fmt.Sprint(turn))
		return status, text
	}
	prompt := func() {
		if err := w.account.Prompting(); err != nil {
			t.Fatal(err)
		}
	}
	prompt()
	for i := range 2 {
		if status, text := ask(1); status != http.StatusOK {
			t.Fatalf("call %d: %s", i, text)
		}
	}
	if status, text := ask(1); status != http.StatusPaymentRequired || !strings.Contains(text, "budget of the turn is used up: 400 tokens of 300") {
		t.Errorf("over the turn's budget: %d %s", status, text)
	}
	if status, text, _ := w.answer(messages, claudeHi); status != http.StatusPaymentRequired {
		t.Errorf("another program, which names no turn: %d %s", status, text)
	}
	if status, text := ask(7); status != http.StatusPaymentRequired {
		t.Errorf("the container gave itself another turn: %d %s", status, text)
	}
	prompt()
	if status, text := ask(2); status != http.StatusOK {
		t.Errorf("after a prompt: %d %s", status, text)
	}
	w.ledger.mu.Lock()
	w.ledger.err = errors.New("disk full")
	w.ledger.mu.Unlock()
	if status, text := ask(2); status == http.StatusOK {
		t.Errorf("a call that cannot be counted was made: %s", text)
	}
}

func TestSessionBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"loop": true, "steps": [{"reply": [{"text": "a"}], "usage": {"input": 100, "output": 100}}]}`, func(s *Settings) {
		s.Budget.Session = Limit{Dollars: 0.0018} // what one call costs
	})
	if status, text, _ := w.answer(messages, claudeHi); status != http.StatusOK {
		t.Fatal(text)
	}
	status, text, header := w.answer(messages, claudeHi)
	if status != http.StatusPaymentRequired || header.Get(HeaderError) != "budget" || !strings.Contains(text, "session is used up: $0.0018 of $0.0018") {
		t.Errorf("%d %s", status, text)
	}
	if n := len(w.llm.Requests()); n != 1 {
		t.Errorf("%d requests were paid", n)
	}
}

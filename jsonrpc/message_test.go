package jsonrpc

import (
	"encoding/json"
	"testing"

	"go.lsp.dev/jsonrpc2"
)

// TestSalvage checks that an answer that is not by the letter still ends the call that waits for it.
func TestSalvage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		result     string
		failure    string
	}{
		{"null error beside a result", `{"jsonrpc":"2.0","id":1,"result":{"title":"x"},"error":null}`, `{"title":"x"}`, ""},
		{"null result beside an error", `{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":1,"message":"m"}}`, "", "m"},
		{"text as error", `{"jsonrpc":"2.0","id":1,"error":"went wrong"}`, "", `"went wrong"`},
		{"fraction as code", `{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"m"}}`, "", "m"},
		{"no version", `{"id":1,"result":7}`, "7", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			message, refusal := decodeMessage([]byte(tt.body))
			answer, ok := message.(*jsonrpc2.Response)
			if refusal != nil || !ok {
				t.Fatalf("decodeMessage() = %v, %v", message, refusal)
			}
			if got := string(answer.Result()); got != tt.result {
				t.Errorf("result = %q, want %q", got, tt.result)
			}
			if err := answer.Err(); (err != nil) != (tt.failure != "") || (err != nil && err.Error() != tt.failure) {
				t.Errorf("error = %v, want %q", err, tt.failure)
			}
		})
	}
}

// FuzzMessage checks that a frame is either a message, or answered with JSON.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"m","params":[]}`, `{"jsonrpc":"2.0","method":"m"}`, `{"jsonrpc":"2.0","id":"a","result":null}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m","data":{}}}`, `[{}]`, `{"id":9007199254740993}`, `{"id":1,"error":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		message, refusal := decodeMessage(body)
		if (message == nil) == (refusal == nil) {
			t.Fatalf("decodeMessage() = %v, %v", message, refusal)
		}
		if refusal != nil {
			if answer := jsonrpc2.AppendMessage(nil, refusal); !json.Valid(answer) {
				t.Fatalf("answer %q", answer)
			}
		}
	})
}

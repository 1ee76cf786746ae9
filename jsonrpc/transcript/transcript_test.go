package transcript

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a peer that answers with what it was told.
type echo struct {
	events Events
	wants  []Expectation
}

func (e *echo) Send(bytes []byte) error {
	answer, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "echo", "params": string(bytes)})
	e.events.Messages = append(e.events.Messages, answer)
	return err
}

func (e *echo) CloseInput() error {
	e.events.Exit = "code 0"
	return nil
}

func (e *echo) Directive(line string) error {
	if line == "fail" {
		return errors.New("failed")
	}
	e.events.Calls = append(e.events.Calls, line)
	return nil
}

func (e *echo) Settle(want Expectation) Events {
	events := e.events
	e.events = Events{}
	e.wants = append(e.wants, want)
	return events
}

const happened = `Comment.

-- editor --
raw "a<b\r\n"
{"id":1}
-- server --
{"method":"echo","params":"a<b\r\n"}
{"method":"echo","params":"Content-Length: 24\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1}"}
-- backend --
call
-- calls --
call
-- editor --
eof
-- exit --
code 0
`

func TestReplay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		want       string
		wants      []Expectation
	}{
		{"right", happened, happened, []Expectation{{Messages: 2}, {}, {Exit: true}}},
		{
			"golden sections are made", "Comment.\n\n-- editor --\nraw \"a<b\\r\\n\"\n{\"id\":1}\n-- backend --\ncall\n-- calls --\nwrong\n-- editor --\neof\n",
			happened,
			[]Expectation{{}, {}, {}},
		},
		{"nothing", "Comment.\n", "Comment.\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			peer := new(echo)
			got, err := Replay([]byte(tt.file), peer)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.wants, peer.wants); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReplayFails(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"-- backend --\nfail\n", "-- unknown --\nx\n", "-- editor --\nraw \"\n"} {
		if _, err := Replay([]byte(file), new(echo)); err == nil {
			t.Errorf("%q did not fail", file)
		}
	}
}

func TestNeedsBackend(t *testing.T) {
	t.Parallel()
	if !NeedsBackend([]byte(happened)) || NeedsBackend([]byte("-- editor --\neof\n-- exit --\ncode 1\n")) {
		t.Error("NeedsBackend is wrong")
	}
}

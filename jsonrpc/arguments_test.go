package jsonrpc

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzArguments checks that whatever an editor sends as arguments is decoded within bounds, or is an error of the
// arguments. The shapes that are understood are in testdata/transcripts/arguments.txtar.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`[{"port":3000,"hostPort":3001}]`, `["3000"]`, `3000`, `null`, `[]`, `[[]]`, `[{"port":null}]`, `{"port":1e3}`, `[1e400]`,
		`[{"folder":"file:///a%20b"}]`, `[true,"x"]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var forward ForwardParams
		err := decodeArguments(json.RawMessage(raw), []string{"port", "hostPort", "session"}, &forward)
		if err == nil && (forward.Port < 1 || forward.Port > 65535 || forward.HostPort < 0 || forward.HostPort > 65535) {
			t.Fatalf("%q gives %+v", raw, forward)
		}
		for _, params := range []any{&forward, new(StartParams), new(LogsParams), new(PruneParams), new(nothing)} {
			err := decodeArguments(json.RawMessage(raw), []string{"folder", "lines", "dryRun"}, params)
			if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Kind != KindArguments) {
				t.Fatalf("%q: %v", raw, err)
			}
		}
	})
}

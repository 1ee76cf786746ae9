package gateway

import (
	"errors"
	"io"
	"net/http"
	"testing"
)

// An answer may begin before net/http has read the end of the request, and even before it has read all of it.
func TestPayloadThatIsDropped(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]int{"all was read": 8, "half was read": 4} {
		p := newPayload([]byte("question"))
		r, err := http.NewRequest(http.MethodPost, "http://localhost", nil)
		if err != nil {
			t.Fatal(err)
		}
		p.attach(r)
		first := make([]byte, before)
		if _, err := io.ReadFull(r.Body, first); err != nil {
			t.Fatal(err)
		}
		p.drop()
		rest, err := io.ReadAll(r.Body)
		if got := string(first) + string(rest); err != nil || got != "question" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if p.data != nil {
			t.Errorf("%s: the bytes are kept", name)
		}
		again, err := r.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(again); !errors.Is(err, errDropped) {
			t.Errorf("%s: once more: %v", name, err)
		}
	}
}

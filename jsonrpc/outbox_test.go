package jsonrpc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOutboxOverflow checks what is given up when too much waits: the oldest message; never state, never progress.
func TestOutboxOverflow(t *testing.T) {
	t.Parallel()
	out := newOutbox()
	out.post(event{method: "begin", keep: true})
	out.post(event{key: "a", method: "state", params: 1})
	lost := 0
	for i := range 2 * maxEvents {
		out.post(event{method: "log", params: i, sent: func() { lost++ }})
	}
	out.post(event{key: "a", method: "state", params: 2})
	var got []string
	dropped := 0
	for {
		e, n, ok := out.pop()
		if !ok {
			break
		}
		dropped += n
		got = append(got, fmt.Sprint(e.method, e.params))
	}
	if len(got) != maxEvents || dropped != maxEvents+2 || lost != dropped {
		t.Errorf("%d events, %d dropped, %d settled", len(got), dropped, lost)
	}
	if diff := cmp.Diff([]string{"begin<nil>", "state2", fmt.Sprint("log", maxEvents+2)}, got[:3]); diff != "" {
		t.Error(diff)
	}
}

// TestOutboxOfStates checks that even an absurd number of sessions does not grow memory.
func TestOutboxOfStates(t *testing.T) {
	t.Parallel()
	out := newOutbox()
	for i := range 2 * maxEvents {
		out.post(event{key: fmt.Sprint(i), method: "state"})
	}
	if got := len(out.queue); got != maxEvents {
		t.Errorf("%d events wait", got)
	}
}

// TestOutboxOfBytes checks that messages which are few and large do not grow memory, also when they grow while they wait.
func TestOutboxOfBytes(t *testing.T) {
	t.Parallel()
	out := newOutbox()
	out.post(event{key: "a", method: "state"})
	text := strings.Repeat("x", maxEventBytes/8)
	message := func(i int, text string) event {
		return event{key: fmt.Sprint(i), method: "message", params: MessageNotification{Message: Message{Seq: int64(i), Text: text}}}
	}
	for i := range 20 {
		out.post(message(i, text))
	}
	if n := len(out.queue); n != 1+8 || out.queue[0].method != "state" || out.dropped != 12 {
		t.Errorf("%d events wait, %d dropped", n, out.dropped)
	}
	out.post(message(19, text+text))
	if n := len(out.queue); n != 1+7 || out.queue[n-1].key != "19" || out.dropped != 13 {
		t.Errorf("%d events wait after one has grown, %d dropped", n, out.dropped)
	}
}

func TestOutboxShut(t *testing.T) {
	t.Parallel()
	out := newOutbox()
	settled := 0
	count := func() { settled++ }
	out.post(event{method: "before", sent: count})
	out.shut()
	out.post(event{method: "after", sent: count})
	if _, _, ok := out.pop(); ok || settled != 2 {
		t.Errorf("pop() = %v, %d settled", ok, settled)
	}
}

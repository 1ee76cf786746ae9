package jsonrpc

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// toasterConfig configures a [toaster].
type toasterConfig struct {
	Tell func(portToast) // shows a message; called from Run's goroutine, must not block
	// Act opens a browser or a preview because onAutoForward says so, and Acts says for which actions that can be done
	// here; for others, and when too much is opened, a toast is shown. Both are called from Run's goroutine and must not block; nil: for none.
	Act  func(session string, port Port)
	Acts func(PortAction) bool

	Settle   time.Duration // a toast waits until nothing has changed for so long; default 75 ms
	Window   time.Duration // but not longer than this after its first port; default 200 ms
	Cooldown time.Duration // least time between two toasts of a session; default 5 s
}

// toaster turns the changing state of ports into few toasts: one for a burst, once each time that a port opens, none
// when a port closes or its server restarts. The editor's server and the terminal front end each have one.
type toaster struct {
	cfg    toasterConfig
	timing toastTiming
	wake   chan struct{} // buffered, 1: states has something
	opens  []time.Time   // when something was opened, within openWindow; of Run's goroutine

	mu     sync.Mutex
	states []toastState // guarded by mu: the latest state of each session that Run has not yet seen, at most one each
}

type toastState struct {
	session string
	owner   bool
	ports   []Port
	ended   bool // the session is over
	rests   bool // its container does not run
}

// newToaster returns a toaster; Run makes it work.
func newToaster(cfg toasterConfig) *toaster {
	return &toaster{
		cfg: cfg,
		timing: toastTiming{
			settle:   cmp.Or(cfg.Settle, 75*time.Millisecond),
			window:   cmp.Or(cfg.Window, 200*time.Millisecond),
			cooldown: cmp.Or(cfg.Cooldown, 5*time.Second),
		},
		wake: make(chan struct{}, 1),
	}
}

// Observe takes the full state of a session's ports; only the owner of a session tells. It never blocks; of states that
// come faster than Run sees them, the latest counts. The toaster keeps ports; the caller must not change them.
func (t *toaster) Observe(session string, owner bool, ports []Port) {
	t.put(toastState{session: session, owner: owner, ports: ports})
}

// Forget drops what is known of a session that has ended.
func (t *toaster) Forget(session string) { t.put(toastState{session: session, ended: true}) }

// Rest drops what is known of the ports of a session whose container does not run. What is done once in a session stays
// done.
func (t *toaster) Rest(session string) { t.put(toastState{session: session, rests: true}) }

func (t *toaster) put(state toastState) {
	t.mu.Lock()
	same := func(s toastState) bool { return s.session == state.session }
	if i := slices.IndexFunc(t.states, same); i >= 0 {
		t.states[i] = state
	} else {
		t.states = append(t.states, state)
	}
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *toaster) take() []toastState {
	t.mu.Lock()
	defer t.mu.Unlock()
	states := t.states
	t.states = nil
	return states
}

// Run tells until ctx ends. What is not yet due by then is not told.
func (t *toaster) Run(ctx context.Context) error {
	batches := make(map[string]*toastBatch)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.wake:
			for _, state := range t.take() {
				t.observe(batches, state)
			}
		case <-timer.C:
		}
		if next, ok := t.tell(batches); ok {
			timer.Reset(time.Until(next))
		}
	}
}

func (t *toaster) observe(batches map[string]*toastBatch, state toastState) {
	batch := batches[state.session]
	switch {
	case state.ended:
		delete(batches, state.session)
		return
	case batch == nil:
		batch = newToastBatch(state.session, t.timing)
	case state.rests:
		batch = batch.rested()
	}
	batches[state.session] = batch
	ports := make([]Port, len(state.ports))
	for i, port := range state.ports {
		ports[i] = t.possible(port)
	}
	for _, port := range batch.observe(time.Now(), state.owner, ports, t.mayOpen) {
		t.cfg.Act(state.session, port)
	}
}

// The repository decides by onAutoForward what is opened, and what runs inside decides how often. So nothing is opened more
// often than maxOpens times within openWindow, in all sessions of a window together; the rest gets toasts.
const (
	maxOpens   = 3
	openWindow = time.Minute
)

// mayOpen reports whether something may be opened now, and counts it if so.
func (t *toaster) mayOpen() bool {
	now := time.Now()
	t.opens = slices.DeleteFunc(t.opens, func(at time.Time) bool { return now.Sub(at) >= openWindow })
	if len(t.opens) >= maxOpens {
		return false
	}
	t.opens = append(t.opens, now)
	return true
}

// possible replaces an action that nobody here can do by a toast.
func (t *toaster) possible(port Port) Port {
	if isSpecial(port.Action) && (t.cfg.Acts == nil || !t.cfg.Acts(port.Action)) {
		port.Action = ActionNotify
	}
	return port
}

// tell tells what is due and returns when the next toast is.
func (t *toaster) tell(batches map[string]*toastBatch) (next time.Time, ok bool) {
	for _, batch := range batches {
		for _, toast := range batch.tell(time.Now()) {
			t.cfg.Tell(toast)
		}
		if at, due := batch.due(); due && (!ok || at.Before(next)) {
			next, ok = at, true
		}
	}
	return next, ok
}

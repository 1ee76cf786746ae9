package jsonrpc

import (
	"slices"
	"time"
)

// portToast is one message about ports.
type portToast struct {
	Session string
	Level   Level  // LevelInfo, or LevelWarning for failures
	Text    string // one line of at most 60 characters
	Ports   []Port // what it is about, in the order in which the text names them
}

// toastBatch decides for one session which toast is due, and when. It knows no clock and no goroutine. It is driven by
// full states: what is new is found by comparing with what was told, so that repeated states change nothing.
type toastBatch struct {
	timing  toastTiming
	session string

	ports     []Port         // the latest state
	forwarded map[int]uint64 // port -> generation of which it was told that it is forwarded
	failed    map[int]uint64 // port -> generation of which it was told that it could not be
	listed    map[int]uint64 // port -> generation of which it was told that the limit keeps it from being forwarded
	opened    map[int]bool   // ports for which a browser or a preview was opened; kept while the session is
	capped    map[int]uint64 // port -> generation that is told by a toast, because too much was opened
	fresh     []Port         // new in the latest state, not yet told
	since     time.Time      // when fresh became non-empty
	changed   time.Time      // when fresh last changed
	quiet     time.Time      // no toast before
}

// toastTiming is when a toast is told: when nothing has changed for settle (so that a lone port is told soon, but with
// the name of its process, which is found a moment later), at the latest when window has passed since the first port (so
// that a burst cannot put it off), and not within cooldown of the toast before.
type toastTiming struct{ settle, window, cooldown time.Duration }

func newToastBatch(session string, timing toastTiming) *toastBatch {
	return &toastBatch{
		timing: timing, session: session,
		forwarded: make(map[int]uint64), failed: make(map[int]uint64), listed: make(map[int]uint64), opened: make(map[int]bool), capped: make(map[int]uint64),
	}
}

// rested is the batch of a session whose container runs again: it knows nothing of ports but what was opened.
func (b *toastBatch) rested() *toastBatch {
	fresh := newToastBatch(b.session, b.timing)
	fresh.opened = b.opened
	return fresh
}

// observe takes the full state. It returns the ports whose own action is due at once, each of which allow has granted; one
// that it does not grant gets a toast. A window that does not own the session tells nothing, and when it becomes the owner
// it does not tell what is already there.
func (b *toastBatch) observe(now time.Time, owner bool, ports []Port, allow func() bool) (actions []Port) {
	b.ports = ports
	for _, port := range ports {
		switch {
		case !b.isNew(port):
		case !owner || port.Action == ActionSilent || port.Action == ActionIgnore:
			b.tick(port)
		case !b.isAction(port):
		case port.Action == ActionOpenBrowserOnce && b.opened[port.Number]:
			b.tick(port)
		case !allow():
			b.capped[port.Number] = port.Generation
		default:
			b.tick(port)
			b.opened[port.Number] = true
			actions = append(actions, port)
		}
	}
	b.refresh(now)
	return actions
}

// isNew reports whether there is something about a port that was not told in its generation. A forward of a port on which
// nothing has listened yet leads nowhere, so it is not told; that it could not be made is.
func (b *toastBatch) isNew(port Port) bool {
	if port.Status == PortForwarded && !isOpen(port) {
		return false
	}
	told := b.toldOf(port.Status)
	if told == nil {
		return false
	}
	generation, ok := told[port.Number]
	return !ok || generation != port.Generation
}

// isAction reports whether something else happens than a toast.
func (b *toastBatch) isAction(port Port) bool {
	return port.Status == PortForwarded && isSpecial(port.Action) && b.capped[port.Number] != port.Generation
}

func isSpecial(action PortAction) bool {
	return action == ActionOpenBrowser || action == ActionOpenBrowserOnce || action == ActionOpenPreview
}

func (b *toastBatch) toldOf(status PortStatus) map[int]uint64 {
	switch status {
	case PortForwarded:
		return b.forwarded
	case PortFailed:
		return b.failed
	case PortListed: // silent, unless it is one too many
		return b.listed
	case PortStopped, PortClosed: // not told
	}
	return nil
}

// tick notes that a port was told. The last news of it must be true: who was told that it is not forwarded hears when it is, and the other way round.
func (b *toastBatch) tick(port Port) {
	for _, told := range []map[int]uint64{b.forwarded, b.failed, b.listed} {
		delete(told, port.Number)
	}
	b.toldOf(port.Status)[port.Number] = port.Generation
}

// refresh recomputes what is new, and since when.
func (b *toastBatch) refresh(now time.Time) {
	var fresh []Port
	for _, port := range b.ports {
		if b.isNew(port) {
			fresh = append(fresh, port)
		}
	}
	if len(b.fresh) == 0 {
		b.since = now
	}
	if !slices.EqualFunc(fresh, b.fresh, sameToast) {
		b.changed = now
	}
	b.fresh = fresh
}

func sameToast(a, b Port) bool {
	return a.Number == b.Number && a.Status == b.Status && a.HostPort == b.HostPort && a.Process == b.Process && a.Label == b.Label
}

// due returns when the next toast is due, if any is.
func (b *toastBatch) due() (at time.Time, ok bool) {
	if len(b.fresh) == 0 {
		return time.Time{}, false
	}
	at = b.changed.Add(b.timing.settle)
	if latest := b.since.Add(b.timing.window); at.After(latest) {
		at = latest
	}
	if at.Before(b.quiet) {
		at = b.quiet
	}
	return at, true
}

// tell returns what is due: at most one toast about forwarded ports, one about failures and one about the limit.
func (b *toastBatch) tell(now time.Time) []portToast {
	at, ok := b.due()
	if !ok || now.Before(at) {
		return nil
	}
	var forwarded, failed, listed []Port
	for _, port := range b.fresh {
		b.tick(port)
		switch port.Status {
		case PortFailed:
			failed = append(failed, port)
		case PortListed:
			listed = append(listed, port)
		case PortForwarded, PortStopped, PortClosed:
			forwarded = append(forwarded, port)
		}
	}
	b.fresh = nil
	b.quiet = now.Add(b.timing.cooldown)
	var toasts []portToast
	if len(forwarded) > 0 {
		toasts = append(toasts, portToast{b.session, LevelInfo, ToastText(forwarded), toastOrder(forwarded)})
	}
	if len(failed) > 0 {
		toasts = append(toasts, portToast{b.session, LevelWarning, failureText(failed), toastOrder(failed)})
	}
	if len(listed) > 0 {
		toasts = append(toasts, portToast{b.session, LevelWarning, limitText(listed), toastOrder(listed)})
	}
	return toasts
}

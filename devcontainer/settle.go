package devcontainer

import "time"

// Editors write in several steps, and git checks many files out: changes are told once, when they have paused.
const (
	settleQuiet = 100 * time.Millisecond // without a change
	settleMost  = time.Second            // after the first change, however many follow
)

// settle says when changes have paused.
type settle struct {
	first time.Time // the first change that is not told yet; zero if there is none
}

// touch takes a change, and returns after how long it is to be told unless another one comes.
func (s *settle) touch(now time.Time) time.Duration {
	if s.first.IsZero() {
		s.first = now
	}
	return max(0, min(settleQuiet, s.first.Add(settleMost).Sub(now)))
}

// told begins anew.
func (s *settle) told() { s.first = time.Time{} }

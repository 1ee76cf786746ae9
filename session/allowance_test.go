package session

import (
	"testing"
	"time"
)

// TestAllowance checks that what was brought out counts for a day, whoever asks, and a clock that was put back gives nothing for ever.
func TestAllowance(t *testing.T) {
	t.Parallel()
	var b savedBranch
	now := time.Now()
	if a := b.allowance(0, now); a.Left != DefaultMaxPackPerDay {
		t.Errorf("at first: %+v", a)
	}
	b.Taken = 100
	if a := b.allowance(150, now.Add(allowanceTime-time.Second)); a.Left != 50 {
		t.Errorf("the same day: %+v", a)
	}
	if a := b.allowance(50, now); a.Left != -50 {
		t.Errorf("after the limit was lowered: %+v", a)
	}
	if a := b.allowance(150, now.Add(allowanceTime)); a.Left != 150 || b.Taken != 0 {
		t.Errorf("a day later: %+v", a)
	}
	b.Taken = 100
	if a := b.allowance(150, now); a.Left != 150 || !b.TakenSince.Equal(now) {
		t.Errorf("after the clock was put back: %+v", a)
	}
}

package gateway

import "context"

// admit refuses a call for which there is no budget left, and otherwise sets aside what it may use until settle is called, which is after it was counted.
// A call that would fit but for those under way waits for one of them: together they use up a budget, and exceed it by one call at most.
func (a *Account) admit(ctx context.Context, req request, budget Budget) (settle func(), err error) {
	estimate := req.estimate()
	for {
		if err := a.update(func(b *Balance) { b.enter(req.turn) }); err != nil {
			return nil, err
		}
		wait, err := a.reserve(estimate, budget)
		if err != nil {
			return nil, err
		}
		if wait == nil {
			return func() { a.settle(estimate) }, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// reserve sets an estimate aside, or returns what is closed when a call under way has ended.
func (a *Account) reserve(estimate Usage, budget Budget) (wait <-chan struct{}, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, pending := range []Usage{{}, a.pending} {
		err := budget.Session.check("session", a.balance.Session.Add(pending))
		if err == nil {
			err = budget.Turn.check("turn", a.balance.InTurn.Add(pending))
		}
		switch {
		case err == nil:
		case pending == Usage{}:
			return nil, err
		default:
			return a.settled, nil
		}
	}
	a.pending = a.pending.Add(estimate)
	return nil, nil //nolint:nilnil // nothing to wait for
}

func (a *Account) settle(estimate Usage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending = a.pending.Sub(estimate)
	close(a.settled)
	a.settled = make(chan struct{})
}

package gateway

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Balance is what a session has used so far.
type Balance struct {
	Session Usage `json:"session"`
	Turn    int   `json:"turn"`   // number of the latest turn
	InTurn  Usage `json:"inTurn"` // what that turn used
	Fresh   bool  `json:"fresh"`  // the user has sent a prompt since that began: it may be the last word of that turn, or the first of another
}

// Ledger keeps a session's balance where other processes that serve the session find it too.
type Ledger interface {
	// Update changes the balance and returns it as it is then. Nobody else changes it meanwhile.
	Update(change func(*Balance)) (Balance, error)
}

// AccountConfig is what an [Account] needs.
type AccountConfig struct {
	Ledger  Ledger
	Changed func() // called when Usage or Retrying has changed; must not block; may be nil
}

// Account is one session's use of the gateway. Its methods may be called from any goroutine.
type Account struct {
	gateway *Gateway
	cfg     AccountConfig
	slots   chan struct{}       // one for each call under way
	bodies  *semaphore.Weighted // bytes of requests that are held for this session

	mu       sync.Mutex // guards the fields below
	balance  Balance
	known    bool // balance was read
	retrying Retry
	failure  Failure
	pending  Usage         // set aside for calls under way
	settled  chan struct{} // closed, and made anew, when one of them has ended
}

// Retry is a wait for a server that did not answer.
type Retry struct {
	Model   string    // its name
	Attempt int       // that was made; 0: nothing is being retried
	Reason  string    // for people
	Until   time.Time // the next attempt
}

// maxCalls is how many calls of one session are under way at once; more wait for their turn.
const maxCalls = 4

// Account returns a session's account.
func (g *Gateway) Account(cfg AccountConfig) *Account {
	return &Account{
		gateway: g, cfg: cfg, slots: make(chan struct{}, maxCalls), bodies: semaphore.NewWeighted(maxSessionBodies), settled: make(chan struct{}),
	}
}

// Usage is what the session has used.
func (a *Account) Usage() Usage {
	a.mu.Lock()
	known := a.known
	a.mu.Unlock()
	if !known {
		_ = a.Refresh() // where it cannot be read it is not known, and the next call says so
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance.Session
}

// Refresh looks what other processes have counted meanwhile.
func (a *Account) Refresh() error { return a.update(func(*Balance) {}) }

// Retrying is the latest wait that has not ended.
func (a *Account) Retrying() Retry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.retrying
}

// Prompting says that a user is about to send a prompt, which may begin a turn. The container numbers turns, but only this gives it another turn's budget.
func (a *Account) Prompting() error {
	return a.update(func(b *Balance) { b.Fresh = true })
}

// Failure is why the latest call got no answer, in the words that are for the user alone: the container is told what kind it was.
type Failure struct {
	Kind    string // of [HeaderError]; empty: the latest call got its answer
	Message string // for people; no key is in it
}

// Failure is that of the latest call.
func (a *Account) Failure() Failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure
}

func (a *Account) setFailure(f Failure) (changed bool) {
	a.mu.Lock()
	changed = a.failure != f
	a.failure = f
	a.mu.Unlock()
	if changed && a.cfg.Changed != nil {
		a.cfg.Changed()
	}
	return changed
}

func (a *Account) setRetrying(r Retry) {
	a.mu.Lock()
	changed := a.retrying != r
	a.retrying = r
	a.mu.Unlock()
	if changed && a.cfg.Changed != nil {
		a.cfg.Changed()
	}
}

func (a *Account) update(change func(*Balance)) error {
	balance, err := a.cfg.Ledger.Update(change)
	if err != nil {
		return fmt.Errorf("keep account: %w", err)
	}
	a.mu.Lock()
	changed := !a.known || a.balance.Session != balance.Session
	a.balance, a.known = balance, true
	a.mu.Unlock()
	if changed && a.cfg.Changed != nil {
		a.cfg.Changed()
	}
	return nil
}

// BudgetError says which budget is used up.
type BudgetError struct {
	What  string // "turn" or "session"
	Used  string // for people
	Limit string
}

// Error says what and how much.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("the budget of the %s is used up: %s of %s", e.What, e.Used, e.Limit)
}

// enter begins a turn, if a user's prompt allowed one. turn is 0 for calls that name none, as those of other programs inside: they belong to the current one.
func (b *Balance) enter(turn int) {
	if b.Fresh && turn > 0 && turn != b.Turn {
		b.Turn, b.InTurn, b.Fresh = turn, Usage{}, false
	}
}

// spend counts a call.
func (a *Account) spend(u Usage) error {
	return a.update(func(b *Balance) { b.Session, b.InTurn = b.Session.Add(u), b.InTurn.Add(u) })
}

// spendAbandoned counts an attempt that a model's server took and whose answer never began, since its caller was gone or the connection broke: it works,
// and is paid, all the same.
func (a *Account) spendAbandoned(req request) {
	if req.route.free {
		return
	}
	a.count(Usage{Input: int64(req.size / bytesPerToken)}.priced(req.model.Prices))
}

// count spends what has been used already, so that nothing can be refused any more.
func (a *Account) count(u Usage) {
	if err := a.spend(u); err != nil {
		a.gateway.cfg.Log.Error("usage was not counted", "err", err)
	}
}

func (l Limit) check(what string, u Usage) error {
	switch {
	case l.Dollars > 0 && u.Dollars >= l.Dollars:
		return &BudgetError{what, dollars(u.Dollars), dollars(l.Dollars)}
	case l.Tokens > 0 && u.Tokens() >= l.Tokens:
		return &BudgetError{what, fmt.Sprintf("%d tokens", u.Tokens()), fmt.Sprintf("%d", l.Tokens)}
	case l.Calls > 0 && u.Calls >= l.Calls:
		return &BudgetError{what, fmt.Sprintf("%d calls", u.Calls), fmt.Sprintf("%d", l.Calls)}
	}
	return nil
}

// dollars is an amount for people, with fractions of a cent where it is small.
func dollars(d float64) string {
	if d < 1 {
		return fmt.Sprintf("$%.4f", d)
	}
	return fmt.Sprintf("$%.2f", d)
}

package ports

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A scanner is the state of Monitor.Run, owned by its goroutine.
type scanner struct {
	*Monitor
	source  Source     // nil: to be chosen
	last    []Listener // rows of the last good scan
	spare   []Listener // the slice that the next scan fills
	failing bool       // the last scan failed, and that has been logged
	primed  bool       // the log has the first state
	table   *table
	cadence cadence
	scanned time.Time // when the last scan began

	looked   time.Time // when owners were last looked for before publication
	verified time.Time // when it was last checked that owners still are
	pending  []uint32  // inodes whose owners are still to be found, at most one scan's
	jobs     chan []uint32
	found    chan findings
}

func newScanner(m *Monitor) *scanner {
	return &scanner{
		Monitor: m,
		table:   newTable(),
		cadence: cadence{active: m.cfg.ActiveInterval, idle: m.cfg.IdleInterval, lastActive: time.Now()},
		jobs:    make(chan []uint32),
		found:   make(chan findings),
	}
}

// run scans until ctx ends, or until nobody has read for a while.
func (s *scanner) run(ctx context.Context, rows []Listener, err error) {
	s.scanned = time.Now()
	for {
		changed := s.take(rows, err)
		now := time.Now()
		s.cadence.scanned(now, now.Sub(s.scanned), changed || s.busy.Load() > 0)
		s.verify(now)
		if s.primed {
			s.cfg.Events.fresh() // after a scan that failed too: it is what is known
			if s.cfg.Events.rest(restAfter) {
				return
			}
		}
		if !s.pause(ctx) {
			return
		}
		select { // what was asked for up to here, this scan answers
		case <-s.wake:
		default:
		}
		s.scanned = time.Now()
		rows, err = s.read(ctx)
	}
}

// pause waits until the next scan is due; false means that ctx has ended.
func (s *scanner) pause(ctx context.Context) bool {
	timer := time.NewTimer(s.cadence.next())
	defer timer.Stop()
	for wake := s.wake; ; {
		jobs := s.jobs
		if len(s.pending) == 0 {
			jobs = nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-wake:
			wake = nil
			timer.Reset(time.Until(s.scanned.Add(s.cadence.gap())))
		case jobs <- s.pending:
			s.pending = nil
		case f := <-s.found:
			s.settle(f)
			s.publish()
		}
	}
}

// take makes a scan's rows the state, and says whether anything has changed. A failed
// scan leaves everything as it was.
func (s *scanner) take(rows []Listener, err error) bool {
	if err != nil {
		if !s.failing {
			s.cfg.Log.Warn("reading the socket table fails; ports stay as they were", "err", err)
		}
		s.failing = true
		return false
	}
	s.failing = false
	if s.primed && slices.Equal(rows, s.last) {
		s.spare = rows
		return false
	}
	s.spare, s.last = s.last, rows
	s.admit(s.table.replace(rows))
	s.publish()
	return true
}

func (s *scanner) publish() {
	events := s.table.publish(time.Now())
	switch {
	case !s.primed:
		s.cfg.Events.prime(s.table.board.open(), ephemeralRange())
		s.primed = true
	case len(events) > 0:
		s.cfg.Events.append(events, s.table.board.open())
	}
}

// read scans with the chosen source, or chooses one by trying them in order. A source
// that fails is given up at once, since the better ones may work again.
func (s *scanner) read(ctx context.Context) ([]Listener, error) {
	if s.source != nil {
		rows, err := s.source.Listeners(ctx, s.spare[:0])
		if err == nil || errors.Is(err, ErrTooManyListeners) {
			return rows, err
		}
		s.cfg.Log.Debug("source of ports fails", "source", s.source.Name(), "err", err)
		s.close()
	}
	errs := []error{ErrNoSource}
	for _, open := range s.cfg.Sources {
		rows, err := s.try(ctx, open)
		if s.source != nil {
			return rows, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (s *scanner) try(ctx context.Context, open OpenSource) ([]Listener, error) {
	source, err := open(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := source.Listeners(ctx, s.spare[:0])
	if err != nil && !errors.Is(err, ErrTooManyListeners) {
		return nil, errors.Join(err, source.Close())
	}
	s.cfg.Log.Debug("source of ports chosen", "source", source.Name())
	s.source = source
	return rows, err
}

func (s *scanner) close() {
	if s.source == nil {
		return
	}
	if err := s.source.Close(); err != nil {
		s.cfg.Log.Debug("closing source of ports", "source", s.source.Name(), "err", err)
	}
	s.source = nil
}

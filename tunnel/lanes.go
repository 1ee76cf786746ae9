package tunnel

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

const (
	// bulk is how much goes over a connection in an interval of traffic when whoever comes next had better take the other one.
	bulk = 1 << 20
	// sideInterval is the least time between two attempts at a side connection.
	sideInterval = time.Second
	// sideIdle is how long a side connection may be without a visitor: its keepalives cost as much as those of the other one, and another
	// one is made in milliseconds.
	sideIdle = 10 * time.Second
)

var errUnused = errors.New("side connection is not needed")

// keepSide keeps a second SSH connection beside l, from the second visitor at a time on: what is under way on a connection, up to a
// window of 2 MiB for each stream, comes before whatever is sent next, so that a keystroke would wait for a download. The
// side connection belongs to l. It has no state that anybody is told, it ends with l or when it has had no visitor for a
// while, and as long as it cannot be had everything goes over l.
func (l *link) keepSide(ctx context.Context) {
	for {
		select {
		case <-l.wanted:
		case <-ctx.Done():
			return
		}
		if err := l.runSide(ctx); ctx.Err() == nil && !errors.Is(err, errUnused) {
			l.conn.cfg.Log.Debug("no side connection to the container", "err", &peerError{err})
		}
		select {
		case <-time.After(sideInterval):
		case <-ctx.Done():
			return
		}
	}
}

// runSide makes one side connection, offers it until it ends, and returns why it did.
func (l *link) runSide(ctx context.Context) error {
	side, err := l.conn.connectSide(ctx)
	if err != nil {
		return err
	}
	// Not by a goodbye, which a peer that has stopped to read would delay.
	stop := context.AfterFunc(ctx, func() { side.hardClose(context.Cause(ctx)) })
	defer stop()
	l.side.Store(side)
	defer l.side.Store(nil)
	var wg sync.WaitGroup
	// Ends with side; waited for below.
	wg.Go(func() { l.retire(side) })
	err = side.run(ctx)
	wg.Wait()
	return err
}

// retire ends side once it has had no visitor for a whole interval, and returns when it has ended.
func (l *link) retire(side *link) {
	ticker := time.NewTicker(sideIdle)
	defer ticker.Stop()
	for admitted, unused := uint64(0), false; !unused; {
		select {
		case <-ticker.C:
			admitted, unused = l.withdraw(side, admitted)
		case <-side.dead:
			return
		}
	}
	side.hardClose(errUnused)
	<-side.dead
}

// withdraw offers side no longer if it has no visitors, and has had none since their number was before. It returns their number.
func (l *link) withdraw(side *link, before uint64) (admitted uint64, unused bool) {
	l.admitting.Lock() // whoever was admitted is counted
	defer l.admitting.Unlock()
	if side.visitors.Load() > 0 || side.admitted != before {
		return side.admitted, false
	}
	l.side.Store(nil)
	l.last = l
	return before, true
}

func (c *Conn) connectSide(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	side, err := c.handshake(ctx)
	if err != nil {
		return nil, err
	}
	side.beside = true
	return side, nil
}

// dial opens a channel as a connection. Visitors of ports are spread over l and its side connection.
func (l *link) dial(ctx context.Context, kind string, payload []byte, remote net.Addr) (*channelConn, error) {
	if kind != sshwire.ChannelDirectTCPIP {
		return l.connect(ctx, kind, payload, remote)
	}
	lane := l.admit()
	conn, err := lane.visit(ctx, payload, remote)
	if _, refused := errors.AsType[*ssh.OpenChannelError](err); err == nil || refused || lane == l || ctx.Err() != nil {
		return conn, err
	}
	l.visitors.Add(1)
	return l.visit(ctx, payload, remote) // the side connection broke, and l need not have
}

// visit opens a channel to a port, for a visitor that is counted.
func (l *link) visit(ctx context.Context, payload []byte, remote net.Addr) (*channelConn, error) {
	conn, err := l.connect(ctx, sshwire.ChannelDirectTCPIP, payload, remote)
	if err != nil {
		l.visitors.Add(-1)
		return nil, err
	}
	conn.leave = sync.OnceFunc(func() { l.visitors.Add(-1) })
	return conn, nil
}

func (l *link) connect(ctx context.Context, kind string, payload []byte, remote net.Addr) (*channelConn, error) {
	ch, err := l.open(ctx, kind, payload)
	if err != nil {
		return nil, err
	}
	stream := sshwire.NewStream(ch, ch.requests, l.transport)
	return &channelConn{Stream: stream, link: l, remote: remote, leave: func() {}}, nil
}

// admit returns the connection for the next visitor, who is counted there.
func (l *link) admit() *link {
	l.admitting.Lock() // two at a time would choose the same
	defer l.admitting.Unlock()
	l.last = l.choose()
	l.last.visitors.Add(1)
	l.last.admitted++
	return l.last
}

// choose is called with l.admitting held.
func (l *link) choose() *link {
	side := l.side.Load()
	if side == nil || side.isDead() {
		if l.visitors.Load() > 0 {
			l.wantSide()
		}
		return l
	}
	now := time.Now()
	switch d := side.load(now).compare(l.load(now)); {
	case d < 0, d == 0 && l.last == l:
		return side
	}
	return l
}

func (l *link) wantSide() {
	select {
	case l.wanted <- struct{}{}:
	default:
	}
}

// load is what a connection has to do.
type load struct {
	visitors int64  // connections to ports that go over it
	recent   uint64 // bytes, see traffic
}

func (l *link) load(now time.Time) load {
	return load{visitors: l.visitors.Load(), recent: l.raw.traffic.recent(now)}
}

// compare is negative when the next visitor had better go where l is, and positive when rather to the other connection. A tie is for
// the one to which the last visitor did not go, of whom it is not known yet what becomes.
func (l load) compare(other load) int {
	if busy := l.recent >= bulk; busy != (other.recent >= bulk) {
		if busy {
			return 1
		}
		return -1
	}
	return cmp.Compare(l.visitors, other.visitors)
}

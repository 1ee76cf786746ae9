package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

const (
	// maxServed bounds the channels that the container holds open towards us.
	maxServed = 16
	// maxOpening bounds the channels that wait for the container to confirm them. Callers beyond wait for their turn.
	maxOpening = 512
	// closeTimeout is how long the peer may take to confirm the close of a channel, which RFC 4254 §5.3 requires and
	// every implementation does at once. Nothing but the end of the connection frees one that is not confirmed.
	closeTimeout = 10 * time.Second
	// stuckTimeout is how long the SSH connection may take to end once its transport was closed. It outlives the drain
	// of the write queue, see sshwire.Buffer.
	stuckTimeout = 5 * time.Second
)

var (
	errSilent  = errors.New("container does not answer")
	errNoClose = errors.New("container does not confirm the close of a channel")
	errStuck   = errors.New("connection to the container does not end")
)

// link is one live SSH connection, from handshake to loss.
type link struct {
	conn      *Conn
	raw       *meteredConn // the transport; closing it is the hard close
	transport net.Conn     // raw, buffered
	ssh       ssh.Conn
	chans     <-chan ssh.NewChannel
	requests  <-chan *ssh.Request

	opening chan struct{} // a slot per channel that is being opened
	probes  chan struct{} // holds one wish to probe now
	dead    chan struct{} // closed when the connection has ended
	served  sync.WaitGroup

	visitors atomic.Int64         // connections to ports that are open, or being opened
	admitted uint64               // of them, so far; guarded by admitting, for a side connection by that of the link that it belongs to
	beside   bool                 // it is a side connection
	side     atomic.Pointer[link] // the one that belongs to this link, while there is one; see keepSide
	wanted   chan struct{}        // holds one wish to have it

	admitting sync.Mutex // guards last and admitted
	last      *link      // where the last visitor went

	// abandoned is closed before dead when the connection had to be left to itself: x/crypto/ssh can be made to wait for
	// ever by a peer that knows how, with nothing to wake it. What waits for it then goes with it: half a dozen
	// goroutines per link, and those of its channels.
	abandoned chan struct{}

	kill   sync.Once // sets reason and closes killed
	reason error
	killed chan struct{}
}

// handshake dials and authenticates both ends. The end of ctx ends it wherever it hangs.
func (c *Conn) handshake(ctx context.Context) (*link, error) {
	raw, err := persist(ctx, c.cfg.Dial)
	if err != nil {
		return nil, fmt.Errorf("dial container: %w", err)
	}
	l := &link{
		conn:      c,
		raw:       &meteredConn{Conn: raw},
		opening:   make(chan struct{}, maxOpening),
		probes:    make(chan struct{}, 1),
		wanted:    make(chan struct{}, 1),
		dead:      make(chan struct{}),
		abandoned: make(chan struct{}),
		killed:    make(chan struct{}),
	}
	l.transport = sshwire.Buffer(l.raw)
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	config := sshwire.ClientConfig(c.cfg.User, c.cfg.Signer, c.cfg.HostKey)
	l.ssh, l.chans, l.requests, err = ssh.NewClientConn(l.transport, "container", config)
	if !stop() && err == nil {
		// Closed just after the handshake.
		err = context.Cause(ctx)
		// Both end with the connection; nobody waits. Neither may wait for the other: the peer fills whichever queue it likes.
		go ssh.DiscardRequests(l.requests)
		go func() {
			for range l.chans {
			}
		}()
		l.end(err)
		_ = l.await(ctx) // err, which ended it, says more
	}
	if err == nil {
		return l, nil
	}
	raw.Close()
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	if n, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err); ok && n.What == "host key" {
		err = fmt.Errorf("%w: %w", ErrHostKey, err)
	}
	return nil, fmt.Errorf("log in to container: %w", err)
}

// run serves the connection until it ends, by itself or with ctx, and returns why. Handlers of served channels may
// outlive it; Conn.Run waits for them.
func (l *link) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.ssh.Close() })
	defer stop()
	var wg sync.WaitGroup
	// All three end with the connection and are waited for below.
	wg.Go(l.keepalive)
	wg.Go(l.refuseRequests)
	wg.Go(func() { l.serve(ctx) })
	if !l.beside {
		// Ends with ctx; Conn.Run waits, so that a peer that delays its end does not delay the next connection.
		l.conn.served.Go(func() { l.keepSide(ctx) })
	}
	err := l.await(ctx)
	l.end(err)
	l.raw.Close()
	close(l.dead)
	cancel()
	if errors.Is(err, errStuck) {
		l.conn.cfg.Log.Warn("abandoned a connection to the container that does not end", "err", l.reason)
		return l.reason
	}
	wg.Wait()
	// Ends with the handlers; Conn.Run waits.
	l.conn.served.Go(l.served.Wait)
	return l.reason
}

// await waits for the end of the SSH connection and returns its error. After the end of ctx or a hard close it does not
// wait longer than stuckTimeout, and abandons the connection with errStuck.
func (l *link) await(ctx context.Context) error {
	ended := make(chan error, 1)
	// Ends with the connection, and is abandoned with it.
	go func() { ended <- l.ssh.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	case <-l.killed:
	}
	timer := time.NewTimer(stuckTimeout)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		close(l.abandoned)
		return errStuck
	}
}

// hardClose ends the connection now, whatever hangs in it. The first reason counts.
func (l *link) hardClose(reason error) {
	l.end(reason)
	l.raw.Close()
}

// end notes why the connection ends. The first reason counts.
func (l *link) end(reason error) {
	l.kill.Do(func() {
		l.reason = reason
		close(l.killed)
	})
}

// refuseRequests answers the container's global requests; none is supported, and keepalives want any answer.
func (l *link) refuseRequests() {
	for req := range l.requests {
		req.Reply(false, nil) // an error is the end of the connection, which ends the loop
	}
}

// serve hands the channels that the container opens to their handlers.
func (l *link) serve(ctx context.Context) {
	slots := make(chan struct{}, maxServed)
	refused := 0
	for nc := range l.chans {
		handle, ok := l.conn.cfg.Serve[nc.ChannelType()]
		if !ok {
			if refused++; refused == 1 { // the container decides how many follow
				l.conn.cfg.Log.Warn("container asked for a channel that it may not open", "type", printable(nc.ChannelType(), 64))
			}
			nc.Reject(ssh.UnknownChannelType, "not served")
			continue
		}
		if !l.willing(nc.ChannelType()) {
			nc.Reject(ssh.Prohibited, "another connection serves it")
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			nc.Reject(ssh.ResourceShortage, "too many channels")
			continue
		}
		ch, requests, err := nc.Accept()
		if err != nil {
			l.hardClose(err) // it is over, and nobody can drain this channel's requests
			<-slots
			continue
		}
		// Ends with its handler, which ctx or the end of the channel stops; Conn.Run waits.
		l.served.Go(func() {
			// Until the peer has confirmed the close, the channel holds what it sent.
			defer func() { <-slots }()
			stream := sshwire.NewStream(ch, requests, l.transport)
			defer l.release(stream)
			handle(ctx, nc.ExtraData(), stream)
		})
	}
	if refused > 0 {
		l.conn.cfg.Log.Debug("refused channels that the container may not open", "count", refused)
	}
}

// willing reports whether the connection serves a channel now. A side connection does not, so that the bound on what is
// served holds for both.
func (l *link) willing(channelType string) bool {
	return !l.beside && (l.conn.cfg.Willing == nil || l.conn.cfg.Willing(channelType))
}

// guard ends the connection when the peer does not confirm the close of s, which follows.
func (l *link) guard(s *sshwire.Stream) {
	s.Guard(closeTimeout, func() { l.hardClose(errNoClose) })
}

// release closes a channel and waits for its end. Until then the channel takes memory of ours, up to a window of 2 MiB.
func (l *link) release(s *sshwire.Stream) {
	l.guard(s)
	s.Close()
	select {
	case <-s.Done():
	case <-l.dead:
	}
}

// opened is a channel and its requests, which are to be received until there are no more: x/crypto/ssh stops the whole
// connection at one that is not.
type opened struct {
	ssh.Channel
	requests <-chan *ssh.Request
}

// open opens a channel and does not wait longer than ctx or the connection lasts. A channel that opens later is closed.
func (l *link) open(ctx context.Context, kind string, payload []byte) (opened, error) {
	select {
	case l.opening <- struct{}{}:
	case <-ctx.Done():
		return opened{}, ctx.Err()
	case <-l.dead:
		return opened{}, ErrBroken
	}
	type result struct {
		opened
		err error
	}
	results, abandoned := make(chan result), make(chan struct{})
	// Ends when the container answers, and has confirmed the close of a channel that comes too late, or with the
	// connection. Nobody waits: the answer may be withheld.
	go func() {
		defer func() { <-l.opening }()
		ch, requests, err := l.ssh.OpenChannel(kind, payload)
		select {
		case results <- result{opened{ch, requests}, err}:
		case <-abandoned:
			if err == nil {
				l.release(sshwire.NewStream(ch, requests, l.transport))
			}
		}
	}()
	select {
	case r := <-results:
		return r.opened, r.err
	case <-ctx.Done():
		close(abandoned)
		return opened{}, ctx.Err()
	case <-l.dead:
		close(abandoned)
		return opened{}, ErrBroken
	}
}

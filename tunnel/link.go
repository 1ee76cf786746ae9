package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
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
)

var (
	errSilent  = errors.New("container does not answer")
	errNoClose = errors.New("container does not confirm the close of a channel")
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

	kill   sync.Once // sets reason
	reason error
}

// handshake dials and authenticates both ends. The end of ctx ends it wherever it hangs.
func (c *Conn) handshake(ctx context.Context) (*link, error) {
	raw, err := persist(ctx, c.cfg.Dial)
	if err != nil {
		return nil, fmt.Errorf("dial container: %w", err)
	}
	l := &link{
		conn:    c,
		raw:     &meteredConn{Conn: raw},
		opening: make(chan struct{}, maxOpening),
		probes:  make(chan struct{}, 1),
		dead:    make(chan struct{}),
	}
	l.transport = sshwire.Buffer(l.raw)
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	config := sshwire.ClientConfig(c.cfg.User, c.cfg.Signer, c.cfg.HostKey)
	l.ssh, l.chans, l.requests, err = ssh.NewClientConn(l.transport, "container", config)
	if !stop() && err == nil {
		// Closed just after the handshake.
		err = context.Cause(ctx)
		go discard(l.chans, l.requests)
		l.ssh.Wait()
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

// discard ends the queues of a connection that has ended.
func discard(chans <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	for range requests {
	}
	for range chans {
	}
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
	err := l.ssh.Wait()
	l.raw.Close()
	close(l.dead)
	cancel()
	wg.Wait()
	l.kill.Do(func() { l.reason = err })
	return l.reason
}

// hardClose ends the connection now, whatever hangs in it. The first reason counts.
func (l *link) hardClose(reason error) {
	l.kill.Do(func() { l.reason = reason })
	l.raw.Close()
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
	for nc := range l.chans {
		handle, ok := l.conn.cfg.Serve[nc.ChannelType()]
		if !ok {
			l.conn.cfg.Log.Warn("container asked for a channel that it may not open", "type", nc.ChannelType())
			nc.Reject(ssh.UnknownChannelType, "not served")
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
			<-slots
			continue // the connection has ended, and with it the loop
		}
		// Ends with its handler, which ctx or the end of the channel stops; Conn.Run waits.
		l.conn.served.Go(func() {
			defer func() { <-slots }()
			stream := sshwire.NewStream(ch, requests, l.transport)
			defer stream.Close()
			handle(ctx, nc.ExtraData(), stream)
		})
	}
}

// open runs open, which opens a channel, and does not wait longer than ctx or the connection lasts. A channel that opens
// later goes to discard.
func (l *link) open(ctx context.Context, open func() error, discard func()) error {
	select {
	case l.opening <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.dead:
		return errLinkDead
	}
	opened, abandoned := make(chan error), make(chan struct{})
	// Ends when the container answers, or with the connection. Nobody waits: the answer may be withheld.
	go func() {
		defer func() { <-l.opening }()
		err := open()
		select {
		case opened <- err:
		case <-abandoned:
			if err == nil {
				discard()
			}
		}
	}()
	select {
	case err := <-opened:
		return err
	case <-ctx.Done():
		close(abandoned)
		return ctx.Err()
	case <-l.dead:
		close(abandoned)
		return errLinkDead
	}
}

var errLinkDead = errors.New("connection to the container lost")

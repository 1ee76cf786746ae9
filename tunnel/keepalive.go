package tunnel

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// meteredConn counts what arrives, so that a busy peer is not taken for a dead one: its answer to a probe may be behind a
// megabyte. What we write says nothing of that, since the kernel takes it for a dead peer too.
type meteredConn struct {
	net.Conn
	arrived atomic.Uint64 // bytes
	traffic traffic
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.arrived.Add(uint64(n))
	c.traffic.add(time.Now(), n)
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.traffic.add(time.Now(), n)
	return n, err
}

// keepalive probes the peer after each silent interval, and closes the transport when it stays silent. It ends with the
// connection. Nothing less finds out about a paused container, whose kernel goes on acknowledging.
func (l *link) keepalive() {
	for {
		before := l.raw.arrived.Load()
		select {
		case <-time.After(l.conn.cfg.KeepaliveInterval):
			if l.raw.arrived.Load() != before {
				continue
			}
		case <-l.probes:
		case <-l.dead:
			return
		}
		if !l.probe() {
			l.hardClose(errSilent)
			return
		}
	}
}

// probeNow asks for a probe without waiting for the interval to end, of the side connection too.
func (l *link) probeNow() {
	if side := l.side.Load(); side != nil {
		side.probeNow()
	}
	select {
	case l.probes <- struct{}{}:
	default:
	}
}

// probeTicks divides KeepaliveTimeout.
const probeTicks = 10

// probe reports whether the peer is alive: it answers within the timeout, or anything else of it arrives. A connection
// that cannot be written to is not, whatever arrives, unless it is about to end by itself.
func (l *link) probe() bool {
	answered := make(chan error, 1)
	// Ends with the answer, at the latest when the connection ends; nobody waits.
	go func() {
		_, _, err := l.ssh.SendRequest(sshwire.RequestKeepalive, true, nil) // a refusal is an answer
		answered <- err
	}()
	ticker := time.NewTicker(l.conn.cfg.KeepaliveTimeout / probeTicks)
	defer ticker.Stop()
	return l.alive(answered, ticker.C)
}

// alive waits for the answer to a probe, or for probeTicks ticks of silence. It counts ticks, which a ticker leaves out while nobody
// takes them: where this process was stopped, or had no processor, an answer may be there that it has not read yet.
func (l *link) alive(answered <-chan error, ticks <-chan time.Time) bool {
	failed := false
	arrived := l.raw.arrived.Load()
	for silent := 0; silent < probeTicks; {
		select {
		case err := <-answered:
			if err == nil {
				return true
			}
			failed = true
		case <-l.dead:
			return true
		case <-ticks:
			silent++
			if now := l.raw.arrived.Load(); now != arrived && !failed {
				arrived, silent = now, 0
			}
		}
	}
	return false
}

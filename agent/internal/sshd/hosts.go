//go:build linux

package sshd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// ErrNoHost means that no connected client serves the channel.
var ErrNoHost = errors.New("sketch-ide on the host is not connected")

// hosts knows the clients that are logged in. Any of them may be the host's own connection; a client that is not refuses its
// channels at once.
type hosts struct {
	mu      sync.Mutex // guards what follows
	clients []*connection
	changed chan struct{} // closed and renewed at each login
}

func (h *hosts) add(c *connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients = append(h.clients, c)
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *hosts) remove(c *connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients = slices.DeleteFunc(h.clients, func(other *connection) bool { return other == c })
}

// newestFirst returns the clients and a channel that is closed when there is a new one.
func (h *hosts) newestFirst() ([]*connection, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clients := slices.Clone(h.clients)
	slices.Reverse(clients)
	return clients, h.changed
}

// openTimeout is how long one client may take to answer; a longer silence means that its connection is dead.
const openTimeout = 3 * time.Second

// OpenHost opens a channel of the given type to the newest client that accepts it. While there is none it waits until ctx ends, and
// then returns an error that matches [ErrNoHost]. A client that knows the type but cannot serve it ends the search with its reason.
func (s *Server) OpenHost(ctx context.Context, channelType string, extra []byte) (*sshwire.Stream, error) {
	tried := make(map[*connection]bool)
	for {
		clients, changed := s.hosts.newestFirst()
		for _, c := range clients {
			if tried[c] {
				continue
			}
			tried[c] = true
			stream, err := c.openChannel(ctx, channelType, extra)
			if err == nil {
				return stream, nil
			}
			var refused *ssh.OpenChannelError
			if errors.As(err, &refused) && refused.Reason != ssh.UnknownChannelType && refused.Reason != ssh.Prohibited {
				return nil, fmt.Errorf("the host refused: %s", clip(refused.Message))
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ErrNoHost
		}
	}
}

func (c *connection) openChannel(ctx context.Context, channelType string, extra []byte) (*sshwire.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	type answer struct {
		stream *sshwire.Stream
		err    error
	}
	answers := make(chan answer)
	// Ended by the client's answer or its connection's end, and nobody waits: an answer that comes too late is closed.
	go func() {
		channel, requests, err := c.conn.OpenChannel(channelType, extra)
		var stream *sshwire.Stream
		if err == nil {
			stream = sshwire.NewStream(channel, requests, c.transport)
		}
		select {
		case answers <- answer{stream, err}:
		case <-ctx.Done():
			if stream != nil {
				stream.Close()
			}
		}
	}()
	select {
	case a := <-answers:
		return a.stream, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

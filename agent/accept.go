//go:build linux

package agent

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// acceptEach serves the connections of a listener, at most so many at once (more wait in the kernel's queue), until ctx ends. It closes the listener, and
// returns when all of them have ended.
func acceptEach(ctx context.Context, ln net.Listener, most int, what string, serve func(net.Conn)) error {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	var conns sync.WaitGroup
	defer conns.Wait()
	slots := make(chan struct{}, most)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve %s: %w", what, err)
		}
		// Ended by its other end, by the host, or by ctx; waited for above.
		conns.Go(func() {
			defer func() { <-slots }()
			serve(conn)
		})
	}
}

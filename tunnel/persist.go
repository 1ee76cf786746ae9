package tunnel

import (
	"context"
	"net"
	"sync"
	"time"
)

// redialAfter is how long a dial may hang before another one is sent after it.
const redialAfter = time.Second

// persist dials until one of its dials ends, well or not, and returns how. A dial that hangs is not given up, since the peer may
// only be slow, but it is joined by another each second: the kernel repeats a SYN that was lost after 1, 3, 7 and 15 s, and so
// would find out seconds late that the peer is back.
func persist(ctx context.Context, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan result)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	ticker := time.NewTicker(redialAfter)
	defer ticker.Stop()
	for {
		// Ends with ctx at the latest; waited for above.
		wg.Go(func() {
			conn, err := dial(ctx)
			select {
			case ended <- result{conn, err}:
			case <-ctx.Done():
				if err == nil {
					conn.Close()
				}
			}
		})
		select {
		case r := <-ended:
			return r.conn, r.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

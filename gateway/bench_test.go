package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const tokenEvent = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" token\"}}\n\n"

// tokenServer streams an event for each that wait lets pass, to the client's end.
func tokenServer(b *testing.B, wait func(ctx context.Context, n int) bool) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server look for the client's end
		w.Header().Set("Content-Type", "text/event-stream")
		control := http.NewResponseController(w)
		for n := 0; wait(r.Context(), n); n++ {
			fmt.Fprint(w, tokenEvent)
			if control.Flush() != nil {
				return
			}
		}
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// benchGateway is a gateway to a server, without retries.
func benchGateway(b *testing.B, url string) *Gateway {
	g := New(Config{Getenv: func(string) string { return "" }})
	b.Cleanup(g.Close)
	g.Configure(Settings{Models: []Model{{Name: "m", Provider: Anthropic, Model: "claude-x", BaseURL: url}}})
	return g
}

// inside is an HTTP client whose connections an account serves.
func inside(b *testing.B, a *Account) *http.Client {
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	transport := &http.Transport{DisableCompression: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		serving.Go(func() { a.Serve(ctx, far) }) // ends with the connection; waited for below
		return near, nil
	}}
	b.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		serving.Wait()
	})
	return &http.Client{Transport: transport}
}

// stream asks and returns the stream of events.
func stream(b *testing.B, client *http.Client, url string) (*bufio.Reader, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(claudeHi))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	return bufio.NewReader(res.Body), func() {
		cancel()
		res.Body.Close()
	}
}

// event reads to the end of one event.
func event(b *testing.B, r *bufio.Reader) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if line == "\n" {
			return
		}
	}
}

// medianEvent is how long an event takes from the server to a client, in microseconds. client is made for the server's address.
func medianEvent(b *testing.B, n int, client func(url string) (*http.Client, string)) float64 {
	crank := make(chan struct{}, 1)
	url := tokenServer(b, func(ctx context.Context, _ int) bool {
		select {
		case <-crank:
			return true
		case <-ctx.Done():
			return false
		}
	})
	crank <- struct{}{} // for the headers, which come with the first
	c, path := client(url)
	r, end := stream(b, c, path)
	defer end()
	event(b, r)
	took := make([]time.Duration, n)
	for i := range took {
		begun := time.Now()
		crank <- struct{}{}
		event(b, r)
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return float64(took[n/2].Nanoseconds()) / 1e3
}

// BenchmarkToken compares a streamed token through the gateway with one on a connection of its own.
func BenchmarkToken(b *testing.B) {
	for b.Loop() {
		alone := medianEvent(b, 1000, func(url string) (*http.Client, string) {
			return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, url + "/v1/messages"
		})
		through := medianEvent(b, 1000, func(url string) (*http.Client, string) {
			return inside(b, benchGateway(b, url).Account(AccountConfig{Ledger: &memory{}})), "http://host" + messages
		})
		b.ReportMetric(alone, "µs-direct")
		b.ReportMetric(through, "µs-gateway")
		b.ReportMetric(through-alone, "µs-overhead")
	}
}

// BenchmarkSessions streams to a hundred sessions at once, and reports what each holds of this process's memory (its client and the server included), after
// 200 events and after ten times as many.
func BenchmarkSessions(b *testing.B) {
	const sessions, first, later = 100, 200, 2000
	for b.Loop() {
		more := make(chan struct{})
		url := tokenServer(b, func(ctx context.Context, n int) bool {
			hold := more
			if n != first && n != later {
				return true
			}
			if n == later {
				hold = nil // to the client's end
			}
			select {
			case <-hold:
				return true
			case <-ctx.Done():
				return false
			}
		})
		g := benchGateway(b, url)
		before := heap()
		var readers []*bufio.Reader
		for range sessions {
			r, end := stream(b, inside(b, g.Account(AccountConfig{Ledger: &memory{}})), "http://host"+messages)
			defer end()
			readers = append(readers, r)
		}
		read := func(n int) float64 {
			var reading sync.WaitGroup
			for _, r := range readers {
				reading.Go(func() { // ends with its events; waited for below
					for range n {
						event(b, r)
					}
				})
			}
			reading.Wait()
			return (heap() - before) / sessions / 1024
		}
		b.ReportMetric(read(first), "KiB/session")
		close(more)
		b.ReportMetric(read(later-first), "KiB/session-later")
	}
}

// heap is how many bytes are in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse)
}

package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// visit is one request on a connection of its own.
type visit struct {
	begun, ended time.Time
	err          error
}

// visitors make fresh connections to a host port all the time.
type visitors struct {
	client *http.Client
	url    string
	stop   func()
	apart  sync.RWMutex // held by each visit; whoever locks it has the server without visitors

	mu     sync.Mutex // guards what follows
	visits []visit
	news   chan struct{} // closed and replaced at each visit
}

func newVisitors(t *testing.T, url string) *visitors {
	v := &visitors{url: url, news: make(chan struct{}), client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience,
	}}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 3 {
		// Ends with cancel; stop waits.
		group.Go(func() { v.keepVisiting(ctx) })
	}
	v.stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	t.Cleanup(v.stop)
	return v
}

func (v *visitors) keepVisiting(ctx context.Context) {
	ticker := time.NewTicker(15 * time.Millisecond)
	defer ticker.Stop()
	for {
		v.apart.RLock()
		seen := visit{begun: time.Now()}
		seen.err = v.visit(ctx)
		seen.ended = time.Now()
		v.apart.RUnlock()
		if ctx.Err() != nil {
			return
		}
		v.mu.Lock()
		v.visits = append(v.visits, seen)
		close(v.news)
		v.news = make(chan struct{})
		v.mu.Unlock()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (v *visitors) visit(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url, nil)
	if err != nil {
		return err
	}
	res, err := v.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(body), "hello from inside")) {
		err = fmt.Errorf("answer %s %q", res.Status, body)
	}
	return err
}

// awaitVisit waits until a request that began after since was answered.
func (v *visitors) awaitVisit(t *testing.T, since time.Time) {
	t.Helper()
	deadline := time.After(patience)
	for {
		v.mu.Lock()
		news := v.news
		for n := len(v.visits) - 1; n >= 0 && v.visits[n].ended.After(since); n-- {
			if v.visits[n].begun.After(since) && v.visits[n].err == nil {
				v.mu.Unlock()
				return
			}
		}
		v.mu.Unlock()
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("%s: nobody was answered", v.url)
		}
	}
}

// away is how long the server needed, after the death that the visit met, until somebody was answered again. On a machine that does much else a
// server can need longer than the linger, and then it is right that nobody waits for it.
func (v *visitors) away(met visit, deaths []death) time.Duration {
	var last death
	for _, d := range deaths {
		if d.to.Before(met.ended) {
			last = d
		}
	}
	for _, other := range v.visits {
		if other.err == nil && other.begun.After(last.to) {
			return other.ended.Sub(last.to)
		}
	}
	return time.Since(last.to)
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// tooLong tells whether the tunnel may have given the server up after a death.
func (v *visitors) tooLong(d death) bool {
	for _, one := range v.visits {
		if one.err == nil && one.begun.After(d.to) {
			return one.ended.Sub(d.from) > restartLinger
		}
	}
	return true
}

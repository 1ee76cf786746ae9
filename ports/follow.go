package ports

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// A FollowConfig says whom to follow.
type FollowConfig struct {
	// Client reaches the agent; required. Its Timeout is not used, since it would end
	// streams; redirects are not followed.
	Client  *http.Client
	BaseURL string // required, such as "http://agent"
	// PollInterval is the time between polls of a server that can neither stream nor
	// hold a request; 10 s if zero.
	PollInterval time.Duration
	Log          *slog.Logger // nil discards
}

const (
	defaultPollInterval = 10 * time.Second
	// answerWithin bounds the time to the first byte of an answer, the whole answer
	// where it is no stream.
	answerWithin = 10 * time.Second
	// silentAfter without a heartbeat a stream counts as dead.
	silentAfter = 3 * heartbeat
	// probeAfter on a lower rung a better one is tried again.
	probeAfter = time.Minute

	// A connection that failed is made again after backoffMin, and up to backoffMax when it
	// keeps failing. One that held for backoffMax counts as good.
	backoffMin = 50 * time.Millisecond
	backoffMax = 5 * time.Second
)

// errNotOffered means that the server does not have this way of following.
var errNotOffered = errors.New("not offered by the server")

// Follow keeps a copy of the state that a Handler serves, and delivers it whole at
// first and after each change, on the caller's goroutine; while deliver runs nothing is
// read. It streams where it can, else holds long polls, else polls; it reconnects for
// ever, with backoff, and looks again for the better way. It returns ctx's error.
//
// The server is not trusted: whatever it sends is bounded and checked, and what makes no
// sense is dropped together with the connection, leaving the delivered state as it was.
func Follow(ctx context.Context, cfg FollowConfig, deliver func(Update)) error {
	f := newFollower(cfg, deliver)
	delay := backoffMin
	for {
		began := time.Now()
		err := f.climb(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			continue // time to look for a better way
		case time.Since(began) >= backoffMax:
			delay = backoffMin
		}
		f.cfg.Log.Debug("following ports is interrupted", "err", err, "retry", delay)
		if !sleep(ctx, delay/2+rand.N(delay)) {
			return ctx.Err()
		}
		delay = min(2*delay, backoffMax)
	}
}

// A follower is the state of Follow.
type follower struct {
	replica
	cfg     FollowConfig
	client  http.Client
	deliver func(Update)
	resume  bool    // the stream may go on where the replica stands
	seen    []Event // the last plain array, see pollEvents
}

func newFollower(cfg FollowConfig, deliver func(Update)) *follower {
	if cfg.PollInterval <= 0 {
		cfg.PollInterval = defaultPollInterval
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &follower{cfg: cfg, client: *cfg.Client, deliver: deliver}
	f.client.Timeout, f.client.Jar = 0, nil
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return f
}

// climb follows in the best way that the server offers, until that fails or until it is
// time to look for a better one.
func (f *follower) climb(ctx context.Context) error {
	for _, rung := range []func(context.Context) error{f.stream, f.longPoll, f.poll} {
		if err := rung(ctx); !errors.Is(err, errNotOffered) {
			return err
		}
	}
	return errNotOffered
}

// flush delivers what has changed.
func (f *follower) flush() {
	if update, ok := f.take(); ok {
		f.deliver(update)
	}
}

// get asks for a path with its query. The caller closes the body of the answer.
func (f *follower) get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cfg.BaseURL+path, nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("Accept-Encoding", "identity") // what is compressed has no bound
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp, nil
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented:
		err = fmt.Errorf("get %s: %w: %s", path, errNotOffered, resp.Status)
	default:
		err = fmt.Errorf("get %s: %s", path, resp.Status)
	}
	return nil, errors.Join(err, resp.Body.Close())
}

// getBody asks for a path and returns the whole answer, in the time that is given.
func (f *follower) getBody(ctx context.Context, path string, within time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	resp, err := f.get(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := readBody(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return body, nil
}

// sleep returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Config says how to reach the models.
type Config struct {
	// Dial connects to the gateway; required. Each connection carries HTTP/1.1.
	Dial func(ctx context.Context) (net.Conn, error)
	// Silence is after which time without a byte an answer is given up; 0: 10 minutes. Local models can read for long before they speak.
	Silence time.Duration
}

// Client asks models through the gateway.
type Client struct {
	http    *http.Client
	silence time.Duration
}

// The gateway's addresses. The host name is never resolved.
const (
	anthropicURL = "http://gateway/anthropic/"
	openaiURL    = "http://gateway/openai/v1/"
)

const (
	defaultSilence  = 10 * time.Minute
	idleLimit       = 90 * time.Second
	maxHeader       = 64 << 10
	maxIdle         = 2
	defaultMaxToken = 16384
)

var (
	errDial   = errors.New("reach the host")
	errSilent = errors.New("the model's server fell silent")
)

// New returns a client. It connects when it is asked something.
func New(cfg Config) *Client {
	if cfg.Silence <= 0 {
		cfg.Silence = defaultSilence
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := cfg.Dial(ctx)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errDial, err)
			}
			return conn, nil
		},
		Proxy:                  nil, // the environment's proxy is not for us
		DisableCompression:     true,
		MaxIdleConns:           maxIdle,
		IdleConnTimeout:        idleLimit,
		MaxResponseHeaderBytes: maxHeader,
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{Transport: transport, CheckRedirect: refuse}, silence: cfg.Silence}
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Stream asks, calls on with what arrives, and returns the whole answer. When ctx ends it returns at once, what has arrived by then, and
// ctx's error: the blocks that were complete, and text that was not. Other errors are [*Error], and then too there is what has arrived.
func (c *Client) Stream(ctx context.Context, req Request, on func(Delta)) (Response, error) {
	provider := c.anthropic
	if req.Model.Provider == OpenAI {
		provider = c.openai
	}
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := &watch{limit: c.silence}
	watch.timer = time.AfterFunc(c.silence, func() { cancel(errSilent) })
	defer watch.timer.Stop()
	col := newCollector(on)
	err := provider(watched, req, watch, col)
	res := col.response()
	switch {
	case ctx.Err() != nil:
		return res, ctx.Err()
	case errors.Is(err, errFull):
		res.Stop = StopLength
		return res, nil
	case errors.Is(context.Cause(watched), errSilent):
		return res, &Error{Reason: BrokenOff, Message: errSilent.Error(), Err: errSilent}
	case err != nil:
		return res, failure(err, col.began)
	}
	return res, nil
}

// headers are what the gateway's books need.
func headers(req Request) map[string]string {
	return map[string]string{
		"X-Sketch-Model":   req.Model.Name,
		"X-Sketch-Turn":    strconv.Itoa(req.Turn),
		"X-Sketch-Purpose": req.Purpose,
	}
}

// watch notices a server that sends nothing.
type watch struct {
	timer *time.Timer
	limit time.Duration
}

// middleware reads answers that are errors, since not every server words them as the providers' libraries expect, and lets every byte of
// the others count as a sign of life, those that the libraries keep to themselves included.
func (w *watch) middleware(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	res, err := next(req)
	if err != nil {
		return res, err
	}
	w.timer.Reset(w.limit)
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
		return nil, refusal(res.Header.Get(headerError), res.StatusCode, string(body), err)
	}
	res.Body = &watchedBody{ReadCloser: res.Body, watch: w, left: maxAnswerBytes}
	return res, nil
}

// maxErrorBytes bounds the body of an error.
const maxErrorBytes = 64 << 10

// maxAnswerBytes bounds the bytes of an answer, events and all.
const maxAnswerBytes = 256 << 20

type watchedBody struct {
	io.ReadCloser
	watch *watch
	left  int
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errFull
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	if n > 0 {
		b.watch.timer.Reset(b.watch.limit)
	}
	return n, err
}

package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Limits of the wait for a server that does not answer, or not well.
const (
	maxRetryAfter = 2 * time.Minute // a server that wants more is not waited for
	maxErrorBody  = 64 << 10
	firstBytes    = 32 << 10
)

// attempt is how one attempt ended that will be no answer.
type attempt struct {
	status int // 0: nothing came
	reason string
	after  time.Duration // the server's own wish; 0: none
	final  bool          // another one is of no use
	taken  bool          // the request went out whole, and nothing tells what became of it
	used   Usage         // as the server reported it
	inside string        // reason, for the container; empty: the same
}

// reach gets an answer and its first bytes, trying again where that may help. Nothing has been passed on until it returns, so that a retry cannot be seen.
func (a *Account) reach(ctx context.Context, req request, header http.Header) (*http.Response, []byte, error) {
	key, err := a.gateway.key(ctx, req.model)
	if err != nil {
		return nil, nil, err
	}
	defer a.setRetrying(Retry{})
	for n := 1; ; n++ {
		res, first, failed := a.gateway.attempt(ctx, req, header, key)
		if failed == nil {
			return res, first, nil
		}
		a.spendFailed(req, failed)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if failed.status == http.StatusUnauthorized && n == 1 && len(req.model.APIKeyCommand) > 0 {
			a.gateway.keys.forget(req.model) // it may have been changed since
			if key, err = a.gateway.key(ctx, req.model); err != nil {
				return nil, nil, err
			}
			continue
		}
		wait := a.gateway.backoff(n, failed.after)
		if failed.final || n >= a.gateway.cfg.Attempts || wait > maxRetryAfter {
			return nil, nil, failed.refusal(req.model)
		}
		a.gateway.cfg.Log.Info("model's server did not answer", "model", req.model.Name, "attempt", n, "reason", failed.reason, "wait", wait)
		a.setRetrying(Retry{Model: req.model.Name, Attempt: n, Reason: failed.reason, Until: time.Now().Add(wait)})
		if err := sleep(ctx, wait); err != nil {
			return nil, nil, err
		}
	}
}

// spendFailed counts an attempt that will be no answer: what the server reported, or else what it was given, unless it said that it did nothing.
func (a *Account) spendFailed(req request, failed *attempt) {
	switch {
	case req.route.free:
	case failed.used != Usage{}:
		a.count(failed.used)
	case failed.taken:
		a.spendAbandoned(req)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// key finds the model's key.
func (g *Gateway) key(ctx context.Context, m Model) (string, error) {
	key, err := g.keys.find(ctx, m)
	if err != nil {
		return "", refusePrivately(http.StatusUnauthorized, "noModel", err, "there is no key for "+m.Name+"; the editor says why")
	}
	if key != "" && plain(m.base(g.cfg.Getenv)) {
		err := &KeyError{m.Name, "it would be sent unencrypted to " + m.base(g.cfg.Getenv), "Use an https:// address, or no key."}
		return "", refusePrivately(http.StatusUnauthorized, "noModel", err, "the key of "+m.Name+" would be sent unencrypted")
	}
	return key, nil
}

// attempt makes one request. Either it returns an answer and its first bytes, or why there is none.
func (g *Gateway) attempt(ctx context.Context, req request, header http.Header, key string) (*http.Response, []byte, *attempt) {
	var taken atomic.Bool
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) { taken.Store(info.Err == nil) }}
	out, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, req.model.base(g.cfg.Getenv)+req.route.path, nil)
	if err != nil {
		return nil, nil, &attempt{reason: err.Error(), final: true, inside: "its address is none"}
	}
	body := newPayload(req.body)
	body.attach(out)
	g.head(out, header, req.model.Provider, key)
	res, err := g.client.Do(out)
	if err != nil {
		return nil, nil, &attempt{reason: redact(err.Error(), key), taken: taken.Load(), inside: "its server cannot be reached"}
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		return nil, nil, failedAnswer(res, req.model, key)
	}
	first := make([]byte, firstBytes)
	n, err := res.Body.Read(first)
	if n == 0 && err != nil {
		res.Body.Close()
		return nil, nil, &attempt{
			reason: "the connection broke before the answer: " + redact(err.Error(), key), taken: true, inside: "the connection broke before the answer",
		}
	}
	body.drop() // no further attempt follows
	return res, first[:n], nil
}

// passed are the headers of the container that go on; everything else stays here.
var passed = []string{"Accept", "Anthropic-Version"} //nolint:gochecknoglobals // a table

func (g *Gateway) head(out *http.Request, header http.Header, p Provider, key string) {
	for _, name := range passed {
		if value := header.Get(name); value != "" && len(value) < 1<<10 {
			out.Header.Set(name, value)
		}
	}
	if known := knownBetas(header); known != "" && p == Anthropic {
		out.Header.Set("Anthropic-Beta", known)
	}
	out.Header.Set("Content-Type", "application/json")
	out.Header.Set("User-Agent", strings.TrimSpace("sketch-ide "+g.cfg.Version))
	switch {
	case key == "":
	case p == Anthropic:
		out.Header.Set("X-Api-Key", key)
	default:
		out.Header.Set("Authorization", "Bearer "+key)
	}
}

// failedAnswer reads why a server did not do what it was asked.
func failedAnswer(res *http.Response, m Model, key string) *attempt {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	if err != nil && len(body) == 0 {
		body = []byte(err.Error())
	}
	a := &attempt{status: res.StatusCode, after: retryAfter(res.Header, time.Now())}
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		a.reason, a.final = "it redirects elsewhere, which is not followed with a key", true
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		// Its own words may quote a part of the key.
		a.reason, a.final = "the key was refused ("+strconv.Itoa(res.StatusCode)+")", true
	default:
		text, own := errorText(body)
		a.reason = fmt.Sprintf("%d %s", res.StatusCode, redact(text, key))
		a.final = !retryable(res)
		if !own || res.StatusCode >= 500 { // the page of a proxy, or what went wrong there
			a.inside = fmt.Sprintf("its server answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
		}
	}
	told := meter{provider: m.Provider, whole: body}
	if used, ok := told.reported(m.Prices); ok {
		a.used = used
	}
	return a
}

func retryable(res *http.Response) bool {
	switch res.Header.Get("X-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	switch res.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return res.StatusCode >= 500
}

// retryAfter is when a server wants to be asked again: Retry-After in seconds or as a date (RFC 9110 §10.2.3), or the milliseconds that some send.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(min(ms, 1e9)) * time.Millisecond
	}
	text := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 {
		return time.Duration(min(s, 1e6) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// backoff is how long to wait after n attempts: doubled each time, by chance a quarter more or less, and not less than the server wishes.
func (g *Gateway) backoff(n int, wish time.Duration) time.Duration {
	d := g.cfg.BackoffMin << min(n-1, 20)
	d = min(d, g.cfg.BackoffMax)
	d += time.Duration((rand.Float64() - 0.5) / 2 * float64(d)) //nolint:gosec // a chance, no secret
	return max(d, wish)
}

func (a *attempt) refusal(m Model) error {
	status := a.status
	switch {
	case status == 0 || status >= 300 && status < 400:
		status = http.StatusBadGateway
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return refuse(status, "noModel", &KeyError{m.Name, a.reason, "Look whether the key is right and may use this model."})
	}
	return refusePrivately(status, "model", errors.New(m.Name+": "+a.reason), m.Name+": "+withoutAddresses(cmp.Or(a.inside, a.reason)))
}

// address is what may say where on the host, or beyond it, something is.
var address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?`)

func withoutAddresses(text string) string { return address.ReplaceAllString(text, "…") }

// redact takes a key out of a text that comes from elsewhere.
func redact(text, key string) string {
	if key == "" {
		return text
	}
	return strings.ReplaceAll(text, key, "…")
}

package browser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
)

// Time limits.
const (
	startLimit  = 60 * time.Second // Chromium's first start on a slow disk
	actionLimit = 30 * time.Second
	probeLimit  = 10 * time.Second
)

// Config says which browser.
type Config struct {
	URL    string // ws:// or http:// of a DevTools endpoint; empty: a Chromium of this machine
	Env    []string
	Log    *slog.Logger  // nil discards
	Action time.Duration // limit of an action; 0: 30 s
}

// ErrNone is returned where there is no Chromium.
var ErrNone = errors.New("there is no Chromium here")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the browser is closed")

// ErrHung is returned for a page that answered no more; the browser was ended.
var ErrHung = errors.New("the page hung, and the browser was ended")

// ErrTime is returned for an action that took too long.
var ErrTime = errors.New("it took too long")

// Browser is a tab of a browser. It is safe for concurrent use.
type Browser struct {
	cfg  Config
	turn chan struct{} // of one: who holds it may act
	tab  *tab          // nil: not started. Used by whoever holds the turn.
	// suspect says that an action was cancelled, after which the page may hang. Used by whoever holds the turn.
	suspect bool
	closed  bool // used by whoever holds the turn

	mu  sync.Mutex // guards url
	url string
}

// New returns a browser that is not started.
func New(cfg Config) *Browser {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Action == 0 {
		cfg.Action = actionLimit
	}
	return &Browser{cfg: cfg, url: cfg.URL, turn: make(chan struct{}, 1)}
}

// SetURL changes the DevTools address for the next action.
func (b *Browser) SetURL(url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.url = url
}

func (b *Browser) address() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.url
}

// tab is a started browser.
type tab struct {
	url     string // its address; empty: started here
	ctx     context.Context
	end     func() // ends it and waits
	console *console
}

// gone reports whether the browser has ended.
func (t *tab) gone() bool {
	select {
	case <-t.ctx.Done():
		return true
	case <-chromedp.FromContext(t.ctx).Browser.LostConnection: // it was started
		return true
	default:
		return false
	}
}

// commands are the names by which Chromium is installed.
var commands = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell", "chrome-headless-shell",
	"/headless-shell/headless-shell", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// allocator returns the context that begins or reaches a browser. end ends the browser and waits.
func (b *Browser) allocator(url string) (ctx context.Context, end context.CancelFunc, err error) {
	if url != "" {
		ctx, end = remote.NewAllocator(context.Background(), url)
		return ctx, end, nil
	}
	path := proc.Find(b.cfg.Env, commands...)
	if path == "" {
		return nil, nil, ErrNone
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800), chromedp.Flag("disable-quic", true), chromedp.Env(b.cfg.Env...))
	ctx, end = chromedp.NewExecAllocator(context.Background(), options...)
	return ctx, end, nil
}

// open starts the browser, unless it runs.
func (b *Browser) open(ctx context.Context) (*tab, error) {
	if b.closed {
		return nil, ErrClosed
	}
	url := b.address()
	if b.tab != nil && b.suspect {
		b.probe(b.tab)
	}
	b.suspect = false
	if b.tab != nil && !b.tab.gone() && b.tab.url == url {
		return b.tab, nil
	}
	b.drop()
	allocator, endAllocator, err := b.allocator(url)
	if err != nil {
		return nil, err
	}
	t := &tab{url: url, console: &console{}}
	tabCtx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(b.debugf), chromedp.WithLogf(b.debugf))
	t.ctx = tabCtx
	var reading sync.WaitGroup
	t.end = func() {
		cancel()
		endAllocator()
		reading.Wait()
	}
	// The first use of the context decides how long the tab lives, so that it cannot have a limit of its own.
	stop := context.AfterFunc(ctx, cancel)
	timer := time.AfterFunc(startLimit, cancel)
	err = chromedp.Do(tabCtx)
	timer.Stop()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		t.end()
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	messages, dialogs := chromedp.Console(tabCtx), chromedp.Events(tabCtx, page.JavascriptDialogOpening)
	// Both are ended by the end of the tab, and waited for by end.
	reading.Go(func() { t.console.read(messages) })
	reading.Go(func() { t.answerDialogs(dialogs) })
	b.tab = t
	return t, nil
}

func (b *Browser) debugf(format string, args ...any) {
	b.cfg.Log.Debug("browser", "message", fmt.Sprintf(format, args...))
}

func (b *Browser) drop() {
	if b.tab != nil {
		b.tab.end()
		b.tab = nil
	}
}

// act runs an action in the tab, alone and within the time limit.
func (b *Browser) act(ctx context.Context, action func(ctx context.Context, t *tab) error) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	t, err := b.open(ctx)
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	within, cancel := context.WithTimeout(t.ctx, b.cfg.Action)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err = action(within, t)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		b.suspect = true // whoever cancels does not wait for the probe
		return ctx.Err()
	case t.gone():
		b.drop()
		return fmt.Errorf("the browser has ended: %w", err)
	case within.Err() != nil:
		if !b.probe(t) {
			return ErrHung
		}
		return fmt.Errorf("%w: %w", ErrTime, err)
	}
	return err
}

// probe ends a browser whose page does not answer.
func (b *Browser) probe(t *tab) bool {
	ctx, cancel := context.WithTimeout(t.ctx, probeLimit)
	defer cancel()
	if n, err := chromedp.Run(ctx, chromedp.Evaluate[int]("1")); err != nil || n != 1 {
		b.drop()
		return false
	}
	return true
}

// Close ends the browser.
func (b *Browser) Close() {
	b.turn <- struct{}{} // an action ends within its limit; those of a session that ends are cancelled
	defer func() { <-b.turn }()
	b.closed = true
	b.drop()
}

// short cuts a text of a page.
func short(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit] + " […]"
	}
	return strings.ToValidUTF8(text, "")
}

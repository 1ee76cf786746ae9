package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Bounds of what comes from a page.
const (
	maxPageText = 6000
	maxValue    = 32 << 10
	maxHeight   = 8000 // pixels of a whole page's picture
	maxSide     = 4000 // of the window
)

// Page is what is seen of a page.
type Page struct {
	URL, Title string
	Status     int    // of HTTP; 0: unknown
	Text       string // the visible text, or its beginning
}

// ErrLoad is wrapped by the error of a page that did not load.
var ErrLoad = errors.New("the page did not load")

// Navigate loads a page and waits for it. Sizes of 0 leave the window as it is.
func (b *Browser) Navigate(ctx context.Context, url string, width, height int) (p Page, err error) {
	err = b.act(ctx, func(ctx context.Context, _ *tab) error {
		if width > 0 && height > 0 {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(min(width, maxSide)), int64(min(height, maxSide)))); err != nil {
				return err
			}
		}
		response, err := chromedp.Run(ctx, chromedp.NavigateResponse(url))
		if load := new(chromedp.LoadError); errors.As(err, &load) {
			return fmt.Errorf("%w: %s", ErrLoad, load.ErrorText)
		}
		if err != nil {
			return err
		}
		if response != nil {
			p.Status = int(response.Status)
		}
		return p.look(ctx)
	})
	return p, err
}

// look reads what the page is.
func (p *Page) look(ctx context.Context) error {
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[Page](
		fmt.Sprintf(`({URL: location.href.slice(0, 2000), Title: document.title.slice(0, 500), Text: (document.body ? document.body.innerText : "").slice(0, %d)})`, maxPageText)))
	if err != nil {
		return err
	}
	p.URL, p.Title, p.Text = short(seen.URL, 2000), short(seen.Title, 2000), short(seen.Text, 4*maxPageText)
	return nil
}

// Eval evaluates an expression, awaits it if it is a promise, and returns it as JSON, or a string as it is. An exception is an [ExceptionError].
func (b *Browser) Eval(ctx context.Context, expression string) (value string, err error) {
	err = b.act(ctx, func(ctx context.Context, _ *tab) error {
		yes := true
		params := runtime.EvaluateParams{
			Expression: expression, AwaitPromise: &yes, ReturnByValue: &yes, UserGesture: &yes, Timeout: runtime.TimeDelta(b.cfg.Action.Milliseconds() * 2 / 3),
		}
		answer, err := chromedp.Call(ctx, runtime.Evaluate, params)
		if e := answer.ExceptionDetails; err == nil && e != nil && e.Exception != nil && strings.Contains(e.Exception.Description, "await is only valid") {
			params.ReplMode = &yes // it allows await outside of functions, but awaits nothing else
			answer, err = chromedp.Call(ctx, runtime.Evaluate, params)
		}
		if err != nil {
			return err
		}
		if e := answer.ExceptionDetails; e != nil {
			text := e.Text
			if e.Exception != nil && e.Exception.Description != "" {
				text = e.Exception.Description
			} else if e.Exception != nil {
				text += " " + show(e.Exception)
			}
			return &ExceptionError{short(text, maxMessage)}
		}
		value = show(answer.Result)
		return nil
	})
	return value, err
}

// ExceptionError is what a script threw.
type ExceptionError struct{ Text string }

// Error implements error.
func (e *ExceptionError) Error() string { return e.Text }

func show(o *runtime.RemoteObject) string {
	if o == nil {
		return "undefined"
	}
	var text string
	switch raw := []byte(o.Value); {
	case len(raw) == 0 && o.UnserializableValue != "":
		text = string(o.UnserializableValue)
	case len(raw) == 0 && o.Description != "":
		text = o.Description
	case len(raw) == 0:
		text = string(o.Type)
	case raw[0] != '"' || json.Unmarshal(raw, &text) != nil:
		text = string(raw)
	}
	return short(text, maxValue)
}

// Click clicks on the first element that a CSS selector matches, once it is visible.
func (b *Browser) Click(ctx context.Context, selector string) (p Page, err error) {
	err = b.act(ctx, func(ctx context.Context, _ *tab) error {
		if err := within(ctx, selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
			return err
		}
		return p.look(ctx)
	})
	return p, err
}

// Type types text into the first element that a CSS selector matches, after what is there or in its place, and then Enter if asked to.
func (b *Browser) Type(ctx context.Context, selector, text string, clear, enter bool) (p Page, err error) {
	err = b.act(ctx, func(ctx context.Context, _ *tab) error {
		if err := within(ctx, selector, chromedp.WaitVisible(chromedp.CSS(selector))); err != nil {
			return err
		}
		if clear {
			if err := chromedp.Do(ctx, chromedp.Clear(chromedp.CSS(selector))); err != nil {
				return err
			}
		}
		if enter {
			text += kb.Enter
		}
		if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(selector), text)); err != nil {
			return err
		}
		return p.look(ctx)
	})
	return p, err
}

// NoElementError says that nothing visible matches a selector.
type NoElementError struct{ Selector string }

// Error implements error.
func (e *NoElementError) Error() string {
	return fmt.Sprintf("nothing that is visible matches %q", short(e.Selector, 200))
}

// within gives an element a third of the time to appear.
func within(ctx context.Context, selector string, action chromedp.Action[chromedp.Void]) error {
	deadline, _ := ctx.Deadline() // act has set one
	some, cancel := context.WithTimeout(ctx, time.Until(deadline)/3)
	defer cancel()
	err := chromedp.Do(some, action)
	if err != nil && some.Err() != nil && ctx.Err() == nil {
		return &NoElementError{selector}
	}
	return err
}

// Console returns what the page has written lately, oldest first, and how much was dropped.
func (b *Browser) Console(ctx context.Context, clear bool) (lines []string, dropped int, err error) {
	err = b.act(ctx, func(_ context.Context, t *tab) error {
		lines, dropped = t.console.take(clear)
		return nil
	})
	return lines, dropped, err
}

// Screenshot returns a PNG of the first element that a selector matches, of the whole page, or of the window.
func (b *Browser) Screenshot(ctx context.Context, selector string, full bool) (png []byte, p Page, err error) {
	err = b.act(ctx, func(ctx context.Context, _ *tab) error {
		clip, beyond := (*page.Viewport)(nil), full || selector != ""
		if beyond {
			if clip, err = clipOf(ctx, selector); err != nil {
				return err
			}
		}
		answer, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, Clip: clip, CaptureBeyondViewport: &beyond})
		if err != nil {
			return err
		}
		png = answer.Data
		return p.look(ctx)
	})
	return png, p, err
}

// clipOf measures an element, or the whole page, bounded.
func clipOf(ctx context.Context, selector string) (*page.Viewport, error) {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return nil, err
	}
	type box struct{ X, Y, W, H float64 }
	r, err := chromedp.Run(ctx, chromedp.Evaluate[*box](fmt.Sprintf(`(s => {
		const d = document.documentElement
		if (s === "") return {X: 0, Y: 0, W: d.scrollWidth, H: d.scrollHeight}
		const e = document.querySelector(s), r = e && e.getBoundingClientRect()
		return r && r.width > 0 && r.height > 0 ? {X: r.x + scrollX, Y: r.y + scrollY, W: r.width, H: r.height} : null
	})(%s)`, quoted)))
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, &NoElementError{selector}
	}
	return &page.Viewport{X: r.X, Y: r.Y, Width: min(max(r.W, 1), maxSide), Height: min(max(r.H, 1), maxHeight), Scale: 1}, nil
}

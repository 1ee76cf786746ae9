package tools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/browser"
)

type navigateInput struct {
	URL    string `json:"url" jsonschema:"Address, such as http://localhost:3000/."`
	Width  int    `json:"width,omitempty" jsonschema:"Width of the window in pixels from here on; with height."`
	Height int    `json:"height,omitempty" jsonschema:"Height of the window in pixels."`
}

type evalInput struct {
	Expression string `json:"expression" jsonschema:"JavaScript; a promise is awaited."`
}

type clickInput struct {
	Selector string `json:"selector" jsonschema:"CSS selector; the first match is clicked, once it is visible."`
}

type typeInput struct {
	Selector string `json:"selector" jsonschema:"CSS selector of the field."`
	Text     string `json:"text" jsonschema:"What to type."`
	Clear    bool   `json:"clear,omitempty" jsonschema:"Empty the field first."`
	Enter    bool   `json:"enter,omitempty" jsonschema:"Press Enter afterwards."`
}

type consoleInput struct {
	Clear bool `json:"clear,omitempty" jsonschema:"Forget the messages after reading them."`
}

type screenshotInput struct {
	Selector string `json:"selector,omitempty" jsonschema:"CSS selector: only this element."`
	Full     bool   `json:"full,omitempty" jsonschema:"The whole page, not only what the window shows."`
}

// web returns the browser's tools.
func (s *Set) web() []Tool {
	return []Tool{
		newTool("browser_navigate", "Loads a page in a headless browser in this container and returns its status, title and visible text. Servers here are reached on localhost.",
			func(in navigateInput) string { return in.URL }, s.navigate),
		newTool("browser_eval", "Evaluates JavaScript in the page and returns the value as JSON.",
			func(in evalInput) string { return in.Expression },
			func(ctx context.Context, _ Call, in evalInput) (Result, error) {
				value, err := s.browser.Eval(ctx, in.Expression)
				return s.webResult(ctx, value, err)
			}),
		newTool("browser_click", "Clicks on an element of the page.",
			func(in clickInput) string { return in.Selector },
			func(ctx context.Context, _ Call, in clickInput) (Result, error) {
				page, err := s.browser.Click(ctx, in.Selector)
				return s.webResult(ctx, describePage(page), err)
			}),
		newTool("browser_type", "Types text into a field of the page.",
			func(in typeInput) string { return in.Selector },
			func(ctx context.Context, _ Call, in typeInput) (Result, error) {
				page, err := s.browser.Type(ctx, in.Selector, in.Text, in.Clear, in.Enter)
				return s.webResult(ctx, describePage(page), err)
			}),
		newTool("browser_console", "Returns what the pages have written to the console lately: messages, exceptions, failed requests, dialogs.",
			func(consoleInput) string { return "console" }, s.console),
		newTool("browser_screenshot", "Takes a picture of the page, which you see and the user too.",
			func(in screenshotInput) string { return in.Selector }, s.screenshot),
		newTool("read_image", "Looks at an image file: PNG, JPEG, GIF or WebP.",
			func(in imageInput) string { return in.Path }, s.readImage),
	}
}

func (s *Set) navigate(ctx context.Context, _ Call, in navigateInput) (Result, error) {
	if !strings.Contains(in.URL, ":") {
		return failed("The address needs its scheme, such as http://localhost:3000/."), nil
	}
	if (in.Width != 0) != (in.Height != 0) || in.Width < 0 || in.Height < 0 {
		return failed("Give width and height, both positive, or neither."), nil
	}
	page, err := s.browser.Navigate(ctx, in.URL, in.Width, in.Height)
	return s.webResult(ctx, describePage(page), err)
}

func describePage(p browser.Page) string {
	var b strings.Builder
	if p.Status != 0 {
		fmt.Fprintf(&b, "status %d\n", p.Status)
	}
	fmt.Fprintf(&b, "url %s\ntitle %s\n\n%s", p.URL, p.Title, p.Text)
	return b.String()
}

func (s *Set) console(ctx context.Context, _ Call, in consoleInput) (Result, error) {
	lines, dropped, err := s.browser.Console(ctx, in.Clear)
	text := strings.Join(lines, "\n")
	if text == "" {
		text = "Nothing."
	}
	if dropped > 0 {
		text = fmt.Sprintf("[%d older messages were dropped]\n%s", dropped, text)
	}
	return s.webResult(ctx, text, err)
}

func (s *Set) screenshot(ctx context.Context, _ Call, in screenshotInput) (Result, error) {
	data, page, err := s.browser.Screenshot(ctx, in.Selector, in.Full)
	result, err := s.webResult(ctx, fmt.Sprintf("url %s\ntitle %s", page.URL, page.Title), err)
	if err != nil || result.Failed {
		return result, err
	}
	result.addImage(data)
	if path := s.keepScreenshot(data); path != "" {
		result.Text += "\nfile " + path
	}
	return result, nil
}

const maxScreenshots = 50

// keepScreenshot writes a picture beside the long outputs, over the one of 50 pictures ago. Empty: it could not be kept.
func (s *Set) keepScreenshot(data []byte) string {
	if s.cfg.State == "" {
		return ""
	}
	dir := filepath.Join(s.cfg.State, "screenshots")
	path := filepath.Join(dir, fmt.Sprintf("screenshot-%d.png", (s.screenshots.Add(1)-1)%maxScreenshots+1))
	if os.MkdirAll(dir, 0o700) != nil || os.WriteFile(path, data, 0o600) != nil {
		return ""
	}
	return path
}

// webResult tells the model what went wrong in the browser.
func (s *Set) webResult(ctx context.Context, text string, err error) (Result, error) {
	exception, none := new(browser.ExceptionError), new(browser.NoElementError)
	switch {
	case err == nil:
		return Result{Text: text}, nil
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case errors.Is(err, browser.ErrNone):
		return failed("There is no browser in this container. Install Chromium (Debian, Ubuntu: apt-get install -y chromium; Alpine: apk add chromium), or ask the user to set sketch.browserUrl to the DevTools address of one."), nil
	case errors.Is(err, browser.ErrLoad):
		return failed(fmt.Sprintf("%v. Does the server run? The tools ports and jobs show it.", err)), nil
	case errors.As(err, &exception):
		return failed(exception.Text), nil
	case errors.As(err, &none):
		return failed(fmt.Sprintf("It was not done: %v. Look at the page with browser_screenshot or browser_eval.", err)), nil
	case errors.Is(err, browser.ErrHung):
		return failed("The page hung and was closed with the browser. Load it again."), nil
	}
	return failed(fmt.Sprintf("The browser failed: %v.", err)), nil
}

type imageInput struct {
	Path string `json:"path" jsonschema:"The file, relative to the workspace or absolute."`
}

func (s *Set) readImage(ctx context.Context, _ Call, in imageInput) (Result, error) {
	content, err := s.files.Read(ctx, in.Path, 1, 1)
	if err != nil {
		return s.fileResult(ctx, "", err)
	}
	if content.Image == nil {
		return failed("This is no PNG, JPEG, GIF or WebP image."), nil
	}
	result := Result{Text: content.Text}
	result.addImage(content.Image)
	result.Failed = len(result.Images) == 0
	return result, nil
}

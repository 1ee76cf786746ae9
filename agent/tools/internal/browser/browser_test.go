package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site has a page for each thing that is tested.
func site(t *testing.T) string {
	t.Helper()
	pages := map[string]string{
		"/":        `<title>Home</title><h1>Hello</h1><form action="/sent"><input id=q name=q value=old><button id=go>Go</button></form><p hidden id=no>x</p>`,
		"/sent":    `<title>Sent</title><script>document.write("<p>got " + decodeURIComponent(location.search).replace("<", "&lt;") + "</p>")</script>`,
		"/console": `<script>console.log("one", {a: 1}); console.error("bad"); setTimeout(() => { throw new Error("thrown") }); Promise.reject(new Error("rejected"))</script><img src=/missing.png>`,
		"/dialog":  `<title>Dialog</title><script>document.title = prompt("Who?", "me") + confirm("Sure?"); alert("bye")</script>`,
		"/tall":    `<body style="margin:0"><div id=box style="width:300px;height:20000px;background:red"></div>`,
		"/flood":   `<script>for (let i = 0; i < 1000; i++) console.log("x".repeat(5000) + i); console.log("last")</script>`,
		"/long":    `<script>document.write("<p>é</p>".repeat(20000))</script>`,
		"/late":    `<script>setTimeout(() => document.body.innerHTML = "<button id=late onclick='document.title=1'>x</button>", 300)</script><body>`,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func newBrowser(t *testing.T, cfg Config) *Browser {
	t.Helper()
	b := New(cfg)
	t.Cleanup(b.Close)
	return b
}

// TestBrowser does with one browser, whose start takes longest, what an agent does.
func TestBrowser(t *testing.T) {
	t.Parallel()
	url := site(t)
	b := newBrowser(t, Config{Action: tooltest.Patience})
	ctx := t.Context()
	p, err := b.Navigate(ctx, url+"/", 800, 600)
	if err != nil || p.Title != "Home" || p.Status != 200 || p.URL != url+"/" || !strings.Contains(p.Text, "Hello") {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := b.Navigate(ctx, url+"/nowhere", 0, 0); err != nil || p.Status != 404 || !strings.Contains(p.Text, "not here") {
		t.Errorf("missing page: %+v, %v", p, err)
	}
	if p, err := b.Navigate(ctx, url+"/long", 0, 0); err != nil || len(p.Text) < 1000 || len(p.Text) > 3*maxPageText {
		t.Errorf("long page: %d bytes, %v", len(p.Text), err)
	}
	if _, err := b.Navigate(ctx, "http://127.0.0.1:1/", 0, 0); !errors.Is(err, ErrLoad) {
		t.Errorf("refused: %v", err)
	}
	t.Run("form", func(t *testing.T) { testForm(t, b, url) })
	t.Run("scripts", func(t *testing.T) { testEval(t, b, url) })
	t.Run("console", func(t *testing.T) { testConsole(t, b, url) })
	t.Run("pictures", func(t *testing.T) { testScreenshots(t, b, url) })
}

func testForm(t *testing.T, b *Browser, url string) {
	ctx := t.Context()
	if _, err := b.Navigate(ctx, url+"/", 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Type(ctx, "#q", "né <w", true, true); err != nil {
		t.Fatal(err)
	}
	tooltest.Eventually(t, "the form was sent", func() bool {
		text, err := b.Eval(ctx, "document.body ? document.body.innerText : ''")
		return err == nil && strings.Contains(text, "got ?q=né+<w")
	})
	if _, err := b.Navigate(ctx, url+"/late", 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Click(ctx, "#late"); err != nil { // which comes later
		t.Fatal(err)
	}
	if title, err := b.Eval(ctx, "document.title"); err != nil || title != "1" {
		t.Errorf("%q, %v", title, err)
	}
}

func testEval(t *testing.T, b *Browser, url string) {
	ctx := t.Context()
	if _, err := b.Navigate(ctx, url+"/", 0, 0); err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		"1 + 1": "2", `"a\nb"`: "a\nb", "undefined": "undefined", "null": "null", "({a: [1, 'x']})": `{"a":[1,"x"]}`, "1n": "1n", "1/0": "Infinity",
		"Promise.resolve(7)": "7", "await fetch('/').then(r => r.status)": "200", "let x = 5; x": "5", "": "undefined",
	} {
		if got, err := b.Eval(ctx, expression); err != nil || got != want {
			t.Errorf("%s: %q, %v", expression, got, err)
		}
	}
	for expression, want := range map[string]string{"nope()": "ReferenceError: nope is not defined", "}": "SyntaxError", "throw 5": "5", "Promise.reject(new Error('no'))": "Error: no"} {
		exception := new(ExceptionError)
		if _, err := b.Eval(ctx, expression); !errors.As(err, &exception) || !strings.Contains(exception.Text, want) {
			t.Errorf("%s: %v", expression, err)
		}
	}
	if got, err := b.Eval(ctx, "'x'.repeat(1e6)"); err != nil || len(got) > maxValue+10 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func testConsole(t *testing.T, b *Browser, url string) {
	ctx := t.Context()
	read := func(page, want string) []string {
		t.Helper()
		if _, _, err := b.Console(ctx, true); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Navigate(ctx, url+page, 0, 0); err != nil {
			t.Fatal(err)
		}
		var lines []string
		tooltest.Eventually(t, want, func() bool {
			lines, _, _ = b.Console(ctx, false)
			return strings.Contains(strings.Join(lines, "\n"), want)
		})
		return lines
	}
	read("/console", "rejected")
	read("/console", "404")
	if all := strings.Join(read("/console", "thrown"), "\n"); !strings.Contains(all, "log: one") || !strings.Contains(all, "error: bad") {
		t.Errorf("console:\n%s", all)
	}
	if lines := read("/flood", "last"); len(lines) > maxMessages {
		t.Errorf("%d lines", len(lines))
	}
	read("/dialog", `alert "bye" was accepted`)
	if title, err := b.Eval(ctx, "document.title"); err != nil || title != "metrue" {
		t.Errorf("%q, %v", title, err)
	}
}

func testScreenshots(t *testing.T, b *Browser, url string) {
	ctx := t.Context()
	if _, err := b.Navigate(ctx, url+"/tall", 640, 480); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		selector string
		full     bool
		w, h     int
	}{{"", false, 640, 480}, {"", true, 0, maxHeight}, {"#box", false, 300, maxHeight}} {
		data, p, err := b.Screenshot(ctx, test.selector, test.full)
		if err != nil || p.URL != url+"/tall" {
			t.Fatalf("%+v: %+v, %v", test, p, err)
		}
		cfg, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || cfg.Height != test.h || test.w != 0 && cfg.Width != test.w {
			t.Errorf("%+v: %d × %d, %v", test, cfg.Width, cfg.Height, err)
		}
	}
	none := new(NoElementError)
	if _, _, err := b.Screenshot(ctx, "#none", false); !errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
}

func TestWhatNeverReturns(t *testing.T) {
	t.Parallel()
	url := site(t)
	b := newBrowser(t, Config{Action: 4 * time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tooltest.Eventually(t, "loaded, within the short limit", func() bool { _, err := b.Navigate(ctx, url+"/", 0, 0); return err == nil })
	none := new(NoElementError)
	if _, err := b.Click(ctx, "#no"); !errors.As(err, &none) && !errors.Is(err, ErrTime) {
		t.Errorf("hidden element: %v", err)
	}
	if _, err := b.Eval(ctx, "new Promise(() => {})"); !errors.Is(err, ErrTime) {
		t.Errorf("a promise that nobody keeps: %v", err)
	}
	if _, err := b.Eval(ctx, "while (true) {}"); err == nil {
		t.Error("a loop without end: no error")
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := b.Eval(ctx, "new Promise(() => {})"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	tooltest.Eventually(t, "it works again", func() bool { n, err := b.Eval(t.Context(), "1"); return err == nil && n == "1" })
}

func TestBrowserDies(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, Config{Action: tooltest.Patience})
	if _, err := b.Eval(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	// Crash kills it at once, in the middle of the call.
	if _, err := chromedp.CallBrowser(b.tab.ctx, browser.Crash, struct{}{}); err == nil {
		t.Error("it lives")
	}
	if n, err := b.Eval(t.Context(), "1"); err != nil || n != "1" {
		t.Errorf("the next: %q, %v", n, err)
	}
}

// TestSidecar reaches a browser that runs already, by its DevTools URL.
func TestSidecar(t *testing.T) {
	t.Parallel()
	path := proc.Find(nil, commands...)
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0", "--user-data-dir="+dir, "about:blank")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		tooltest.Eventually(t, "its files are gone", func() bool { return os.RemoveAll(dir) == nil })
	})
	var address string
	tooltest.Eventually(t, "the browser listens", func() bool {
		data, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		port, _, whole := strings.Cut(string(data), "\n")
		address = "http://127.0.0.1:" + port
		return err == nil && whole
	})
	b := newBrowser(t, Config{URL: "http://127.0.0.1:1", Action: tooltest.Patience})
	b.SetURL(address)
	if p, err := b.Navigate(t.Context(), site(t)+"/", 0, 0); err != nil || p.Title != "Home" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestNoBrowser(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, Config{URL: "http://127.0.0.1:1", Action: tooltest.Patience})
	if _, err := b.Eval(t.Context(), "1"); err == nil {
		t.Error("no error")
	}
	b.Close()
	if _, err := b.Eval(t.Context(), "1"); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

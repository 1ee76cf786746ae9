package tools

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestBrowserTools(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<title>%s</title><script>console.log("loaded")</script><form><input id=q name=q></form><button id=b onclick="document.body.append('clicked')">B</button>`, r.URL.RawQuery)
	}))
	t.Cleanup(web.Close)
	s := newSet(t)
	s.check(t, "browser_navigate", `{"url":"`+web.URL+`/?one","width":400,"height":300}`, false, "status 200\nurl "+web.URL, "title one")
	s.check(t, "browser_click", `{"selector":"#b"}`, false, "clicked")
	s.check(t, "browser_type", `{"selector":"#q","text":"xyz"}`, false, "title one")
	s.check(t, "browser_eval", `{"expression":"document.querySelector('#q').value"}`, false, "xyz")
	s.check(t, "browser_eval", `{"expression":"nope"}`, true, "ReferenceError")
	s.check(t, "browser_console", `{}`, false, "log: loaded")
	r := s.use(t, "browser_screenshot", `{}`)
	r.want(t, false, "title one\nfile "+s.cfg.State)
	if len(r.Images) != 1 || r.Images[0].MIMEType != "image/png" {
		t.Fatalf("%d images", len(r.Images))
	}
	_, path, _ := strings.Cut(r.Text, "\nfile ")
	if r := s.use(t, "read_image", `{"path":"`+path+`"}`); r.Failed || len(r.Images) != 1 {
		t.Errorf("%s, %d images", r.Text, len(r.Images))
	}
	s.check(t, "browser_screenshot", `{"selector":"#none"}`, true, `nothing that is visible matches "#none"`)
	s.check(t, "browser_navigate", `{"url":"http://127.0.0.1:1/"}`, true, "did not load: net::ERR", "Does the server run?")
	s.check(t, "browser_navigate", `{"url":"localhost"}`, true, "scheme")
	s.check(t, "browser_navigate", `{"url":"http://x","width":5}`, true, "both positive")
	s.check(t, "read_image", `{"path":"`+os.Args[0]+`"}`, true, "binary")
}

func TestBrowserThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSet(t, func(cfg *Config) { cfg.BrowserURL = "http://127.0.0.1:1" })
	s.check(t, "browser_eval", `{"expression":"1"}`, true, "The browser failed: start the browser")
}

func TestNoChromium(t *testing.T) {
	t.Parallel()
	s := newSet(t, func(cfg *Config) { cfg.Env = []string{"PATH=" + t.TempDir()} })
	s.check(t, "browser_eval", `{"expression":"1"}`, true, "There is no browser in this container. Install Chromium")
}

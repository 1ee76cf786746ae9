package ports

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ask makes one request of a handler.
func ask(t *testing.T, l *Log, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(l).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return w
}

func TestArray(t *testing.T) {
	t.Parallel()
	l := primed(4)
	tell(l, Opened, Updated, Closed, Opened) // at 1, 2, 3 and 4 seconds
	at := func(at string) string { return "?since=" + url.QueryEscape(at) }
	for _, tt := range []struct {
		name, query string
		want        []uint64
	}{
		{"all", "", []uint64{1, 3, 4}},
		{"empty since", "?since=", []uint64{1, 3, 4}},
		{"strictly after", at("1970-01-01T00:00:03Z"), []uint64{4}},
		{"fractions", at("1970-01-01T00:00:02.999999999Z"), []uint64{3, 4}},
		{"zones", at("1970-01-01T02:00:03+02:00"), []uint64{4}},
		{"unescaped plus", "?since=1970-01-01T02:00:03+02:00", []uint64{4}},
		{"none", at("2100-01-01T00:00:00Z"), []uint64{}},
	} {
		w := ask(t, l, http.MethodGet, "/port-events"+tt.query)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v", tt.name, w.Code, w.Header())
		}
		if got := w.Body.String(); !strings.HasPrefix(got, "[") {
			t.Errorf("%s: no array: %s", tt.name, got)
		}
		var events []Event
		if err := json.Unmarshal(w.Body.Bytes(), &events); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		equal(t, tt.name, seqs(events), tt.want)
		if got := w.Header().Get(overrunHeader); got != "" {
			t.Errorf("%s: overrun %q", tt.name, got)
		}
	}
}

func TestArrayForWhoAcceptsNoStream(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"*/*", "application/json", "text/html,application/xml;q=0.9,*/*;q=0.8", "text/event-streams"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/port-events", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		Handler(primed(0)).ServeHTTP(w, r)
		if got := w.Body.String(); got != "[]\n" {
			t.Errorf("%s: %q", accept, got)
		}
	}
}

func TestArrayTellsOverrun(t *testing.T) {
	t.Parallel()
	l := primed(2)
	tell(l, Opened, Closed, Opened)
	for query, want := range map[string]string{"": "true", "?since=1970-01-01T00:00:00Z": "true", "?since=1970-01-01T00:00:01Z": ""} {
		if got := ask(t, l, http.MethodGet, "/port-events"+query).Header().Get(overrunHeader); got != want {
			t.Errorf("%q: overrun %q, want %q", query, got, want)
		}
	}
}

func TestEventInJSON(t *testing.T) {
	t.Parallel()
	table := newTable()
	l := primed(0)
	table.replace([]Listener{{Addr: listener("[::]:3000", 0).Addr, Inode: 1, UID: 1000}})
	table.name(map[uint32]process{1: {pid: 7, name: "vite", command: "node vite"}})
	l.append(table.publish(time.Date(2025, 6, 1, 12, 0, 0, 123456789, time.UTC)), table.board.open())
	got := strings.ReplaceAll(ask(t, l, http.MethodGet, "/port-events").Body.String(), l.epoch, "EPOCH")
	port := `{"number":3000,"addresses":["::"],"process":"vite","command":"node vite","pid":7,"uid":1000,"since":"2025-06-01T12:00:00.123456789Z"}`
	equal(t, "array", got, `[{"type":"opened","port":"tcp:[::]:3000","timestamp":"2025-06-01T12:00:00.123456789Z",`+
		`"seq":1,"epoch":"EPOCH","number":3000,"address":"::","process":"vite","pid":7,"open":`+port+"}]\n")
	got = strings.ReplaceAll(ask(t, l, http.MethodGet, "/ports").Body.String(), l.epoch, "EPOCH")
	equal(t, "snapshot", got, `{"epoch":"EPOCH","seq":1,"ports":[`+port+`],"ephemeral":[32768,60999]}`+"\n")
	equal(t, "nothing open", strings.Contains(ask(t, primed(0), http.MethodGet, "/ports").Body.String(), `"ports":[]`), true)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	l := primed(0)
	for _, tt := range []struct {
		method, target string
		want           int
	}{
		{http.MethodPost, "/port-events", http.StatusMethodNotAllowed},
		{http.MethodHead, "/port-events", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/ports", http.StatusMethodNotAllowed},
		{http.MethodGet, "/", http.StatusNotFound},
		{http.MethodGet, "/ports/3000", http.StatusNotFound},
		{http.MethodGet, "/port-events?since=yesterday", http.StatusBadRequest},
		{http.MethodGet, "/port-events?since=2025-06-01", http.StatusBadRequest},
		{http.MethodGet, "/port-events?since=1748779200", http.StatusBadRequest},
		{http.MethodGet, "/port-events?since=%zz", http.StatusBadRequest},
		{http.MethodGet, "/port-events?since=2025-06-01T12:00:00Z;x", http.StatusBadRequest},
		{http.MethodGet, "/port-events?after=%zz&wait=30s", http.StatusBadRequest},
		{http.MethodGet, "/port-events?after=", http.StatusBadRequest},
		{http.MethodGet, "/port-events?after=-1", http.StatusBadRequest},
		{http.MethodGet, "/port-events?after=1&wait=30", http.StatusBadRequest},
		{http.MethodGet, "/port-events?after=1&wait=-1s", http.StatusBadRequest},
	} {
		w := ask(t, l, tt.method, tt.target)
		if w.Code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.target, w.Code, tt.want)
		}
		var body struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error == "" {
			t.Errorf("%s %s: body %q", tt.method, tt.target, w.Body)
		}
		if got := w.Header().Get("Allow"); (tt.want == http.StatusMethodNotAllowed) != (got == "GET") {
			t.Errorf("%s %s: Allow %q", tt.method, tt.target, got)
		}
	}
}

func TestBeforeTheFirstScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, path := range []string{"/ports", "/port-events"} {
			began := time.Now()
			if got := ask(t, NewLog(0), http.MethodGet, path).Code; got != http.StatusServiceUnavailable {
				t.Errorf("%s: %d", path, got)
			}
			if got := time.Since(began); got != firstScanWait {
				t.Errorf("%s: waits %v", path, got)
			}
		}
	})
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := primed(2)
		tell(l, Opened, Updated)
		poll := func(query string) (Update, time.Duration) {
			t.Helper()
			began := time.Now()
			w := ask(t, l, http.MethodGet, "/port-events?"+strings.ReplaceAll(query, "EPOCH", l.epoch))
			var update Update
			if err := json.Unmarshal(w.Body.Bytes(), &update); err != nil {
				t.Fatalf("%s: %v: %s", query, err, w.Body)
			}
			if update.Events == nil || update.Snapshot.Ports == nil {
				t.Errorf("%s: null in %s", query, w.Body)
			}
			return update, time.Since(began)
		}
		for _, tt := range []struct {
			query string
			want  []uint64
			wait  time.Duration
		}{
			{"after=0", []uint64{1, 2}, 0},
			{"after=0&wait=30s", []uint64{1, 2}, 0},
			{"after=1&epoch=EPOCH&wait=30s", []uint64{2}, 0},
			{"after=2&epoch=EPOCH", []uint64{}, 0},
			{"after=2&epoch=EPOCH&wait=30s", []uint64{}, 30 * time.Second},
			{"after=2&epoch=EPOCH&wait=9h", []uint64{}, maxWait},
			{"after=1&epoch=other&wait=30s", []uint64{}, 0},
			{"after=9&epoch=EPOCH&wait=30s", []uint64{}, 0},
		} {
			update, took := poll(tt.query)
			equal(t, tt.query, seqs(update.Events), tt.want)
			if took != tt.wait || update.Snapshot.Seq != 2 {
				t.Errorf("%s: took %v, want %v; state at %d", tt.query, took, tt.wait, update.Snapshot.Seq)
			}
		}
		time.AfterFunc(10*time.Second, func() { tell(l, Closed) })
		update, took := poll("after=2&wait=30s")
		equal(t, "while waiting", seqs(update.Events), []uint64{3})
		if took != 10*time.Second {
			t.Errorf("answer after %v", took)
		}
		tell(l, Opened, Closed)
		update, _ = poll("after=0&wait=30s")
		equal(t, "after an overrun", seqs(update.Events), []uint64{})
	})
}

// openStream returns a reader of the text that a handler streams, which ends with the test.
func openStream(t *testing.T, l *Log, lastID string) func(n int) string {
	t.Helper()
	client := serve(t, Handler(l))
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/port-events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json;q=0.1, text/event-stream")
	req.Header.Set("Last-Event-ID", lastID)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); resp.Body.Close() })
	if h := resp.Header; resp.StatusCode != http.StatusOK || h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" || h.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("answer %s, %v", resp.Status, resp.Header)
	}
	// read returns the next n bytes' worth of lines: all that has arrived.
	return func(n int) string {
		t.Helper()
		b := make([]byte, n)
		if _, err := io.ReadFull(resp.Body, b); err != nil {
			t.Fatalf("read stream: %v, after %q", err, b)
		}
		return string(b)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := primed(2)
		expect := func(read func(int) string, want string) {
			t.Helper()
			want = strings.ReplaceAll(want, "EPOCH", l.epoch)
			began := time.Now()
			equal(t, "stream", read(len(want)), want)
			if took := time.Since(began); took > heartbeat {
				t.Errorf("took %v", took)
			}
		}
		event := func(seq string, typ string) string {
			return "event: " + typ + "\nid: EPOCH-" + seq + "\ndata: {\"type\":\"" + typ + "\",\"port\":\"tcp:127.0.0.1:3000\",\"timestamp\":\"1970-01-01T00:00:0" +
				seq + "Z\",\"seq\":" + seq + ",\"epoch\":\"EPOCH\",\"number\":3000,\"address\":\"\"}\n\n"
		}
		snapshot := func(seq string) string {
			return "event: snapshot\nid: EPOCH-" + seq + "\ndata: {\"epoch\":\"EPOCH\",\"seq\":" + seq + ",\"ports\":[],\"ephemeral\":[32768,60999]}\n\n"
		}
		first := openStream(t, l, "")
		expect(first, ": open\n\n"+snapshot("0"))
		tell(l, Opened)
		expect(first, event("1", "opened"))
		tell(l, Updated)
		expect(first, event("2", "updated"))
		expect(first, ": alive\n\n")

		expect(openStream(t, l, l.epoch+"-1"), ": open\n\n"+event("2", "updated"))
		expect(openStream(t, l, l.epoch+"-2"), ": open\n\n: alive\n\n")
		for _, id := range []string{"other-1", l.epoch + "-9", "x"} {
			expect(openStream(t, l, id), ": open\n\n"+snapshot("2"))
		}
		tell(l, Closed, Opened, Closed)
		expect(openStream(t, l, l.epoch+"-1"), ": open\n\n"+snapshot("5"))
	})
}

func TestStreamCutsOffWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := primed(0)
		conn := dial(t, Handler(l))
		if _, err := io.WriteString(conn, "GET /port-events HTTP/1.1\r\nHost: agent\r\nAccept: text/event-stream\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		big := Port{Number: 1, Command: strings.Repeat("x", 64<<10)}
		for range 200 {
			l.append([]Event{{Type: Opened, Open: &big}}, []Port{})
			synctest.Wait()
		}
		time.Sleep(2 * writeWithin)
		// What was under way arrives, and then the end: nobody waits on the other side.
		n, err := io.Copy(io.Discard, conn)
		if err != nil || n > 8<<20 {
			t.Errorf("%d bytes until the end, %v", n, err)
		}
	})
}

package ports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
)

// A dialer is what a network becomes.
type dialer func(context.Context) (net.Conn, error)

// speaker is a server that reads a request and then does as it is told, on one
// connection at a time.
func speaker(t *testing.T, speak func(conn *memconn.Conn)) dialer {
	return func(context.Context) (net.Conn, error) {
		client, server := memconn.Pair()
		ended := make(chan struct{})
		// Ended by the client's closing the connection, waited for by the cleanup.
		go func() {
			defer close(ended)
			buf := make([]byte, 4096)
			if _, err := server.Read(buf); err == nil {
				speak(server)
			}
		}()
		t.Cleanup(func() { client.Close(); server.Close(); <-ended })
		return client, nil
	}
}

// says is a speaker that sends one text, and then stays silent.
func says(t *testing.T, text string) dialer {
	return speaker(t, func(conn *memconn.Conn) {
		_, _ = io.WriteString(conn, text) // the client may not read on
	})
}

const (
	headJSON   = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
	headStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
)

// endless is a speaker that repeats a text for as long as it is read.
func endless(t *testing.T, head, text string) dialer {
	return speaker(t, func(conn *memconn.Conn) {
		_, err := io.WriteString(conn, head)
		for err == nil {
			_, err = io.WriteString(conn, text)
		}
	})
}

// TestFollowSurvives lets a good server become a bad one, and then a good one with another
// state. Whatever the bad one does, nothing is delivered meanwhile, the client does not
// hammer, and the new state is delivered soon after.
func TestFollowSurvives(t *testing.T) {
	t.Parallel()
	event := func(epoch string, seq int, fields string) string {
		return fmt.Sprintf("event: opened\ndata: {\"type\":\"opened\",\"port\":\"tcp:[::]:9\",\"seq\":%d,\"epoch\":%q%s}\n\n", seq, epoch, fields)
	}
	status := func(code int) func(*testing.T, *scene) dialer {
		return func(t *testing.T, _ *scene) dialer {
			return listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })).Dial
		}
	}
	text := func(text string) func(*testing.T, *scene) dialer {
		return func(t *testing.T, s *scene) dialer { return says(t, strings.ReplaceAll(text, "EPOCH", s.epoch)) }
	}
	body := func(json string) func(*testing.T, *scene) dialer {
		return text(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(json), json))
	}
	for _, tt := range []struct {
		name string
		bad  func(*testing.T, *scene) dialer
	}{
		{"refuse", func(*testing.T, *scene) dialer {
			return func(context.Context) (net.Conn, error) { return nil, errors.New("refused") }
		}},
		{"hang at dial", func(*testing.T, *scene) dialer {
			return func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		}},
		{"hang at answer", text("")},
		{"hang in header", text("HTTP/1.1 200 OK\r\nContent-")},
		{"hang in body", text(headJSON + "[")},
		{"hang in stream", text(headStream + "event: snap")},
		{"end at once", func(t *testing.T, _ *scene) dialer {
			return speaker(t, func(conn *memconn.Conn) { conn.Close() })
		}},
		{"half-close in stream", func(t *testing.T, _ *scene) dialer {
			return speaker(t, func(conn *memconn.Conn) {
				_, _ = io.WriteString(conn, headStream+"event: snapshot\ndata: {\"epo")
				_ = conn.CloseWrite()
			})
		}},
		{"reset in stream", func(t *testing.T, _ *scene) dialer {
			return speaker(t, func(conn *memconn.Conn) {
				_, _ = io.WriteString(conn, headStream+": open\n\n")
				_ = conn.SetLinger(0)
				conn.Close()
			})
		}},
		{"slow", func(t *testing.T, _ *scene) dialer {
			return speaker(t, func(conn *memconn.Conn) {
				for _, c := range headStream + strings.Repeat("x", 1000) {
					if _, err := io.WriteString(conn, string(c)); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			})
		}},
		{"not HTTP", text("SSH-2.0-OpenSSH_9.6\r\n")},
		{"status 404", status(http.StatusNotFound)},
		{"status 500", status(http.StatusInternalServerError)},
		{"status 503", status(http.StatusServiceUnavailable)},
		{"redirect", func(t *testing.T, _ *scene) dialer {
			mux := http.NewServeMux()
			mux.Handle("/", http.RedirectHandler("http://host.internal/other/port-events", http.StatusFound))
			mux.Handle("/other/", http.StripPrefix("/other", Handler(newScene(t, "127.0.0.1:9").Log)))
			return listen(t, mux).Dial
		}},
		{"other type", text("HTTP/1.1 200 OK\r\nContent-Type: ;;\r\nContent-Length: 2\r\n\r\nhi")},
		{"compressed", text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")},
		{"garbage in stream", text(headStream + "event: snapshot\ndata: garbage\n\n")},
		{"empty snapshot", text(headStream + "event: snapshot\ndata: {}\n\n")},
		{"null snapshot", text(headStream + "event: snapshot\ndata: null\n\n")},
		{"odd epoch", text(headStream + "event: snapshot\ndata: {\"epoch\":\"a\\r\\nX: y\",\"seq\":1}\n\n")},
		{"epoch beyond ASCII", text(headStream + "event: snapshot\ndata: {\"epoch\":\"\u00e9\",\"seq\":1}\n\n")},
		{"long epoch", text(headStream + "event: snapshot\ndata: {\"epoch\":\"" + strings.Repeat("x", 65) + "\",\"seq\":1}\n\n")},
		{"odd types", text(headStream + "event: snapshot\ndata: {\"epoch\":\"a\",\"seq\":\"1\",\"ports\":[]}\n\n")},
		{"odd port", text(headStream + "event: snapshot\ndata: {\"epoch\":\"a\",\"ports\":[{\"number\":0,\"addresses\":[\"::\"]}]}\n\n")},
		{"port without address", text(headStream + "event: snapshot\ndata: {\"epoch\":\"a\",\"ports\":[{\"number\":1}]}\n\n")},
		{"wrong epoch", text(headStream + event("other", 2, ""))},
		{"gap", text(headStream + event("EPOCH", 9, ""))},
		{"event of the past", text(headStream + event("EPOCH", 0, ""))},
		{"event without endpoint", text(headStream + "event: opened\ndata: {\"seq\":2,\"epoch\":\"EPOCH\"}\n\n")},
		{"event of another port", text(headStream + event("EPOCH", 2, `,"open":{"number":8,"addresses":["::"]}`))},
		{"unknown event", text(headStream + "event: moved\ndata: {}\n\n")},
		{"empty update", body("{}")},
		{"update without epoch", body(`{"snapshot":{"seq":9,"ports":[]},"events":[]}`)},
		{"update with odd port", body(`{"snapshot":{"epoch":"a","ports":[{"number":1}]},"events":[]}`)},
		{"endless line", func(t *testing.T, _ *scene) dialer { return endless(t, headStream, strings.Repeat("x", 4096)) }},
		{"endless body", func(t *testing.T, _ *scene) dialer { return endless(t, headJSON, strings.Repeat(" ", 4096)) }},
		{"endless array", func(t *testing.T, _ *scene) dialer { return endless(t, headJSON+"[", strings.Repeat("{},", 1024)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				good := listen(t, Handler(s.Log)).Dial
				n := &network{dial: good}
				rec := startFollow(t, n)
				s.now("127.0.0.1:3000")
				synctest.Wait()
				rec.take()
				n.dialed()

				n.become(tt.bad(t, s))
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if got := rec.take(); len(got) > 0 {
					t.Errorf("delivers %s", dump(got))
				}
				// Three ways are tried in each round.
				if got := n.dialed(); got < 1 || got > 60 {
					t.Errorf("dials %d times in 30 s", got)
				}

				s.now("127.0.0.1:3000", "[::]:8080")
				n.become(good)
				time.Sleep(backoffMax + backoffMax/2 + answerWithin)
				synctest.Wait()
				update := rec.one(t)
				equal(t, "state", update.Snapshot, s.all(t))
				equal(t, "events", story(update.Events), []string{"opened tcp:[::]:8080"})
			})
		})
	}
}

func TestFollowSeesNewEpoch(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} { // or long poll
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, "127.0.0.1:1", "127.0.0.1:2")
			n := &network{dial: listen(t, legacy(Handler(s.Log), stream, true, true)).Dial}
			rec := startFollow(t, n)
			time.Sleep(longPollGap)
			synctest.Wait()
			rec.take()
			again := newScene(t, "127.0.0.1:2", "127.0.0.1:3") // the agent has restarted, and its events are as many
			n.become(listen(t, legacy(Handler(again.Log), stream, true, true)).Dial)
			time.Sleep(time.Second)
			synctest.Wait()
			update := rec.one(t)
			equal(t, "state", update.Snapshot, again.all(t))
			equal(t, "events", story(update.Events), []string{"closed tcp:127.0.0.1:1", "opened tcp:127.0.0.1:3"})
		})
	}
}

func TestFollowSeesOverrun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		good := listen(t, Handler(s.Log)).Dial
		n := &network{dial: good}
		rec := startFollow(t, n)
		synctest.Wait()
		rec.take()
		n.become(func(context.Context) (net.Conn, error) { return nil, errors.New("refused") })
		for range 150 {
			s.now("127.0.0.1:1")
			s.now("127.0.0.1:2")
		}
		n.become(good)
		time.Sleep(time.Second)
		synctest.Wait()
		update := rec.one(t)
		equal(t, "state", update.Snapshot, s.all(t))
		equal(t, "events", story(update.Events), []string{"opened tcp:127.0.0.1:2"})
	})
}

// TestFollowPlainServer is about servers such as Sketch's: no snapshots, no sequence, odd
// clocks.
func TestFollowPlainServer(t *testing.T) {
	t.Parallel()
	const head = `{"type":"opened","port":"tcp:0.0.0.0:80","timestamp":"2030-01-01T00:00:00Z"},` +
		`{"type":"opened","port":"tcp:[::]:80","timestamp":"2030-01-01T00:00:00Z"}`
	for _, tt := range []struct {
		name   string
		later  string // the array after the head has been seen
		events []string
		ports  []Port
	}{
		{"nothing new", "[" + head + "]", []string{}, nil},
		{
			"closing one address keeps the port", "[" + head + `,{"type":"closed","port":"tcp:0.0.0.0:80","timestamp":"2030-01-01T00:00:05Z"}]`,
			[]string{"closed tcp:0.0.0.0:80"},
			[]Port{port(80, "::")},
		},
		{
			"clock set back", "[" + head + `,{"type":"opened","port":"tcp:*:81","timestamp":"1999-01-01T00:00:00Z"}]`,
			[]string{"opened tcp:[::]:81"},
			[]Port{port(80, "0.0.0.0", "::"), port(81, "::")},
		},
		{
			"overrun", `[{"type":"opened","port":"tcp:[::]:82","timestamp":"2030-01-01T00:01:00Z"}]`,
			[]string{"opened tcp:[::]:82"},
			[]Port{port(80, "0.0.0.0", "::"), port(82, "::")},
		},
		{
			"overrun within a second", "[" + strings.Split(head, "},")[1] + `,{"type":"opened","port":"tcp:[::]:82","timestamp":"2030-01-01T00:00:00Z"}]`,
			[]string{"opened tcp:[::]:82"},
			[]Port{port(80, "0.0.0.0", "::"), port(82, "::")},
		},
		{"repetition changes nothing", "[" + head + "," + strings.Split(head, "},")[0] + "}]", []string{}, nil},
		{
			"alike within a second", "[" + head + strings.Repeat(`,{"type":"closed","port":"tcp:[::]:80","timestamp":"2030-01-01T00:00:05Z"}`+
				`,{"type":"opened","port":"tcp:[::]:80","timestamp":"2030-01-01T00:00:05Z"}`, 2) + "]",
			[]string{"closed tcp:[::]:80", "opened tcp:[::]:80", "closed tcp:[::]:80", "opened tcp:[::]:80"},
			[]Port{port(80, "0.0.0.0", "::")},
		},
		{"empty", "null", []string{}, nil},
		{
			"UDP and nonsense are left out", "[" + head + `,{"type":"opened","port":"udp:0.0.0.0:53"},{"type":"opened","port":""},{},{"type":"odd","port":"tcp:[::]:7"}]`,
			[]string{},
			nil,
		},
		{"garbage", "[{]", []string{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var array atomic.Value
				array.Store("[" + head + "]")
				n := &network{dial: listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/port-events" {
						http.NotFound(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, array.Load().(string))
				})).Dial}
				rec := startFollow(t, n)
				synctest.Wait()
				first := rec.one(t)
				equal(t, "ports at first", brief(first.Snapshot.Ports), []Port{port(80, "0.0.0.0", "::")})
				array.Store(tt.later)
				time.Sleep(3 * defaultPollInterval)
				synctest.Wait()
				if tt.ports == nil {
					equal(t, "updates", rec.take(), []Update(nil))
					return
				}
				update := rec.one(t)
				equal(t, "events", story(update.Events), tt.events)
				equal(t, "ports", brief(update.Snapshot.Ports), tt.ports)
			})
		})
	}
}

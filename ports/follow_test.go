package ports

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
)

func TestFollow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                       string
		stream, longPoll, snapshot bool
		delay                      time.Duration // until a change is delivered
		skew                       time.Duration
	}{
		{"stream", true, true, true, 0, 0},
		{"long poll", false, true, true, longPollGap, 0},
		{"poll of snapshots", false, false, true, defaultPollInterval, 0},
		{"poll of events", false, false, false, defaultPollInterval, 0},
		{"stream, clock behind", true, true, true, 0, -5 * time.Hour},
		{"long poll, clock ahead", false, true, true, longPollGap, 5 * time.Hour},
		{"poll of events, clock behind", false, false, false, defaultPollInterval, -5 * time.Hour},
		{"poll of events, clock ahead", false, false, false, defaultPollInterval, 5 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				s.skew = tt.skew
				n := &network{dial: listen(t, legacy(Handler(s.Log), tt.stream, tt.longPoll, tt.snapshot)).Dial}
				rec := startFollow(t, n)
				synctest.Wait()
				if first := rec.one(t); len(first.Snapshot.Ports) != 0 || len(first.Events) != 0 {
					t.Fatalf("first update %+v", first)
				}
				for _, step := range []struct {
					open   []string
					events []string
					ports  []Port
				}{
					{[]string{"127.0.0.1:3000"}, []string{"opened tcp:127.0.0.1:3000"}, []Port{port(3000, "127.0.0.1")}},
					{
						[]string{"127.0.0.1:3000", "[::]:3000", "0.0.0.0:80"},
						[]string{"opened tcp:0.0.0.0:80", "opened tcp:[::]:3000"},
						[]Port{port(80, "0.0.0.0"), port(3000, "127.0.0.1", "::")},
					},
					{[]string{"[::]:3000"}, []string{"closed tcp:0.0.0.0:80", "closed tcp:127.0.0.1:3000"}, []Port{port(3000, "::")}},
					{nil, []string{"closed tcp:[::]:3000"}, []Port{}},
				} {
					s.now(step.open...)
					time.Sleep(tt.delay)
					synctest.Wait()
					update := rec.one(t)
					got := story(update.Events)
					slices.Sort(got)
					equal(t, "events", got, step.events)
					equal(t, "ports", brief(update.Snapshot.Ports), step.ports)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				equal(t, "updates without changes", rec.take(), []Update(nil))
				equal(t, "interruptions", rec.log.String(), "")
			})
		})
	}
}

func TestFollowLooksForTheBetterWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		var stream, longPoll, streams atomic.Bool
		n := &network{dial: listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			streams.Store(stream.Load() && acceptsStream(r.Header))
			legacy(Handler(s.Log), stream.Load(), longPoll.Load(), true).ServeHTTP(w, r)
		})).Dial}
		rec := startFollow(t, n)
		synctest.Wait()
		rec.take()
		longPoll.Store(true)
		time.Sleep(2 * probeAfter)
		s.now("127.0.0.1:1")
		time.Sleep(longPollGap)
		synctest.Wait()
		equal(t, "by long poll", len(rec.take()), 1)
		stream.Store(true)
		time.Sleep(2 * probeAfter)
		s.now("127.0.0.1:2")
		synctest.Wait()
		equal(t, "by stream", len(rec.take()), 1)
		equal(t, "last request was for a stream", streams.Load(), true)
	})
}

func TestFollowFallsBackWhenTheStreamIsKeptBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "127.0.0.1:1")
		n := &network{dial: listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if acceptsStream(r.Header) { // as a proxy that buffers does
				w.Header().Set("Content-Type", streamType)
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			Handler(s.Log).ServeHTTP(w, r)
		})).Dial}
		rec := startFollow(t, n)
		time.Sleep(answerWithin)
		synctest.Wait()
		equal(t, "updates", len(rec.take()), 1)
	})
}

func TestFollowTakesTogetherWhatCameTogether(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} { // or long poll
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, "127.0.0.1:1")
			rec := startFollow(t, &network{dial: listen(t, legacy(Handler(s.Log), stream, true, true)).Dial})
			time.Sleep(longPollGap)
			synctest.Wait()
			rec.take()
			s.table.replace([]Listener{listener("127.0.0.1:1", 99)}) // a restart
			s.append(s.table.publish(time.Now()), s.table.board.open())
			synctest.Wait()
			equal(t, "events", story(rec.one(t).Events), []string{"closed tcp:127.0.0.1:1", "opened tcp:127.0.0.1:1"})
		})
	}
}

// Of two readers one is so slow that it misses more than the log holds: the other has everything at once, and both have the truth in the end.
func TestTwoFollowers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		server := listen(t, Handler(s.Log))
		quick := startFollow(t, &network{dial: server.Dial})
		slow := &recorder{t: t}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		cfg := FollowConfig{Client: clientOf(t, (&network{dial: server.Dial}).connect), BaseURL: "http://agent"}
		// Ended below and waited for there.
		go func() {
			ended <- Follow(ctx, cfg, func(u Update) { time.Sleep(10 * time.Second); slow.deliver(u) })
		}()
		synctest.Wait()
		quick.take()
		for n := range 600 {
			s.now(fmt.Sprintf("127.0.0.1:%d", 1+n%2))
			synctest.Wait()
			if state := quick.one(t).Snapshot; dump(state) != dump(s.all(t)) {
				t.Fatalf("quick reader has %s", dump(state))
			}
			time.Sleep(50 * ms)
		}
		s.now("127.0.0.1:3")
		time.Sleep(time.Hour)
		synctest.Wait()
		for name, rec := range map[string]*recorder{"quick": quick, "slow": slow} {
			all := rec.take()
			equal(t, name+" reader's state", all[len(all)-1].Snapshot, s.all(t))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow: %v", err)
		}
	})
}

func TestFollowResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "127.0.0.1:1")
		good := listen(t, Handler(s.Log)).Dial
		n := &network{dial: good}
		rec := startFollow(t, n)
		synctest.Wait()
		rec.take()
		n.become(func(context.Context) (net.Conn, error) { return nil, errors.New("refused") })
		s.now()
		s.now("127.0.0.1:1") // the states are alike; what happened is told all the same
		n.become(good)
		time.Sleep(time.Second)
		synctest.Wait()
		update := rec.one(t)
		equal(t, "events", story(update.Events), []string{"closed tcp:127.0.0.1:1", "opened tcp:127.0.0.1:1"})
		equal(t, "state", update.Snapshot, s.all(t))
	})
}

// A stream that ends, or falls silent, is made again, and goes on where it was: no poll takes its place.
func TestFollowStaysWithTheStream(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(t *testing.T, good dialer) dialer{
		"broken": func(_ *testing.T, good dialer) dialer { return good },
		"reset": func(t *testing.T, _ dialer) dialer {
			return speaker(t, func(conn *memconn.Conn) { _ = conn.SetLinger(0); conn.Close() })
		},
		"silent": func(t *testing.T, _ dialer) dialer { return says(t, headStream+": open\n\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, "127.0.0.1:1")
				var asked atomic.Value // the last request
				asked.Store("")
				good := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked.Store(fmt.Sprint(asked.Load(), r.URL.Path, " ", r.Header.Get("Accept"), " ", r.Header.Get("Last-Event-ID"), "\n"))
					Handler(s.Log).ServeHTTP(w, r)
				})).Dial
				n := &network{dial: good}
				rec := startFollow(t, n)
				synctest.Wait()
				s.now("127.0.0.1:1", "127.0.0.1:2")
				synctest.Wait()
				rec.take()
				asked.Store("")
				n.become(bad(t, good))
				time.Sleep(time.Second) // meets the bad one
				n.mu.Lock()
				n.dial = good // for the next connection
				n.mu.Unlock()
				time.Sleep(silentAfter + 2*backoffMax)
				synctest.Wait()
				equal(t, "requests", asked.Load(), "/port-events text/event-stream "+formatID(s.epoch, 1)+"\n")
				equal(t, "updates", rec.take(), []Update(nil))
			})
		})
	}
}

// TestFollowConverges breaks connections at random between random changes: the client
// ends up with the server's state, and no update that it got is touched afterwards.
func TestFollowConverges(t *testing.T) {
	t.Parallel()
	addrs := []string{"127.0.0.1:1", "[::1]:1", "0.0.0.0:1", "127.0.0.1:2", "[::]:2", "0.0.0.0:3"}
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			s := newScene(t)
			ln := listen(t, legacy(Handler(s.Log), seed%4 != 3, true, true))
			n := &network{dial: ln.Dial}
			rec := startFollow(t, n)
			var texts []string
			var all []Update
			for range 200 {
				s.now(slices.DeleteFunc(slices.Clone(addrs), func(string) bool { return rnd.IntN(3) == 0 })...)
				s.table.name(map[uint32]process{uint32(rnd.IntN(200)): {pid: 5, name: "some"}})
				switch rnd.IntN(10) {
				case 0:
					n.become(ln.Dial)
				case 1:
					time.Sleep(time.Duration(rnd.IntN(1000)) * ms)
				default:
					time.Sleep(time.Duration(rnd.IntN(3)) * ms)
				}
				synctest.Wait()
				for _, u := range rec.take() {
					all, texts = append(all, u), append(texts, dump(u))
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			all = append(all, rec.take()...)
			equal(t, "state in the end", all[len(all)-1].Snapshot, s.all(t))
			for i, text := range texts {
				if dump(all[i]) != text {
					t.Errorf("update %d was modified after delivery", i)
				}
			}
		})
	}
}

package ports

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkScan is what one scan costs by each source, in a loop, so with warm caches.
func BenchmarkScan(b *testing.B) {
	for _, open := range platformSources() {
		src, err := open(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer src.Close()
		b.Run(src.Name(), func(b *testing.B) {
			b.ReportAllocs()
			var rows []Listener
			for b.Loop() {
				if rows, err = src.Listeners(b.Context(), rows[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOwners is what finding the owner of one new socket costs.
func BenchmarkOwners(b *testing.B) {
	child := startHelper(b)
	addr, _ := child.listen("127.0.0.1:0")
	src, err := openNetlink(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	rows, err := src.Listeners(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(ln Listener) bool { return ln.Addr.String() == addr })
	owners := platformOwners()
	for name, inode := range map[string]uint32{"child": rows[i].Inode, "nobody": 1<<32 - 1} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				owners.find([]uint32{inode}, time.Now().Add(patience))
			}
		})
	}
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			owners.ours()
		}
	})
}

// BenchmarkLatency is the time from the return of listen in another process to deliver in
// a follower, and from close to deliver, at random moments. Each loop is one of both.
func BenchmarkLatency(b *testing.B) {
	for _, busy := range []bool{true, false} {
		b.Run(fmt.Sprintf("busy=%v", busy), func(b *testing.B) {
			cfg := MonitorConfig{Events: NewLog(0)}
			if !busy {
				cfg.ActiveInterval = defaultIdle // a change would make it fast for 10 s
			}
			m := NewMonitor(cfg)
			updates := startWhole(b, m)
			<-updates
			if busy {
				defer m.Busy()()
			}
			child := startHelper(b)
			var opens, closes []time.Duration
			cpu, began := cpuTime(), time.Now()
			for b.Loop() {
				<-time.After(rand.N(2 * m.cfg.ActiveInterval))
				addr, at := child.listen("127.0.0.1:0")
				await(b, updates, Opened, addr)
				opens = append(opens, time.Since(at))
				<-time.After(rand.N(2 * m.cfg.ActiveInterval))
				at = child.close(addr)
				await(b, updates, Closed, addr)
				closes = append(closes, time.Since(at))
			}
			b.ReportMetric(100*float64(cpuTime()-cpu)/float64(time.Since(began)), "cpu-%")
			reportMillis(b, "open", opens)
			reportMillis(b, "close", closes)
		})
	}
}

// BenchmarkDeliver is the time from a publication in the log to deliver in a follower, over
// a unix socket.
func BenchmarkDeliver(b *testing.B) {
	m := NewMonitor(MonitorConfig{Events: NewLog(0), IdleInterval: time.Hour, ActiveInterval: time.Hour})
	updates := startWhole(b, m)
	<-updates
	ev := Event{Type: Opened, Port: "tcp:127.0.0.1:3000", Open: &Port{Number: 3000, Addresses: []netip.Addr{netip.IPv6Loopback()}}}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		m.cfg.Events.append([]Event{ev}, []Port{*ev.Open})
		<-updates
		took = append(took, time.Since(began))
	}
	reportMillis(b, "deliver", took)
}

// BenchmarkCPU is what a monitor costs while nothing happens. Each loop is a second.
func BenchmarkCPU(b *testing.B) {
	for _, busy := range []bool{true, false} {
		b.Run(fmt.Sprintf("busy=%v", busy), func(b *testing.B) {
			cfg := MonitorConfig{Events: NewLog(0)}
			if !busy {
				cfg.ActiveInterval = defaultIdle
			}
			m := NewMonitor(cfg)
			startWhole(b, m)
			if busy {
				defer m.Busy()()
			}
			cpu, began := cpuTime(), time.Now()
			for b.Loop() {
				<-time.After(time.Second)
			}
			b.ReportMetric(100*float64(cpuTime()-cpu)/float64(time.Since(began)), "cpu-%")
		})
	}
}

func reportMillis(b *testing.B, name string, ds []time.Duration) {
	slices.Sort(ds)
	for metric, d := range map[string]time.Duration{
		"p50": ds[len(ds)/2], "p99": ds[len(ds)*99/100], "max": ds[len(ds)-1],
	} {
		b.ReportMetric(float64(d)/float64(time.Millisecond), name+"-"+metric+"-ms")
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for no process of ours
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

package tunnel_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestManagerChoosesHostPorts(t *testing.T) {
	inUse, denied, noV6 := syscall.EADDRINUSE, syscall.EACCES, syscall.EADDRNOTAVAIL
	hundred := map[string]error{}
	for n := range 101 {
		hundred[fmt.Sprintf("127.0.0.1:%d", 3000+n)] = inUse
	}
	tests := []struct {
		name     string
		cfg      tunnel.ManagerConfig
		taken    map[string]error
		serve    []string
		settings string
		want     []string
	}{
		{
			"next free",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:3000": inUse},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3001 forwarded #1 (3000 is in use)"},
		},
		{
			"taken on ::1 only",
			tunnel.ManagerConfig{},
			map[string]error{"[::1]:3000": inUse},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3001 forwarded #1 (3000 is in use)"},
		},
		{
			"denied on ::1 only",
			tunnel.ManagerConfig{},
			map[string]error{"[::1]:80": denied},
			[]string{"0.0.0.0:80"},
			`{"forwardPorts":[80]}`,
			[]string{"80→8080 forwarded #1 (80 needs privileges)"},
		},
		{
			"a hundred numbers taken",
			tunnel.ManagerConfig{},
			hundred,
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→50123 forwarded #1 (3000 is in use)"},
		},
		{
			"no ::1",
			tunnel.ManagerConfig{},
			map[string]error{"[::1]:3000": noV6},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3000 forwarded #1"},
		},
		{
			"next free is the container's own",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:3000": inUse},
			[]string{"0.0.0.0:3000", "0.0.0.0:3001"},
			"{}",
			[]string{"3000→3002 forwarded #1 (3000 is in use)", "3001→3001 forwarded #1"},
		},
		{
			"remembered",
			tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3005}}},
			nil,
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3005 forwarded #1 (as before)"},
		},
		{
			"remembered but taken",
			tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3005}}},
			map[string]error{"127.0.0.1:3005": inUse},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3000 forwarded #1"},
		},
		{
			"privileged",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:80": denied},
			[]string{"0.0.0.0:80"},
			`{"forwardPorts":[80]}`,
			[]string{"80→8080 forwarded #1 (80 needs privileges)"},
		},
		{
			"requireLocalPort",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:3000": inUse},
			[]string{"0.0.0.0:3000"},
			`{"portsAttributes":{"3000":{"requireLocalPort":true}}}`,
			[]string{"3000→0 failed #1 (3000 is in use)"},
		},
		{
			"configured but not open",
			tunnel.ManagerConfig{},
			nil, nil, `{"forwardPorts":[9000,"db:5432"]}`,
			[]string{"5432→5432 forwarded #1", "9000→9000 forwarded #0"},
		},
		{
			"cap",
			tunnel.ManagerConfig{},
			nil,
			[]string{"0.0.0.0:3000", "0.0.0.0:3001", "0.0.0.0:3002"},
			`{"maxForwards":2,"forwardPorts":[3002]}`,
			[]string{"3000→3000 forwarded #1", "3001→0 listed #1 (limit of 2 forwards reached)", "3002→3002 forwarded #1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				settings, err := tunnel.DecodeSettings([]byte(tt.settings))
				if err != nil {
					t.Fatal(err)
				}
				w := newWorld(t, tt.cfg)
				for a, err := range tt.taken {
					w.take(err, a)
				}
				w.serve(tt.serve...)
				w.m.Configure(settings)
				w.want(tt.want...)
			})
		})
	}
}

// A number that one forward gives up is free for another in the same look.
func TestManagerRemovesBeforeItBinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 2000}}})
		w.serve("0.0.0.0:3000")
		w.want("3000→2000 forwarded #1 (as before)")
		settings, _ := tunnel.DecodeSettings([]byte(`{"forwardPorts":[2000],"portsAttributes":{"2000":{"requireLocalPort":true},"3000":{"onAutoForward":"ignore"}}}`))
		w.m.Configure(settings)
		w.want("2000→2000 forwarded #0")
	})
}

// A number that becomes free is moved to when somebody asks, and never by itself.
func TestManagerMovesOnRequestOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.take(syscall.EADDRINUSE, "127.0.0.1:3000")
		w.serve("0.0.0.0:3000")
		moved := "3000→3001 forwarded #1 (3000 is in use)"
		w.want(moved)
		w.take(nil, "127.0.0.1:3000")
		time.Sleep(time.Hour)
		w.serve("0.0.0.0:3000", "0.0.0.0:4000")
		w.m.SetState(tunnel.State{Phase: tunnel.Reconnecting})
		w.m.SetState(tunnel.State{Phase: tunnel.Connected})
		w.want(moved, "4000→4000 forwarded #1")
		w.serve("0.0.0.0:4000")
		time.Sleep(time.Minute)
		w.serve("0.0.0.0:3000", "0.0.0.0:4000") // remembered
		w.want("3000→3001 forwarded #2 (as before)", "4000→4000 forwarded #1")
		if _, err := w.m.Forward(t.Context(), 3000, 3000); err != nil {
			t.Error(err)
		}
		w.want("3000→3000 forwarded #2", "4000→4000 forwarded #1")
		w.expect("127.0.0.1:3000", "127.0.0.1:3000")
	})
}

// A number is remembered as it was last given, so that one which was taken then is not moved back to.
func TestManagerRemembersTheLastNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3005}}})
		w.take(syscall.EADDRINUSE, "127.0.0.1:3005")
		w.serve("0.0.0.0:3000")
		w.want("3000→3000 forwarded #1")
		w.take(nil, "127.0.0.1:3005")
		w.serve()
		time.Sleep(time.Minute)
		w.serve("0.0.0.0:3000")
		w.want("3000→3000 forwarded #2")
	})
}

// Nor is it moved from where requireLocalPort had it, once that is not asked for any more.
func TestManagerRemembersARequiredNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"otherPortsAttributes":{"requireLocalPort":true}}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings, Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3001}}})
		w.serve("0.0.0.0:3000")
		w.want("3000→3000 forwarded #1")
		w.m.Configure(tunnel.Settings{})
		w.serve()
		time.Sleep(time.Minute)
		w.serve("0.0.0.0:3000")
		w.want("3000→3000 forwarded #2")
		if got := w.m.Memory().HostPorts[3000]; got != 3000 {
			t.Errorf("remembered %d", got)
		}
	})
}

// What is forwarded stays when the limit is reached, whatever opens after it.
func TestManagerKeepsWhatIsForwardedAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"maxForwards":2}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings})
		w.serve("0.0.0.0:3001", "0.0.0.0:3002")
		w.serve("0.0.0.0:3000", "0.0.0.0:3001", "0.0.0.0:3002")
		w.want("3000→0 listed #1 (limit of 2 forwards reached)", "3001→3001 forwarded #1", "3002→3002 forwarded #1")
		if f := w.m.Forwards()[0]; f.Action != tunnel.Notify {
			t.Errorf("who would have told of it must hear of the limit: %+v", f)
		}
		// By hand it is forwarded above the limit.
		if _, err := w.m.Forward(t.Context(), 3000, 0); err != nil {
			t.Error(err)
		}
		w.want("3000→3000 forwarded #1", "3001→3001 forwarded #1", "3002→3002 forwarded #1")
	})
}

func TestManagerRetriesAFailedForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"otherPortsAttributes":{"requireLocalPort":true}}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings})
		w.take(syscall.EADDRINUSE, "127.0.0.1:3000")
		w.serve("0.0.0.0:3000")
		f := w.m.Forwards()[0]
		if f.Status != tunnel.Failed || !errors.Is(f.Err, syscall.EADDRINUSE) {
			t.Errorf("forward %+v", f)
		}
		w.take(nil, "127.0.0.1:3000")
		time.Sleep(5 * time.Second)
		w.want("3000→3000 forwarded #1")
	})
}

func TestManagerSettingsAreReread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000", "0.0.0.0:3001")
		settings, _ := tunnel.DecodeSettings([]byte(`{"portsAttributes":{"3000":{"onAutoForward":"ignore"},"server\\.js":{"label":"app"}}}`))
		w.m.Configure(settings)
		w.want("3001→3001 forwarded #1")
		if f := w.m.Forwards()[0]; f.Label != "app" {
			t.Errorf("label %q", f.Label)
		}
		w.m.Configure(tunnel.Settings{})
		w.want("3000→3000 forwarded #1", "3001→3001 forwarded #1")

		// What is told to be left alone can be forwarded by hand, and is then not told of.
		settings, _ = tunnel.DecodeSettings([]byte(`{"portsAttributes":{"3000":{"onAutoForward":"ignore","protocol":"https"}}}`))
		w.m.Configure(settings)
		if f, err := w.m.Forward(t.Context(), 3000, 0); err != nil || f.Action != tunnel.Silent || f.URL() != "https://localhost:3000" {
			t.Errorf("by hand: %+v, %v", f, err)
		}
		if err := w.m.Unforward(t.Context(), 3000); err != nil {
			t.Error(err)
		}
		w.serve() // nothing is left of it

		// A forward that has moved must not once its number is required.
		w.take(syscall.EADDRINUSE, "127.0.0.1:4000")
		w.serve("0.0.0.0:4000")
		time.Sleep(time.Minute)
		w.want("4000→4001 forwarded #1 (4000 is in use)")
		settings, _ = tunnel.DecodeSettings([]byte(`{"portsAttributes":{"4000":{"requireLocalPort":true}}}`))
		w.m.Configure(settings)
		w.want("4000→0 failed #1 (4000 is in use)")
	})
}

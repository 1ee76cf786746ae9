package session_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// Switched off, no port is looked for or forwarded but those that somebody asks for, and the switch works on a running session.
func TestAutoForwardPortsOff(t *testing.T) {
	t.Parallel()
	w := open(t, newStore(t))
	configure := func(text string) {
		t.Helper()
		settings, err := tunnel.DecodeSettings([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w.Configure(session.Settings{BaseImage: baseImage(), Forwards: settings})
	}
	configure(`{"autoForwardPorts": false}`)
	info := w.start(newRepo(t))
	asked, found := freePort(t), freePort(t)
	w.serve(info.Name, "127.0.0.1", asked)
	w.serve(info.Name, "127.0.0.1", found)
	byHand, err := w.Forward(t.Context(), info.Name, asked, 0)
	if err != nil {
		t.Fatal(err)
	}
	awaitPage(t, byHand.URL()+"/index.html")
	w.mu.Lock()
	told := slices.Clone(w.told)
	w.mu.Unlock()
	for _, i := range told {
		if f := find(i, found); f.Port != 0 {
			t.Errorf("told while it was off: %+v", f)
		}
	}
	configure(`{}`)
	w.await(info.Name, "forward once it is on", forwarded(found))
	configure(`{"autoForwardPorts": false}`)
	last := w.await(info.Name, "no forward once it is off", func(i session.Info) bool { return find(i, found).Port == 0 })
	if f := find(last, asked); f.Status != tunnel.Forwarded {
		t.Errorf("what was forwarded by hand: %+v", f)
	}
	awaitPage(t, byHand.URL()+"/index.html")
}

// awaitPage waits until a server that has just been started answers.
func awaitPage(t *testing.T, url string) {
	t.Helper()
	deadline, again := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	for {
		res, err := client.Get(url)
		if err == nil {
			res.Body.Close()
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

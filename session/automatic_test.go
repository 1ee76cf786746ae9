package session_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
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
	w.awaitReaders(info.Name, false)
	configure(`{}`)
	w.await(info.Name, "forward once it is on", forwarded(found))
	w.awaitReaders(info.Name, true)
	configure(`{"autoForwardPorts": false}`)
	last := w.await(info.Name, "no forward once it is off", func(i session.Info) bool { return find(i, found).Port == 0 })
	w.awaitReaders(info.Name, false)
	if f := find(last, asked); f.Status != tunnel.Forwarded {
		t.Errorf("what was forwarded by hand: %+v", f)
	}
	awaitPage(t, byHand.URL()+"/index.html")
}

// awaitReaders waits until somebody follows the ports inside, or nobody does: a reader is between two calls for moments only.
func (w *window) awaitReaders(name string, follow bool) {
	w.t.Helper()
	got := w.output(name, `python3 - <<'EOF'
import http.client, json, socket, time
def readers():
    api = http.client.HTTPConnection("agent")
    api.sock = socket.socket(socket.AF_UNIX)
    api.sock.connect("`+agent.SocketPath+`")
    api.request("GET", "/status")
    return json.load(api.getresponse())["readers"]
end = time.monotonic() + 60
while time.monotonic() < end:
    seen = 0
    for _ in range(20):
        seen = max(seen, readers())
        time.sleep(0.01)
    if str(seen > 0).lower() == "`+strconv.FormatBool(follow)+`":
        print("ok", end="")
        break
else:
    print(seen, "readers")
EOF`)
	if got != "ok" {
		w.t.Errorf("the ports are followed: %s, want that to be %v", got, follow)
	}
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

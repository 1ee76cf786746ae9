package tunnel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestDecide(t *testing.T) {
	const (
		forward = tunnel.VerdictForward
		list    = tunnel.VerdictList
		ignore  = tunnel.VerdictIgnore
	)
	type D = tunnel.Decision
	tests := []struct {
		name     string
		settings string
		port     uint16
		command  string
		want     D
	}{
		{"default", `{}`, 3000, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Notify}},
		{"https by number", `{}`, 8443, "", D{Verdict: forward, Protocol: "https", Action: tunnel.Notify}},
		{"system port", `{}`, 22, "", D{Verdict: list, Reason: "system port", Protocol: "http", Action: tunnel.Silent}},
		{"last system port", `{}`, 995, "", D{Verdict: list, Reason: "system port", Protocol: "http", Action: tunnel.Silent}},
		{"first ephemeral", `{}`, 32768, "", D{Verdict: list, Reason: "ephemeral port", Protocol: "http", Action: tunnel.Silent}},
		{"last ephemeral", `{}`, 60999, "", D{Verdict: list, Reason: "ephemeral port", Protocol: "http", Action: tunnel.Silent}},
		{"above ephemeral", `{}`, 61000, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Notify}},

		{"forwardPorts", `{"forwardPorts":[443]}`, 443, "", D{Verdict: forward, Configured: true, Protocol: "https", Action: tunnel.Notify}},
		{"forwardPorts, a number as text", `{"forwardPorts":["40000"]}`, 40000, "", D{Verdict: forward, Configured: true, Protocol: "http", Action: tunnel.Notify}},
		{"forwardPorts as text", `{"forwardPorts":["localhost:40000"]}`, 40000, "", D{Verdict: forward, Configured: true, Protocol: "http", Action: tunnel.Notify}},
		{
			"forwardPorts beats ignore", `{"forwardPorts":[3000],"portsAttributes":{"3000":{"onAutoForward":"ignore"}}}`, 3000, "",
			D{Verdict: forward, Configured: true, Protocol: "http", Action: tunnel.Silent},
		},

		{"named system port", `{"portsAttributes":{"80":{"label":"web"}}}`, 80, "", D{Verdict: forward, Label: "web", Protocol: "http", Action: tunnel.Notify}},
		{"named ephemeral range", `{"portsAttributes":{"40000-40010":{"onAutoForward":"silent"}}}`, 40005, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Silent}},
		{"ignored", `{"portsAttributes":{"3000":{"onAutoForward":"ignore"}}}`, 3000, "", D{Verdict: ignore, Protocol: "http", Action: tunnel.Ignore}},
		{"off", `{"autoForwardPorts":false,"portsAttributes":{"3000":{"label":"web"}}}`, 3000, "", D{Verdict: ignore, Label: "web", Protocol: "http", Action: tunnel.Notify}},
		{"off, and configured", `{"autoForwardPorts":false,"forwardPorts":[3000]}`, 3000, "", D{Verdict: forward, Configured: true, Protocol: "http", Action: tunnel.Notify}},
		{"on", `{"autoForwardPorts":true}`, 3000, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Notify}},
		{"last of a range", `{"portsAttributes":{"3000-3001":{"onAutoForward":"ignore"}}}`, 3001, "", D{Verdict: ignore, Protocol: "http", Action: tunnel.Ignore}},
		{"a range with spaces", `{"portsAttributes":{"3000 - 3001":{"label":"r"}}}`, 3000, "", D{Verdict: forward, Label: "r", Protocol: "http", Action: tunnel.Notify}},
		{"range ends", `{"portsAttributes":{"3000-3001":{"onAutoForward":"ignore"}}}`, 3002, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Notify}},
		{
			"everything set", `{"portsAttributes":{"3000":{"onAutoForward":"openBrowserOnce","label":"my  app","protocol":"https","requireLocalPort":true,"elevateIfNeeded":true}}}`, 3000, "",
			D{Verdict: forward, Label: "my app", Protocol: "https", Action: tunnel.OpenBrowserOnce, RequireLocalPort: true, ElevateIfNeeded: true},
		},
		{
			"a label that would move the cursor and turn the text", "{\"portsAttributes\":{\"3000\":{\"label\":\"\\u001b[2Jmy\\u0007\\u009b\\u202e\\u200b\\u2066\\ufeff\\n app\\u2028\\u007f\"}}}", 3000, "",
			D{Verdict: forward, Label: "[2Jmy app", Protocol: "http", Action: tunnel.Notify},
		},
		{"pattern", `{"portsAttributes":{".+/server\\.js":{"label":"srv"}}}`, 3000, "node /app/server.js --port 3000", D{Verdict: forward, Label: "srv", Protocol: "http", Action: tunnel.Notify}},
		{"an editor's own server", `{}`, 3000, "node out/server-main.js --start-server", D{Verdict: ignore, Protocol: "http", Action: tunnel.Notify}},
		{"pattern on no command", `{"portsAttributes":{".*":{"label":"srv"}}}`, 3000, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Notify}},
		{"openBrowser", `{"otherPortsAttributes":{"onAutoForward":"openBrowser"}}`, 3000, "", D{Verdict: forward, Protocol: "http", Action: tunnel.OpenBrowser}},
		{"an address of IPv6 and a port", `{"portsAttributes":{"[::1]:3000":{"label":"six"},"[fd00::1]:3000":{"label":"other"}}}`, 3000, "", D{Verdict: forward, Label: "six", Protocol: "http", Action: tunnel.Notify}},
		{"a host with an underscore", `{"forwardPorts":["my_db:5432"],"portsAttributes":{"my_db:5432":{"label":"d"}}}`, 5432, "", D{Verdict: forward, Configured: true, Label: "d", Protocol: "http", Action: tunnel.Notify}},
		{
			"numbers, ranges and patterns are for the container's own ports", `{"forwardPorts":["db:5432"],"portsAttributes":{"5432":{"label":"own"},"5000-6000":{"protocol":"https"},"postgres":{"onAutoForward":"ignore"}}}`, 5432, "postgres",
			D{Verdict: forward, Configured: true, Protocol: "http", Action: tunnel.Notify},
		},
		{
			"another host's port is as others that nothing names", `{"forwardPorts":["db:5432"],"portsAttributes":{"5432":{"label":"own"}},"otherPortsAttributes":{"label":"other"}}`, 5432, "",
			D{Verdict: forward, Configured: true, Label: "other", Protocol: "http", Action: tunnel.Notify},
		},
		{"a key twice", `{"portsAttributes":{"3000":{"label":"first"},"3001":{},"3000":{"onAutoForward":"silent"}}}`, 3000, "", D{Verdict: forward, Protocol: "http", Action: tunnel.Silent}},
		{"host:port", `{"portsAttributes":{"localhost:3000":{"label":"l"},"db:3000":{"label":"d"}}}`, 3000, "", D{Verdict: forward, Label: "l", Protocol: "http", Action: tunnel.Notify}},
		{"host:port of another host", `{"forwardPorts":["db:5432"],"portsAttributes":{"db:5432":{"label":"d"}}}`, 5432, "", D{Verdict: forward, Configured: true, Label: "d", Protocol: "http", Action: tunnel.Notify}},

		{
			"explicit beats range and pattern, which fill in", `{"portsAttributes":{"node":{"label":"pattern","protocol":"https"},"3000-3010":{"label":"range","onAutoForward":"openPreview"},"3000":{"label":"explicit"}}}`, 3000, "node",
			D{Verdict: forward, Label: "explicit", Protocol: "https", Action: tunnel.OpenPreview},
		},
		{
			"explicit false beats a range's true", `{"portsAttributes":{"3000-3010":{"requireLocalPort":true},"3000":{"requireLocalPort":false}}}`, 3000, "",
			D{Verdict: forward, Protocol: "http", Action: tunnel.Notify},
		},

		{"other", `{"otherPortsAttributes":{"onAutoForward":"silent","protocol":"https"}}`, 3000, "", D{Verdict: forward, Protocol: "https", Action: tunnel.Silent}},
		{
			"other does not mix with a match", `{"portsAttributes":{"3000":{"label":"x"}},"otherPortsAttributes":{"onAutoForward":"ignore"}}`, 3000, "",
			D{Verdict: forward, Label: "x", Protocol: "http", Action: tunnel.Notify},
		},
		{"other ignored", `{"otherPortsAttributes":{"onAutoForward":"ignore"}}`, 3000, "", D{Verdict: ignore, Protocol: "http", Action: tunnel.Ignore}},
		{"other does not name a system port", `{"otherPortsAttributes":{"onAutoForward":"notify"}}`, 22, "", D{Verdict: list, Reason: "system port", Protocol: "http", Action: tunnel.Silent}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := tunnel.DecodeSettings([]byte(tt.settings))
			if err != nil && tt.name != "a key twice" {
				t.Fatal(err)
			}
			got := tunnel.Decide(ports.Port{Number: tt.port, Command: tt.command}, s, [2]uint16{32768, 60999})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestDecideQuietly: what another program tells is forwarded all the same, and what is to be left alone is.
func TestDecideQuietly(t *testing.T) {
	t.Parallel()
	s, err := tunnel.DecodeSettings([]byte(`{"portsAttributes":{"3000":{"onAutoForward":"openBrowser"},"4000":{"onAutoForward":"ignore"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	s.Quiet = true
	for port, want := range map[uint16]tunnel.Decision{
		3000: {Verdict: tunnel.VerdictForward, Protocol: "http", Action: tunnel.Silent},
		4000: {Verdict: tunnel.VerdictIgnore, Protocol: "http", Action: tunnel.Ignore},
		5000: {Verdict: tunnel.VerdictForward, Protocol: "http", Action: tunnel.Silent},
	} {
		if diff := cmp.Diff(want, tunnel.Decide(ports.Port{Number: port}, s, [2]uint16{})); diff != "" {
			t.Errorf("port %d (-want +got)\n%s", port, diff)
		}
	}
}

func TestDecodeSettingsErrors(t *testing.T) {
	tests := []struct {
		name, settings string
		want           []string // parts of the error, one for each
	}{
		{"nothing", ``, nil},
		{"null", `null`, nil},
		{"nulls", `{"forwardPorts":null,"portsAttributes":null,"otherPortsAttributes":null,"maxForwards":null}`, nil},
		{"foreign keys", `{"image":"x","remote.x":{"y":1}}`, nil},
		{"not JSON", `{"forwardPorts":`, []string{"settings: not JSON"}},
		{"not an object", `[1]`, []string{"settings: want an object"}},
		{"no array", `{"forwardPorts":3000}`, []string{"forwardPorts: want an array"}},
		{"bad ports", `{"forwardPorts":[0,65536,3000.5,-1,"x","a:b:c",null,true,3000,"",":80","db:0"]}`, []string{
			"forwardPorts[0]: 0 is not a port", "forwardPorts[1]: 65536", "forwardPorts[2]", "forwardPorts[3]", "forwardPorts[4]", "forwardPorts[5]", "forwardPorts[6]",
			"forwardPorts[7]", "forwardPorts[9]", "forwardPorts[10]", "forwardPorts[11]",
		}},
		{"a number twice", `{"forwardPorts":[5432,"db:5432",5432]}`, []string{"forwardPorts[1]: port 5432 is forwarded already"}},
		{"bad attributes", `{"portsAttributes":{"3000":{"onAutoForward":"loud","label":5,"protocol":"ftp","requireLocalPort":"yes"}}}`, []string{
			`portsAttributes["3000"].onAutoForward: want one of notify, openBrowser`, `portsAttributes["3000"].label`, `portsAttributes["3000"].protocol`, `portsAttributes["3000"].requireLocalPort`,
		}},
		{"bad keys", `{"portsAttributes":{"70000":{},"20-10":{},"(":{},"3001":{"label":"kept"}}}`, []string{
			`portsAttributes["70000"]`, `portsAttributes["20-10"]: the range ends`, `portsAttributes["("]: not a port`,
		}},
		{"numbers that are no key", `{"portsAttributes":{"3000, 3001":{},"3000-":{},":80":{}}}`, []string{
			`portsAttributes["3000, 3001"]: want one port, a range`, `portsAttributes["3000-"]: want one port`, `portsAttributes[":80"]: want one port`,
		}},
		{"misspelt", `{"otherPortsAttributes":{"onAutoforward":"ignore","visibility":"public"}}`, []string{"otherPortsAttributes.onAutoforward: is written onAutoForward"}},
		{"set twice", `{"maxForwards":1,"portsAttributes":{"3000":{"label":"x"},"3000":{"label":"y"}},"maxForwards":2}`, []string{
			`settings: "maxForwards" is set twice; the last one counts`, `portsAttributes: "3000" is set twice`,
		}},
		{"too many forwards", `{"maxForwards":1025}`, []string{"maxForwards: want a number from 1 to 1024"}},
		{"a pattern as long as a book", `{"portsAttributes":{"` + strings.Repeat("x", 1001) + `":{}}}`, []string{`portsAttributes["xxx`}},
		{"ports without end", `{"forwardPorts":[` + numbers(1001, "%d") + `]}`, []string{"forwardPorts: more than 1000 entries"}},
		{"attributes without end", `{"portsAttributes":{` + numbers(1500, `"%d":{}`) + `}}`, []string{"portsAttributes: more than 1000 entries"}},
		{"bad other", `{"otherPortsAttributes":{"onAutoForward":1},"maxForwards":0}`, []string{"otherPortsAttributes.onAutoForward", "maxForwards: want a number from 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tunnel.DecodeSettings([]byte(tt.settings))
			var lines []string
			if err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("errors %q, want %d", lines, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("error %q, want %q…", lines[i], want)
				}
			}
		})
	}
}

// numbers are as many numbers, from 1 on, in that format.
func numbers(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i+1)
	}
	return strings.Join(all, ",")
}

func TestDecodeSettingsAreBounded(t *testing.T) {
	t.Parallel()
	s, err := tunnel.DecodeSettings([]byte(`{"forwardPorts":[` + numbers(1500, "%d") + `],"portsAttributes":{` + numbers(1500, `"%d":{}`) + `},"otherPortsAttributes":{"label":"` + strings.Repeat("é", 200) + `"}}`))
	if err == nil {
		t.Error("no error")
	}
	if got := len([]rune(s.OtherPortsAttributes.Label)); len(s.ForwardPorts) != 1000 || len(s.PortsAttributes) != 1000 || got != 100 {
		t.Errorf("%d ports, %d attributes, a label of %d characters", len(s.ForwardPorts), len(s.PortsAttributes), got)
	}
}

func TestDecodeSettingsKeepsWhatIsRight(t *testing.T) {
	s, err := tunnel.DecodeSettings([]byte(`{"maxForwards":"many","forwardPorts":["x",3000,"db:5432"],"portsAttributes":{"(":{},"80":{"label":"web","protocol":1}}}`))
	if err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff([]tunnel.Target{{Port: 3000}, {Host: "db", Port: 5432}}, s.ForwardPorts); diff != "" {
		t.Error(diff)
	}
	if len(s.PortsAttributes) != 1 || s.PortsAttributes[0].Label != "web" || s.PortsAttributes[0].Protocol != "" {
		t.Errorf("attributes %+v", s.PortsAttributes)
	}
}

// FuzzDecodeSettings proves that no settings of a repository's making panic, and that what they decode to is sound.
func FuzzDecodeSettings(f *testing.F) {
	f.Add([]byte(`{"forwardPorts":[3000,"db:5432"],"portsAttributes":{"3000-3010":{"label":"x"},".+":{"onAutoForward":"ignore"},"[::1]:80":{}},"otherPortsAttributes":{"protocol":"https"},"maxForwards":3}`))
	f.Add([]byte(`{"portsAttributes":{"`))
	f.Add([]byte(`{"portsAttributes":{"1-":null},"portsAttributes":[]} x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := tunnel.DecodeSettings(data)
		if err == nil && len(bytes.TrimSpace(data)) > 0 && !json.Valid(data) {
			t.Errorf("accepted what is not JSON: %q", data)
		}
		for _, target := range s.ForwardPorts {
			if target.Port == 0 {
				t.Errorf("port 0 in %+v", s.ForwardPorts)
			}
		}
		for _, p := range s.PortsAttributes {
			if p.Command == nil && (p.From == 0 || p.From > p.To) {
				t.Errorf("selector %+v", p)
			}
		}
		d := tunnel.Decide(ports.Port{Number: 3000, Command: "node server.js"}, s, [2]uint16{})
		if d.Protocol != "http" && d.Protocol != "https" || d.Action == "" {
			t.Errorf("decision %+v", d)
		}
	})
}

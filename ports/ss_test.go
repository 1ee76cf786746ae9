package ports

import (
	"strings"
	"testing"
)

func TestParseSS(t *testing.T) {
	t.Parallel()
	loopback := listener("127.0.0.1:3000", 31337)
	loopback.UID = 1000
	for _, tt := range []struct {
		name, text string
		want       []Listener
		err        string
	}{
		{name: "empty"},
		{name: "headline", text: "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"},
		{
			name: "with details", want: []Listener{loopback, listener("0.0.0.0:2024", 481), listener("[::]:8080", 9)},
			text: "LISTEN 0      128     127.0.0.1:3000      0.0.0.0:*    uid:1000 ino:31337 sk:1 cgroup:/ <->\n" +
				"LISTEN 0      128     0.0.0.0:2024      0.0.0.0:*    ino:481 sk:2 cgroup:/ <->\n" +
				"LISTEN 0      128           *:8080            *:*    ino:9 sk:3 cgroup:/ v6only:0 <->\n",
		},
		{
			name: "without", want: []Listener{listener("[::1]:80", 0), listener("127.0.0.53:53", 0), listener("[fe80::1]:81", 0)},
			text: "LISTEN 0 128 [::1]:80 [::]:*\nLISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*\nLISTEN 0 9 [fe80::1]%eth0:81 [::]:*\n",
		},
		{
			name: "with UDP", want: []Listener{listener("127.0.0.1:80", 0)},
			text: "udp UNCONN 0 0 127.0.0.1:323 0.0.0.0:*\ntcp LISTEN 0 128 127.0.0.1:80 0.0.0.0:*\n",
		},
		{name: "no address", text: "LISTEN 0 128 localhost:http 0.0.0.0:*\n", err: "is no address"},
		{name: "too many", text: strings.Repeat("LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n", maxListeners+1), err: ErrTooManyListeners.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseSS(nil, strings.NewReader(tt.text))
			checkParsed(t, got, err, tt.want, tt.err)
		})
	}
}

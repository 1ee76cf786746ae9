package ports

import (
	"strings"
	"testing"
)

const (
	procNet4 = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 100 0 0 10 0                     
   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 481 1 0000000000000000 100 0 0 10 0                       
   2: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0000000000000000 20 4 30 10 -1                    
`
	procNet6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 98 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 97 1 0000000000000000 100 0 0 10 0
`
)

func TestParseProcNet(t *testing.T) {
	t.Parallel()
	uid1000 := listener("127.0.0.1:3000", 31337)
	uid1000.UID = 1000
	row := func(addr, uid, inode string) string {
		return "0: " + addr + " 00000000:0000 0A 00000000:00000000 00:00000000 00000000 " + uid + " 0 " + inode + " 1 0\n"
	}
	for _, tt := range []struct {
		name, text string
		want       []Listener
		err        string
	}{
		{name: "empty"},
		{name: "IPv4", text: procNet4, want: []Listener{uid1000, listener("0.0.0.0:2024", 481)}},
		{name: "IPv6", text: procNet6, want: []Listener{
			listener("[::]:8080", 99), listener("[::1]:80", 98), listener("127.0.0.1:81", 97),
		}},
		{name: "other text", text: "no such thing\n\n\x00\xff\n"},
		{name: "bad address", text: row("0100zz7F:0BB8", "0", "1"), err: "parse address"},
		{name: "short address", text: row("0100:0BB8", "0", "1"), err: "is none"},
		{name: "no port", text: row("0100007F", "0", "1"), err: "parse port"},
		{name: "port zero", text: row("0100007F:0000", "0", "1"), err: "is none"},
		{name: "bad uid", text: row("0100007F:0BB8", "-1", "1"), err: "parse uid"},
		{name: "bad inode", text: row("0100007F:0BB8", "0", "4294967296"), err: "parse inode"},
		{name: "too many", text: strings.Repeat(row("0100007F:0BB8", "0", "1"), maxListeners+1), err: ErrTooManyListeners.Error()},
		{name: "too many rows", text: strings.Repeat("\n", maxProcRows+1), err: ErrTooManyListeners.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseProcNet(nil, strings.NewReader(tt.text))
			checkParsed(t, got, err, tt.want, tt.err)
		})
	}
}

// checkParsed expects either listeners or an error with a text.
func checkParsed(t *testing.T, got []Listener, err error, want []Listener, wantErr string) {
	t.Helper()
	switch {
	case wantErr == "" && err != nil:
		t.Fatalf("error: %v", err)
	case wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)):
		t.Fatalf("error %v, want one that says %q", err, wantErr)
	case wantErr == "":
		equal(t, "listeners", got, want)
	}
}

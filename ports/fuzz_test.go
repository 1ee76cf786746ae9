package ports

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"unicode/utf8"
)

// checkListeners is what any scan promises.
func checkListeners(t *testing.T, rows []Listener) {
	t.Helper()
	if len(rows) > maxListeners {
		t.Fatalf("%d listeners", len(rows))
	}
	for _, row := range rows {
		if !row.Addr.IsValid() || row.Addr.Port() == 0 || row.Addr.Addr().Is4In6() || row.Addr.Addr().Zone() != "" {
			t.Fatalf("listener %+v", row)
		}
	}
}

func FuzzNetlink(f *testing.F) {
	for _, b := range [][]byte{
		diagLoopback4, diagWildcard6, diagMapped, diagConnected, diagDone, diagDenied, diagInterrupted,
		slices.Concat(diagLoopback4, diagWildcard6, diagDone),
	} {
		f.Add(b, uint32(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, seq uint32) {
		rows, done, err := parseDiag(nil, b, seq)
		checkListeners(t, rows)
		if done && err != nil {
			t.Fatalf("done with error %v", err)
		}
		// What has been read reads the same again as messages of our making.
		var again []byte
		for _, row := range rows {
			again = append(again, encodeDiag(row, seq)...)
		}
		back, _, err := parseDiag(nil, again, seq)
		if err != nil || !slices.Equal(back, rows) {
			t.Fatalf("read back %v, %v; want %v", back, err, rows)
		}
	})
}

// encodeDiag is the inverse of parseDiag for one listener.
func encodeDiag(ln Listener, seq uint32) []byte {
	b := make([]byte, nlmsgHeaderLen+diagMsgLen)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], diagByFamily)
	binary.NativeEndian.PutUint32(b[8:], seq)
	msg := b[nlmsgHeaderLen:]
	msg[0], msg[1] = afInet, stateListen
	if ln.Addr.Addr().Is6() {
		msg[0] = afInet6
	}
	binary.BigEndian.PutUint16(msg[4:], ln.Addr.Port())
	copy(msg[8:], ln.Addr.Addr().AsSlice())
	binary.NativeEndian.PutUint32(msg[64:], ln.UID)
	binary.NativeEndian.PutUint32(msg[68:], ln.Inode)
	return b
}

func FuzzProcNet(f *testing.F) {
	f.Add([]byte(procNet4))
	f.Add([]byte(procNet6))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, _ := parseProcNet(nil, bytes.NewReader(b)) // any error is fine
		checkListeners(t, rows)
	})
}

func FuzzSS(f *testing.F) {
	f.Add([]byte("LISTEN 0      128     127.0.0.1:3000      0.0.0.0:*    uid:1000 ino:31337 sk:1 cgroup:/ <->\n"))
	f.Add([]byte("tcp LISTEN 0 128 *:80 *:*\ntcp LISTEN 0 9 [fe80::1]%eth0:81 [::]:*\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, _ := parseSS(nil, bytes.NewReader(b)) // any error is fine
		checkListeners(t, rows)
	})
}

func FuzzPortEvents(f *testing.F) {
	const (
		port     = `{"number":3000,"addresses":["::","127.0.0.1"],"process":"vite","pid":7,"uid":1000,"since":"2025-06-01T12:00:00.1Z"}`
		opened   = `{"type":"opened","port":"tcp:[::]:3000","timestamp":"2025-06-01T12:00:00.1Z","seq":8,"epoch":"E","number":3000,"address":"::","open":` + port + `}`
		snapshot = `{"epoch":"E","seq":7,"ports":[` + port + `],"ephemeral":[1,2]}`
	)
	f.Add([]byte(snapshot))
	f.Add([]byte(`{"epoch":"E","ports":[` + port + `,{"number":80,"addresses":["::1","0.0.0.0","::1"]},` + port + `]}`))
	f.Add([]byte("[" + opened + "]"))
	f.Add([]byte(`{"snapshot":` + snapshot + `,"events":[` + opened + `]}`))
	f.Add([]byte("event: snapshot\nid: E-7\ndata: " + snapshot + "\n\n: alive\n\nevent: opened\nid: E-8\ndata: " + opened + "\n\n" +
		"event: closed\ndata: {\"type\":\"closed\",\"port\":\"tcp:[::]:3000\",\"seq\":9,\"epoch\":\"E\"}\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r replica
		if state, err := decodeSnapshot(b); err == nil {
			r.reset(state)
			checkReplica(t, &r)
		}
		if update, err := decodeUpdate(b); err == nil {
			r.advance(update)
			checkReplica(t, &r)
		}
		if events, err := decodeEvents(b); err == nil {
			r.reset(Snapshot{})
			for _, ev := range events {
				r.foldPlain(ev)
			}
			checkReplica(t, &r)
		}
		fl := newFollower(FollowConfig{Client: &http.Client{}}, func(Update) {})
		fl.deliver = func(Update) { checkReplica(t, &fl.replica) }
		if err := fl.takeMessages(newMessageReader(bytes.NewReader(b), func() {})); err == nil {
			t.Fatal("the stream never ends")
		} else if !fl.known && fl.resume || errors.Is(err, errMessageTooLong) && len(b) < maxMessage {
			t.Fatalf("resumes without a state, or %v", err)
		}
	})
}

// checkReplica is what every delivered state promises.
func checkReplica(t *testing.T, r *replica) {
	t.Helper()
	ports := r.state.Ports
	for i, p := range ports {
		if p.Number == 0 || i > 0 && ports[i-1].Number >= p.Number {
			t.Fatalf("ports are not sorted: %v", ports)
		}
		if len(p.Addresses) == 0 || len(p.Addresses) > maxAddresses || !slices.IsSortedFunc(p.Addresses, netip.Addr.Compare) {
			t.Fatalf("addresses %v", p.Addresses)
		}
		for _, addr := range p.Addresses {
			if !addr.IsValid() || addr.Zone() != "" || addr.Is4In6() {
				t.Fatalf("address %q", addr)
			}
		}
		for _, s := range []string{p.Process, p.Command} {
			if len(s) > maxCommand || !utf8.ValidString(s) || bytes.ContainsAny([]byte(s), "\n\r\x1b\x00") {
				t.Fatalf("text %q", s)
			}
		}
	}
	for _, ev := range r.events {
		if ev.Number == 0 || !ev.Address.IsValid() || ev.Open != nil && ev.Open.Number != ev.Number {
			t.Fatalf("event %+v", ev)
		}
	}
}

//go:build linux

package sshd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

func encodeModes(pairs ...uint32) string {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = binary.BigEndian.AppendUint32(append(b, byte(pairs[i])), pairs[i+1])
	}
	return string(append(b, modeEnd))
}

func TestModes(t *testing.T) {
	t.Parallel()
	m, err := parseModes(encodeModes(1, 3, 3, noCharacter, 53, 0, 51, 1, 36, 1, 70, 0, modeCS7, 1, modeCS8, 1, 92, 0, 99, 1))
	if err != nil {
		t.Fatal(err)
	}
	termios := unix.Termios{Lflag: unix.ECHO, Oflag: unix.OPOST, Cflag: unix.CS7 | unix.PARENB}
	termios.Cc[unix.VERASE] = 127
	m.change(&termios)
	if termios.Cc[unix.VINTR] != 3 || termios.Cc[unix.VERASE] != 0 || termios.Lflag != unix.ICANON || termios.Iflag != unix.ICRNL ||
		termios.Oflag != 0 || termios.Cflag != unix.CS8 {
		t.Errorf("%+v", termios)
	}
	if _, err := parseModes("\x01\x00\x00"); !errors.Is(err, errTerminal) {
		t.Errorf("cut modes give %v", err)
	}
	if m, err := parseModes("\xa0what only later standards know"); err != nil || len(m) != 0 {
		t.Errorf("unknown opcodes give %v, %v", m, err)
	}
}

func FuzzModes(f *testing.F) {
	f.Add(encodeModes(1, 3, 53, 0, 90, 1))
	f.Add("")
	f.Add("\x01\x00")
	f.Fuzz(func(t *testing.T, encoded string) {
		m, err := parseModes(encoded)
		if err != nil {
			return
		}
		var termios unix.Termios
		m.change(&termios)
		for opcode := range m {
			if opcode == modeEnd || opcode >= firstUnknownLen {
				t.Errorf("opcode %d", opcode)
			}
		}
	})
}

func TestEnvironIsBounded(t *testing.T) {
	t.Parallel()
	e := make(environ)
	for _, name := range []string{"", "1A", "A B", "A=B", "Ä", strings.Repeat("A", maxName+1)} {
		if err := e.accept(name, "x"); !errors.Is(err, errVariable) {
			t.Errorf("name %q gives %v", name, err)
		}
	}
	for _, value := range []string{"\x00", strings.Repeat("x", maxValue+1)} {
		if err := e.accept("A", value); !errors.Is(err, errVariable) {
			t.Errorf("a value of %d bytes gives %v", len(value), err)
		}
	}
	for i := range maxVariables {
		if err := e.accept(fmt.Sprintf("V%d", i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.accept("ONE_MORE", "x"); !errors.Is(err, errVariables) {
		t.Errorf("one more gives %v", err)
	}
	if err := e.accept("V0", "y"); err != nil || e["V0"] != "y" {
		t.Errorf("a change gives %v, %q", err, e["V0"])
	}
}

func FuzzEnv(f *testing.F) {
	f.Add(ssh.Marshal(sshwire.Env{Name: "LANG", Value: "C.UTF-8"}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		s := &session{env: make(environ)}
		if s.setEnv(payload) != nil {
			return
		}
		for _, entry := range s.env.list() {
			name, _, ok := strings.Cut(entry, "=")
			if !ok || name == "" || strings.IndexByte(entry, 0) >= 0 {
				t.Errorf("entry %q", entry)
			}
		}
	})
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		state   byte
		session int
		ok      bool
	}{
		{"12 (sleep) S 1 11 10 0 -1", 'S', 10, true},
		{"12 (a) Z 1 2 3) R 1 11 10 0 -1", 'R', 10, true},
		{"12 (sleep) S 1 11", 0, 0, false},
		{"", 0, 0, false},
		{"12 (x) S 1 2 y 4", 'S', 0, false},
	}
	for _, test := range tests {
		state, session, ok := parseStat([]byte(test.text))
		if ok != test.ok || ok && (state != test.state || session != test.session) {
			t.Errorf("%q gives %c %d %v", test.text, state, session, ok)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("12 (sleep) S 1 11 10 0 -1"))
	f.Fuzz(func(_ *testing.T, data []byte) { parseStat(data) })
}

func TestParseIgnoresHangup(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Name:\tx\nSigIgn:\t0000000000000001\n": true, "SigIgn:\t0000000000001006\n": false, "SigIgn:\tx\n": false, "": false,
	} {
		if got := parseIgnoresHangup(text); got != want {
			t.Errorf("%q gives %v", text, got)
		}
	}
}

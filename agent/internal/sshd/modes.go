//go:build linux

package sshd

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// modes are encoded terminal modes (RFC 4254 §8), opcode to argument. Unknown opcodes are kept and ignored.
type modes map[byte]uint32

const (
	modeEnd         = 0
	firstUnknownLen = 160 // opcodes from here on have arguments of a length that only later standards know: parsing stops
)

func parseModes(encoded string) (modes, error) {
	m := make(modes)
	for rest := []byte(encoded); len(rest) > 0; rest = rest[5:] {
		opcode := rest[0]
		if opcode == modeEnd || opcode >= firstUnknownLen {
			break
		}
		if len(rest) < 5 {
			return nil, fmt.Errorf("%w: modes end in the middle", errTerminal)
		}
		m[opcode] = binary.BigEndian.Uint32(rest[1:5])
	}
	return m, nil
}

// controlCharacters are opcodes whose argument is a character, 255 for none.
var controlCharacters = map[byte]int{
	1: unix.VINTR, 2: unix.VQUIT, 3: unix.VERASE, 4: unix.VKILL, 5: unix.VEOF, 6: unix.VEOL, 7: unix.VEOL2, 8: unix.VSTART,
	9: unix.VSTOP, 10: unix.VSUSP, 12: unix.VREPRINT, 13: unix.VWERASE, 14: unix.VLNEXT, 16: unix.VSWTC, 18: unix.VDISCARD,
}

// The opcodes whose argument is a flag, by the field of termios that holds it.
var (
	inputFlags = map[byte]uint32{
		30: unix.IGNPAR, 31: unix.PARMRK, 32: unix.INPCK, 33: unix.ISTRIP, 34: unix.INLCR, 35: unix.IGNCR, 36: unix.ICRNL,
		37: unix.IUCLC, 38: unix.IXON, 39: unix.IXANY, 40: unix.IXOFF, 41: unix.IMAXBEL, 42: unix.IUTF8,
	}
	localFlags = map[byte]uint32{
		50: unix.ISIG, 51: unix.ICANON, 52: unix.XCASE, 53: unix.ECHO, 54: unix.ECHOE, 55: unix.ECHOK, 56: unix.ECHONL,
		57: unix.NOFLSH, 58: unix.TOSTOP, 59: unix.IEXTEN, 60: unix.ECHOCTL, 61: unix.ECHOKE, 62: unix.PENDIN,
	}
	outputFlags = map[byte]uint32{
		70: unix.OPOST, 71: unix.OLCUC, 72: unix.ONLCR, 73: unix.OCRNL, 74: unix.ONOCR, 75: unix.ONLRET,
	}
	controlFlags = map[byte]uint32{92: unix.PARENB, 93: unix.PARODD}
)

// Opcodes of the character size, which is no flag but a field of two bits.
const (
	modeCS7 = 90
	modeCS8 = 91
)

// noCharacter is the argument that disables a control character.
const noCharacter = 255

func (m modes) apply(tty *os.File) error {
	if len(m) == 0 {
		return nil
	}
	return control(tty, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		m.change(t)
		return unix.IoctlSetTermios(fd, unix.TCSETS, t)
	})
}

func (m modes) change(t *unix.Termios) {
	for opcode, value := range m {
		if index, ok := controlCharacters[opcode]; ok {
			if value == noCharacter {
				value = 0 // _POSIX_VDISABLE of Linux
			}
			t.Cc[index] = byte(value)
		}
		setFlag(&t.Iflag, inputFlags[opcode], value)
		setFlag(&t.Lflag, localFlags[opcode], value)
		setFlag(&t.Oflag, outputFlags[opcode], value)
		setFlag(&t.Cflag, controlFlags[opcode], value)
	}
	switch {
	case m[modeCS8] != 0:
		t.Cflag = t.Cflag&^unix.CSIZE | unix.CS8
	case m[modeCS7] != 0:
		t.Cflag = t.Cflag&^unix.CSIZE | unix.CS7
	}
}

// setFlag sets or clears a bit; no bit, for an opcode of another field, changes nothing.
func setFlag(field *uint32, bit, value uint32) {
	if value != 0 {
		*field |= bit
	} else {
		*field &^= bit
	}
}

package container

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func frame(stream byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{stream, 0, 0, 0}, uint32(len(text))), text...)
}

func TestDemultiplexer(t *testing.T) {
	t.Parallel()
	whole := bytes.Join([][]byte{frame(1, "one"), frame(2, ""), frame(2, "two"), frame(1, "three")}, nil)
	tests := []struct {
		name string
		in   io.Reader
		want string
		err  error
	}{
		{"whole", bytes.NewReader(whole), "onetwothree", nil},
		{"bytewise", iotest.OneByteReader(bytes.NewReader(whole)), "onetwothree", nil},
		{"with its end", iotest.DataErrReader(bytes.NewReader(whole)), "onetwothree", nil},
		{"empty", strings.NewReader(""), "", nil},
		{"cut in a header", bytes.NewReader(whole[:13]), "one", io.ErrUnexpectedEOF},
		{"cut in a payload", bytes.NewReader(whole[:10]), "on", io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(&demultiplexer{r: tt.in})
			if string(got) != tt.want {
				t.Errorf("got %q", got)
			}
			wantError(t, err, tt.err)
		})
	}
	if _, err := io.ReadAll(&demultiplexer{r: strings.NewReader("HTTP/1.1 500")}); err == nil {
		t.Error("garbage was accepted")
	}
}

func TestDemultiplexerSurvivesTimeouts(t *testing.T) {
	t.Parallel()
	d := demultiplexer{r: iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(frame(1, "text"))))}
	buf := make([]byte, 8)
	if _, err := d.Read(buf); !errors.Is(err, iotest.ErrTimeout) {
		t.Fatalf("error is %v", err)
	}
	if got, err := io.ReadAll(&d); string(got) != "text" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

package jsonrpc

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestStdioReadsAndWrites(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	rw := Stdio(strings.NewReader("in"), &out)
	got, err := io.ReadAll(rw)
	if err != nil || string(got) != "in" {
		t.Errorf("ReadAll() = %q, %v", got, err)
	}
	if n, err := rw.Write([]byte("out")); n != 3 || err != nil || out.String() != "out" {
		t.Errorf("Write() = %d, %v, %q", n, err, out.String())
	}
}

// TestStdioCloses checks that Close ends a Read of a pipe that nobody writes and a Write to one that nobody reads.
func TestStdioCloses(t *testing.T) {
	t.Parallel()
	in, inWriter := io.Pipe()
	outReader, out := io.Pipe()
	rw := Stdio(in, out)
	ended := make(chan error, 2)
	go func() {
		_, err := rw.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		_, err := rw.Write([]byte("x"))
		ended <- err
	}()
	if err := rw.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
	}
	// The system calls end only now.
	if err := errors.Join(inWriter.Close(), outReader.Close()); err != nil {
		t.Fatal(err)
	}
}

package jsonrpc

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFrameReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxHeader)
	tests := []struct {
		name, input string
		want        string // the body
		wantErr     error
	}{
		{"plain", "Content-Length: 2\r\n\r\n{}", "{}", nil},
		{"any case", "content-LENGTH:2\r\n\r\n{}", "{}", nil},
		{"other headers", "X: y\r\nContent-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n{}", "{}", nil},
		{"bare line feeds", "Content-Length: 2\n\n{}", "{}", nil},
		{"same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "{}", nil},
		{"header above the limit", "X:" + long[:maxHeader-24] + "\r\nContent-Length: 2\r\n\r\n{}", "", errFraming},
		{"header at the limit", "X:" + long[:maxHeader-25] + "\r\nContent-Length: 2\r\n\r\n{}", "{}", nil},
		{"line without end", "X:" + long, "", errFraming},
		{"many lines", strings.Repeat("X: y\r\n", maxHeader/6+1), "", errFraming},
		{"no length", "\r\n{}", "", errFraming},
		{"no colon", "GET / HTTP/1.1\r\n\r\n", "", errFraming},
		{"negative", "Content-Length: -1\r\n\r\n", "", errFraming},
		{"hexadecimal", "Content-Length: 0x2\r\n\r\n{}", "", errFraming},
		{"overflow", "Content-Length: 18446744073709551618\r\n\r\n{}", "", errFraming},
		{"above the limit", "Content-Length: 33554433\r\n\r\n{}", "", errFraming},
		{"two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "", errFraming},
		{"nothing", "", "", io.EOF},
		{"end in header line", "Content-Le", "", io.ErrUnexpectedEOF},
		{"end in header", "Content-Length: 2\r\n", "", io.ErrUnexpectedEOF},
		{"end before body", "Content-Length: 2\r\n\r\n", "", io.ErrUnexpectedEOF},
		{"end in body", "Content-Length: 2\r\n\r\n{", "", io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body, err := newFrameReader(strings.NewReader(tt.input)).next()
			if !errors.Is(err, tt.wantErr) || string(body) != tt.want {
				t.Errorf("next() = %q, %v; want %q, %v", body, err, tt.want, tt.wantErr)
			}
		})
	}
}

// TestFrameReaderKeepsNoLargeBuffer checks that one large frame does not cost its memory for ever, and that a header
// alone costs nothing.
func TestFrameReaderKeepsNoLargeBuffer(t *testing.T) {
	t.Parallel()
	large := appendFrame(nil, func(dst []byte) []byte { return append(dst, make([]byte, 4*keepBody)...) })
	small := appendFrame(nil, func(dst []byte) []byte { return append(dst, "{}"...) })
	reader := newFrameReader(io.MultiReader(bytes.NewReader(large), bytes.NewReader(small), strings.NewReader("Content-Length: 33554432\r\n\r\n")))
	for range 2 {
		if _, err := reader.next(); err != nil {
			t.Fatal(err)
		}
	}
	if got := reader.body.Cap(); got > keepBody {
		t.Errorf("a buffer of %d bytes is kept", got)
	}
	if _, err := reader.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("next() = %v", err)
	}
	if got := reader.body.Cap(); got > keepBody {
		t.Errorf("a header alone allocated %d bytes", got)
	}
}

// FuzzFrames checks that whatever comes is either frames or an error, and that frames survive being written again.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull"))
	f.Add([]byte("content-length:0\n\nX"))
	f.Add([]byte("Content-Length: 99999999999999999999\r\n\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		reader := newFrameReader(bytes.NewReader(input))
		var again []byte
		var bodies []string
		for {
			body, err := reader.next()
			if err != nil {
				if !errors.Is(err, errFraming) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("next() = %v", err)
				}
				break
			}
			bodies = append(bodies, string(body))
			again = appendFrame(again, func(dst []byte) []byte { return append(dst, body...) })
		}
		reader = newFrameReader(bytes.NewReader(again))
		for _, want := range bodies {
			if got, err := reader.next(); err != nil || string(got) != want {
				t.Fatalf("again: %q, %v; want %q", got, err, want)
			}
		}
	})
}

package ports

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMessageReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200<<10)
	for _, tt := range []struct {
		name, text string
		want       []string // "name data"
		err        error
		heard      int
	}{
		{name: "empty", err: io.EOF},
		{name: "one", text: "event: a\nid: 1\ndata: {}\n\n", want: []string{"a {}"}, err: io.EOF, heard: 4},
		{name: "two", text: "event: a\ndata: 1\n\nevent:b\ndata:2\n\n", want: []string{"a 1", "b 2"}, err: io.EOF, heard: 6},
		{name: "carriage returns", text: "event: a\r\ndata: 1\r\n\r\n", want: []string{"a 1"}, err: io.EOF, heard: 3},
		{name: "several lines of data", text: "data: 1\ndata: 2\n\n", want: []string{" 1\n2"}, err: io.EOF, heard: 3},
		{name: "comments and other fields", text: ": hello\n\n:\nretry: 3\nfoo\nevent: a\ndata: 1\n\n", want: []string{"a 1"}, err: io.EOF, heard: 8},
		{name: "no data, no message", text: "event: a\n\ndata: 1\n\n", want: []string{" 1"}, err: io.EOF, heard: 4},
		{name: "cut", text: "event: a\ndata: 1\n", err: io.EOF, heard: 2},
		{name: "cut line", text: "event: a\ndata: 1", err: io.EOF, heard: 1},
		{name: "long line", text: "data: " + long + "\n\n", want: []string{" " + long}, err: io.EOF, heard: 2},
		{name: "endless line", text: "data: " + strings.Repeat("x", maxMessage), err: errMessageTooLong},
		{name: "endless message", text: strings.Repeat("data: "+long+"\n", maxMessage/len(long)+1), err: errMessageTooLong, heard: maxMessage / len(long)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, in := range map[string]io.Reader{
				"whole": strings.NewReader(tt.text), "halves": iotest.HalfReader(strings.NewReader(tt.text)),
			} {
				heard := 0
				r := newMessageReader(in, func() { heard++ })
				var got []string
				var err error
				for err == nil {
					var msg message
					if msg, err = r.next(); err == nil {
						got = append(got, msg.name+" "+string(msg.data))
					}
				}
				if !errors.Is(err, tt.err) {
					t.Errorf("%s: error %v, want %v", how, err, tt.err)
				}
				equal(t, how, got, tt.want)
				if heard != tt.heard {
					t.Errorf("%s: heard %d lines, want %d", how, heard, tt.heard)
				}
			}
		})
	}
}

func TestMessageReaderKnowsWhatHasArrived(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stream string
		more   []bool // after each message
	}{
		{"data: 1\n\ndata: 2\n\ndata: 3\n", []bool{true, false}},
		{"data: 1\n\n: alive\n\n: alive\n\n", []bool{false}},
		{"data: 1\n\n: alive\n\nevent: x\ndata: 2\n\n", []bool{true, false}},
		{"data: 1\n\nevent: x\ndata:\n\n\n\n", []bool{false}},
		{"data: 1\n\n: alive\n\ndata: 2\n", []bool{false}},
	} {
		r := newMessageReader(strings.NewReader(tt.stream), func() {})
		for i, want := range tt.more {
			if _, err := r.next(); err != nil {
				t.Fatal(err)
			}
			if got := r.more(); got != want {
				t.Errorf("%q: after message %d: more %v, want %v", tt.stream, i+1, got, want)
			}
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct {
		epoch string
		seq   uint64
	}{
		formatID("abc", 7): {"abc", 7}, "a-b-7": {"a-b", 7}, "": {}, "-": {}, "abc": {}, "abc-": {}, "abc-x": {}, "abc-18446744073709551616": {},
	} {
		if epoch, seq := parseID(id); epoch != want.epoch || seq != want.seq {
			t.Errorf("parseID(%q) = %q, %d", id, epoch, seq)
		}
	}
}

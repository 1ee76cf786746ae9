package ports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The stream is server-sent events as in the HTML standard, section 9.2: lines
// "event: NAME", "id: ID" and "data: JSON", a blank line to end a message, and lines that
// start with a colon as comments.
const (
	streamType    = "text/event-stream"
	snapshotEvent = "snapshot"

	// maxMessage bounds a message that is read, and any other body.
	maxMessage = 8 << 20
)

var errMessageTooLong = errors.New("message too long")

// appendMessage appends one message to b. JSON has no line breaks outside of strings and
// escapes those inside, so that data is a single line.
func appendMessage(b []byte, name, epoch string, seq uint64, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return b, fmt.Errorf("encode %s: %w", name, err)
	}
	return fmt.Appendf(b, "event: %s\nid: %s\ndata: %s\n\n", name, formatID(epoch, seq), data), nil
}

// An id names a position in the sequence of events: Last-Event-ID brings it back.
func formatID(epoch string, seq uint64) string {
	return epoch + "-" + strconv.FormatUint(seq, 10)
}

// parseID returns an empty epoch for what is no id, which resumes nowhere.
func parseID(id string) (epoch string, seq uint64) {
	dash := strings.LastIndexByte(id, '-')
	if dash < 0 {
		return "", 0
	}
	seq, err := strconv.ParseUint(id[dash+1:], 10, 64)
	if err != nil {
		return "", 0
	}
	return id[:dash], seq
}

// A message is one event of a stream. Data is valid until the next one is read.
type message struct {
	name string
	data []byte
}

// A messageReader reads messages from a stream that is not trusted.
type messageReader struct {
	br   *bufio.Reader
	data []byte
	// heard is called for each line, also for comments: the peer is alive.
	heard func()
}

func newMessageReader(r io.Reader, heard func()) *messageReader {
	return &messageReader{br: bufio.NewReaderSize(r, 64<<10), heard: heard}
}

// next returns the next message, or io.EOF.
func (r *messageReader) next() (message, error) {
	var msg message
	r.data = r.data[:0]
	for {
		field, value, err := r.line(len(r.data))
		if err != nil {
			return message{}, err
		}
		r.heard()
		switch field {
		case "event":
			msg.name = string(value)
		case "data":
			if len(r.data) > 0 {
				r.data = append(r.data, '\n')
			}
			r.data = append(r.data, value...)
		case "": // a blank line; nothing is dispatched without data
			if len(r.data) > 0 {
				msg.data = r.data
				return msg, nil
			}
			msg.name = ""
		}
	}
}

// line reads one line of at most maxMessage bytes, less what the message has already, and
// splits it. The field of a blank line is empty, that of a comment ":".
func (r *messageReader) line(used int) (field string, value []byte, err error) {
	var line []byte
	for {
		part, err := r.br.ReadSlice('\n')
		if used+len(line)+len(part) > maxMessage {
			return "", nil, errMessageTooLong
		}
		if err == nil && line == nil {
			line = part // the usual case: no copy
			break
		}
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", nil, err // what is left of a line at the end is dropped
		}
	}
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > 0 && line[0] == ':' {
		return ":", nil, nil
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	return string(name), bytes.TrimPrefix(value, []byte(" ")), nil
}

// more says whether another whole message has arrived already, so that a caller can take
// what came together as one. A heartbeat is none: next would wait for what follows it.
func (r *messageReader) more() bool {
	rest, _ := r.br.Peek(r.br.Buffered()) // never reads
	for {
		block, after, whole := bytes.Cut(rest, []byte("\n\n"))
		switch {
		case !whole:
			return false
		case hasData(block):
			return true
		}
		rest = after
	}
}

// hasData says whether a block of lines is a message.
func hasData(block []byte) bool {
	for line := range bytes.SplitSeq(block, []byte("\n")) {
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok && len(bytes.TrimSpace(value)) > 0 {
			return true
		}
	}
	return false
}

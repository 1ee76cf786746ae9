package conversation

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// answerWithin bounds the time to the first byte of a stream, silentAfter that between two signs of life.
	answerWithin = 10 * time.Second
	silentAfter  = 3 * heartbeat
	backoffMin   = 50 * time.Millisecond
	backoffMax   = 5 * time.Second
)

var (
	errSilent = errors.New("agent is silent")
	errStream = errors.New("not a stream of a conversation")
)

// Event is one thing that is new; exactly one of its fields is set.
type Event struct {
	Begin   *Begin   // what follows replaces what is known, or goes on with it
	Status  *Status  // as it stands
	Message *Message // as it stands; what has its id is replaced
}

// Begin is the first event of each connection.
type Begin struct {
	Reset bool // this is another conversation than before: what is known of it is void
	More  bool // there are earlier messages that are not delivered
}

// FollowConfig says whom to follow.
type FollowConfig struct {
	Client Client
	Limit  int          // messages that are delivered at first, at most (0: 200)
	Log    *slog.Logger // nil discards
}

// Follow delivers the status and the last messages, and then each change, on the caller's goroutine; while deliver runs nothing is read,
// and the newest state of what changed meanwhile comes next. It reconnects for ever, with backoff, and delivers again whatever may
// have changed, so that deliver has to be idempotent. It returns ctx's error.
func Follow(ctx context.Context, cfg FollowConfig, deliver func(Event)) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := follower{cfg: cfg, deliver: deliver, open: make(map[int64]bool)}
	delay := backoffMin
	for {
		began := time.Now()
		err := f.connect(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) >= backoffMax {
			delay = backoffMin
		}
		cfg.Log.Debug("following the conversation is interrupted", "err", err, "retry", delay)
		if !sleep(ctx, delay/2+rand.N(delay)) {
			return ctx.Err()
		}
		delay = min(2*delay, backoffMax)
	}
}

// follower is the state of Follow.
type follower struct {
	cfg     FollowConfig
	deliver func(Event)
	epoch   string
	last    int64          // place of the last message
	open    map[int64]bool // places of messages that can still change
}

// after is the place before the first message that may have changed meanwhile.
func (f *follower) after() int64 {
	after := f.last
	for seq := range f.open {
		after = min(after, seq-1)
	}
	return after
}

func (f *follower) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(answerWithin, func() { cancel(errSilent) })
	defer watchdog.Stop()
	query := url.Values{"after": {strconv.FormatInt(f.after(), 10)}, "epoch": {f.epoch}, "limit": {strconv.Itoa(f.cfg.Limit)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cfg.Client.BaseURL+"/conversation/events?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", streamType)
	req.Header.Set("Accept-Encoding", "identity") // what is compressed has no bound
	res, err := f.cfg.Client.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != streamType || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", errStream, res.Status)
	}
	r := eventReader{r: bufio.NewReaderSize(res.Body, 64<<10), heard: func() { watchdog.Reset(silentAfter) }}
	for {
		name, data, err := r.next()
		if err != nil {
			return err
		}
		if err := f.take(name, data); err != nil {
			return err
		}
	}
}

func (f *follower) take(name string, data []byte) error {
	switch name {
	case beginEvent:
		var b begin
		if err := decodeBounded(data, &b); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
		f.begin(b)
	case statusEvent:
		var s Status
		if err := decodeBounded(data, &s); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
		s.bound()
		f.deliver(Event{Status: &s})
	case messageEvent:
		var m Message
		if err := decodeBounded(data, &m); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
		return f.message(m)
	}
	return nil // a kind that a later version may add
}

func (f *follower) begin(b begin) {
	epoch := Clip(b.Epoch, maxLine)
	event := Begin{Reset: epoch != f.epoch, More: b.More}
	if event.Reset {
		f.epoch, f.last = epoch, 0
		clear(f.open)
	}
	f.deliver(Event{Begin: &event})
}

// maxOpen bounds how many messages are remembered as open; a turn has as many as it has tools running.
const maxOpen = 1024

func (f *follower) message(m Message) error {
	if !m.valid() {
		return fmt.Errorf("%w: message without id or place", errStream)
	}
	m.bound()
	f.last = max(f.last, m.Seq)
	if m.Done {
		delete(f.open, m.Seq)
	} else if len(f.open) < maxOpen {
		f.open[m.Seq] = true
	}
	f.deliver(Event{Message: &m})
	return nil
}

func (m *Message) valid() bool { return m.ID != "" && m.Seq > 0 && m.Kind != "" }

// eventReader reads events from a stream that is not trusted.
type eventReader struct {
	r     *bufio.Reader
	heard func() // is called for each line, also for comments: the agent is alive
}

// next returns the next event, or io.EOF.
func (r *eventReader) next() (name string, data []byte, err error) {
	for {
		line, err := r.line()
		if err != nil {
			return "", nil, err
		}
		r.heard()
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = Clip(string(value), maxLine)
		case "data":
			if len(data)+len(value) > maxEvent {
				return "", nil, fmt.Errorf("%w: event too long", errStream)
			}
			data = append(data, value...)
		case "":
			if len(line) == 0 && data != nil {
				return name, data, nil
			}
		}
	}
}

// line reads one line of at most maxEvent bytes, without its end.
func (r *eventReader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if len(line)+len(part) > maxEvent {
			return nil, fmt.Errorf("%w: line too long", errStream)
		}
		line = append(line, part...)
		if err == nil {
			return bytes.TrimRight(line, "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

package conversation

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// Conversation is the status and the messages. It has one writer; its methods may be called concurrently.
type Conversation struct {
	transcript *Transcript // nil: in memory only

	mu      sync.Mutex // guards the fields below, and every entry
	epoch   string     // of the sequence numbers
	status  Status
	entries []*Entry // the latest, in order
	bytes   int      // about, of the entries that are done
	dropped bool     // there were earlier ones
	seq     int64    // of the last entry
	version uint64   // grows with each change
	stated  uint64   // version of the status
	changed chan struct{}
	failed  error // of the last write to disk
}

// Entry is a message that can still change.
type Entry struct {
	of      *Conversation
	message Message // text and thinking are in the builders while it is open
	text    growing
	thought growing
	version uint64
}

// New returns a conversation that begins where a transcript ends. A nil transcript keeps nothing on disk.
func New(transcript *Transcript, loaded Loaded) *Conversation {
	c := &Conversation{transcript: transcript, epoch: loaded.Epoch, changed: make(chan struct{}), status: loaded.Status, dropped: loaded.Dropped}
	if c.epoch == "" {
		c.epoch = rand.Text()
	}
	if c.status.State == "" {
		c.status.State = Off
	}
	for _, m := range loaded.Messages {
		c.seq = m.Seq
		c.bytes += m.size()
		c.entries = append(c.entries, &Entry{of: c, message: m})
	}
	c.trim()
	return c
}

// Begin adds a message that will change.
func (c *Conversation) Begin(kind Kind, turn int, fill func(*Message)) *Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begin(kind, turn, fill)
}

func (c *Conversation) begin(kind Kind, turn int, fill func(*Message)) *Entry {
	c.seq++
	e := &Entry{of: c, message: Message{ID: rand.Text(), Seq: c.seq, Kind: kind, Time: time.Now().UTC().Round(0), Turn: turn}}
	if fill != nil {
		fill(&e.message)
		e.message.bound()
	}
	c.entries = append(c.entries, e)
	e.touch()
	return e
}

// Add adds a message that is complete, and returns it.
func (c *Conversation) Add(kind Kind, turn int, fill func(*Message)) Message {
	return c.AddWith(kind, turn, nil, fill)
}

// AddWith is Add for a prompt, of which the transcript keeps more than what is shown.
func (c *Conversation) AddWith(kind Kind, turn int, prompt *Prompt, fill func(*Message)) Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.begin(kind, turn, fill)
	return e.finish(prompt)
}

// ID returns the message's name.
func (e *Entry) ID() string { return e.message.ID }

// Grow appends to the message's text and thinking. It costs the appended bytes only.
func (e *Entry) Grow(text, thinking string) {
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	if e.message.Done {
		return
	}
	e.text.add(text)
	e.thought.add(thinking)
	e.touch()
}

// Update changes the message, unless it is done. The function must not block.
func (e *Entry) Update(change func(*Message)) {
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	if e.message.Done {
		return
	}
	change(&e.message)
	e.message.bound()
	e.touch()
}

// Done changes the message for the last time and writes it to the transcript. A nil function changes nothing.
func (e *Entry) Done(change func(*Message)) {
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	if e.message.Done {
		return
	}
	e.message = e.snapshot()
	e.text, e.thought = growing{}, growing{}
	if change != nil {
		change(&e.message)
		e.message.bound()
	}
	e.finish(nil)
}

func (e *Entry) finish(prompt *Prompt) Message {
	c := e.of
	e.message.Done = true
	e.touch()
	c.bytes += e.message.size()
	c.trim()
	c.write(Record{Message: &e.message, Prompt: prompt})
	return e.message
}

// snapshot returns the message as it stands.
func (e *Entry) snapshot() Message {
	m := e.message
	if !e.text.empty() {
		m.Text = e.text.string()
	}
	if !e.thought.empty() {
		m.Thinking = e.thought.string()
	}
	return m
}

func (e *Entry) touch() { e.version = e.of.bump() }

func (c *Conversation) bump() uint64 {
	c.version++
	close(c.changed)
	c.changed = make(chan struct{})
	return c.version
}

// trim drops the oldest messages that are too many, but none that can change.
func (c *Conversation) trim() {
	drop := 0
	for drop < len(c.entries) && (len(c.entries)-drop > maxKept || c.bytes > maxKeptBytes) && c.entries[drop].message.Done {
		c.bytes -= c.entries[drop].message.size()
		drop++
	}
	if drop > 0 {
		c.entries = slices.Delete(c.entries, 0, drop)
		c.dropped = true
	}
}

// SetStatus changes the status. The function must not block; slices that it sets are shared from then on.
func (c *Conversation) SetStatus(change func(*Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.status)
	c.status.bound()
	c.stated = c.bump()
}

// Status returns the status.
func (c *Conversation) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Page is a conversation's end.
type Page struct {
	Epoch    string    `json:"epoch"` // of the sequence numbers
	Status   Status    `json:"status"`
	Messages []Message `json:"messages"`
	More     bool      `json:"more,omitzero"` // there are earlier ones after the given place
}

// Latest returns the status and the last messages after a place, limit of them at most (0: 200), and no more bytes than can be sent.
func (c *Conversation) Latest(after int64, limit int) Page {
	page, _ := c.latest("", after, limit)
	return page
}

func (c *Conversation) latest(epoch string, after int64, limit int) (Page, uint64) {
	if limit <= 0 {
		limit = defaultLimit
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != "" && epoch != c.epoch {
		after = 0
	}
	page := Page{Epoch: c.epoch, Status: c.status, Messages: []Message{}, More: c.dropped && after == 0}
	bytes := 0
	for _, e := range slices.Backward(c.entries) {
		if e.message.Seq <= after {
			break
		}
		m := e.snapshot()
		bytes += m.size()
		if len(page.Messages) == limit || bytes > maxAnswer && len(page.Messages) > 0 {
			page.More = true
			break
		}
		page.Messages = append(page.Messages, m)
	}
	slices.Reverse(page.Messages)
	return page, c.version
}

// change is what a reader lacks.
type change struct {
	version  uint64
	status   *Status
	messages []Message
}

// since returns what has changed after a version, or else the channel that is closed when something has.
func (c *Conversation) since(version uint64) (change, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version == c.version {
		return change{}, c.changed
	}
	news := change{version: c.version}
	if c.stated > version {
		status := c.status
		news.status = &status
	}
	for _, e := range c.entries {
		if e.version > version {
			news.messages = append(news.messages, e.snapshot())
		}
	}
	return news, nil
}

// Keep writes what the loop wants back after a restart.
func (c *Conversation) Keep(r Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(r)
}

// KeepStatus writes the status, and everything before it, to the disk itself: a turn's end.
func (c *Conversation) KeepStatus() {
	c.mu.Lock()
	status := c.status
	c.write(Record{Status: &status})
	c.mu.Unlock()
	if c.transcript != nil {
		c.fail(c.transcript.Sync())
	}
}

func (c *Conversation) write(r Record) {
	if c.transcript == nil {
		return
	}
	if err := c.transcript.Append(r); err != nil {
		c.failed = err
	}
}

func (c *Conversation) fail(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
}

// Trouble returns why something could not be written since the last call, or nil: the conversation goes on, but a restart will miss it.
func (c *Conversation) Trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.failed
	c.failed = nil
	return err
}

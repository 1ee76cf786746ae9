package conversation

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Record is one line of a transcript. Each has one of its fields, a prompt's message two.
type Record struct {
	Epoch   string          `json:"epoch,omitzero"`   // the first line: of the sequence numbers
	Message *Message        `json:"message,omitzero"` // that is done
	Prompt  *Prompt         `json:"prompt,omitzero"`  // what the message was made of
	Status  *Status         `json:"status,omitzero"`  // at a turn's beginning or end
	History json.RawMessage `json:"history,omitzero"` // the loop's own
}

// Loaded is what a transcript says.
type Loaded struct {
	Epoch    string
	Messages []Message // the latest
	Dropped  bool      // there were earlier ones
	Status   Status    // the last one
	Broken   int       // lines that made no sense
}

// maxRecord bounds a line; what is written is far smaller.
const maxRecord = 64 << 20

// Transcript is the file that a conversation is appended to, one JSON object a line. Its methods may be called concurrently.
type Transcript struct {
	mu   sync.Mutex
	file *os.File
	end  int64 // of the last whole line
}

// Open opens the transcript in a folder of its own, or makes it, and reads what it says: record is called for each line in order, so that
// the loop takes its own. A last line that a crash tore is cut off; any other line that makes no sense is skipped and counted.
func Open(dir string, record func(Record)) (*Transcript, Loaded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Loaded{}, fmt.Errorf("make folder of transcript: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "transcript.jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Loaded{}, fmt.Errorf("open transcript: %w", err)
	}
	t := &Transcript{file: file}
	loaded, err := t.load(record)
	if err == nil && loaded.Epoch == "" {
		loaded.Epoch = rand.Text()
		err = t.Append(Record{Epoch: loaded.Epoch})
	}
	if err != nil {
		return nil, Loaded{}, errors.Join(fmt.Errorf("read transcript: %w", err), file.Close())
	}
	return t, loaded, nil
}

func (t *Transcript) load(record func(Record)) (Loaded, error) {
	l := loader{record: record}
	end, err := l.read(t.file)
	if err != nil {
		return Loaded{}, err
	}
	// What is behind the last whole line is what was being written when the process ended.
	t.end = end
	return l.loaded, t.file.Truncate(end)
}

// readLine returns a line with its end, or says that there is none that is whole.
func readLine(r *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = r.ReadSlice('\n')
	if err == nil {
		return line, true, nil
	}
	line = bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = r.ReadSlice('\n')
		line = append(line, more...)
		if len(line) > maxRecord {
			return nil, false, errors.New("a line is too long")
		}
	}
	return line, err == nil, err
}

type loader struct {
	record func(Record)
	loaded Loaded
	bytes  int
}

// read takes all whole lines, and returns where the last one ends.
func (l *loader) read(file io.Reader) (end int64, err error) {
	r := bufio.NewReaderSize(file, 256<<10)
	for {
		line, whole, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if !whole {
			return end, nil
		}
		end += int64(len(line))
		l.take(line)
	}
}

func (l *loader) take(line []byte) {
	var r Record
	if json.Unmarshal(line, &r) != nil {
		l.loaded.Broken++
		return
	}
	switch {
	case r.Epoch != "":
		l.loaded.Epoch = r.Epoch
	case r.Status != nil:
		l.loaded.Status = *r.Status
	case r.Message != nil:
		l.message(*r.Message)
	}
	if l.record != nil {
		l.record(r)
	}
}

// maxSeq is beyond every place that is ever reached, and exact in JavaScript.
const maxSeq = 1 << 53

func (l *loader) message(m Message) {
	if m.Seq <= 0 || m.Seq >= maxSeq {
		l.loaded.Broken++
		return
	}
	if n := len(l.loaded.Messages); n > 0 && m.Seq <= l.loaded.Messages[n-1].Seq {
		l.insert(m)
		return
	}
	m.Done = true
	l.bytes += m.size()
	l.loaded.Messages = append(l.loaded.Messages, m)
	for len(l.loaded.Messages) > maxKept || l.bytes > maxKeptBytes {
		l.bytes -= l.loaded.Messages[0].size()
		l.loaded.Messages = l.loaded.Messages[1:]
		l.loaded.Dropped = true
	}
}

// insert puts a message at its place: messages are written when they are done, in another order than they began in.
func (l *loader) insert(m Message) {
	messages := l.loaded.Messages
	i := len(messages)
	for i > 0 && messages[i-1].Seq > m.Seq {
		i--
	}
	if i > 0 && messages[i-1].Seq == m.Seq || i == 0 && l.loaded.Dropped {
		return
	}
	m.Done = true
	l.bytes += m.size()
	messages = append(messages, Message{})
	copy(messages[i+1:], messages[i:])
	messages[i] = m
	l.loaded.Messages = messages
}

// Append writes a line. It is in the system's hands when Append returns; [Transcript.Sync] puts it on the disk. What a full disk lets
// be written in part is taken back.
func (t *Transcript) Append(r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	line = append(line, '\n')
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.file.WriteAt(line, t.end); err != nil {
		return errors.Join(fmt.Errorf("write transcript: %w", err), t.file.Truncate(t.end))
	}
	t.end += int64(len(line))
	return nil
}

// Sync puts everything that was appended on the disk.
func (t *Transcript) Sync() error {
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("sync transcript: %w", err)
	}
	return nil
}

// Close closes the file.
func (t *Transcript) Close() error { return t.file.Close() }

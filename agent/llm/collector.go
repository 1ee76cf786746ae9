package llm

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Bounds of one answer.
const (
	maxText   = 4 << 20 // bytes of text and thinking together
	maxInput  = 4 << 20 // bytes of the inputs of all calls together
	maxBlocks = 256
)

// errFull ends the reading of an answer that is longer than anything that makes sense.
var errFull = errors.New("answer too long")

// collector puts an answer together from its pieces, within bounds.
type collector struct {
	on     func(Delta)
	began  bool
	blocks []*pending
	text   int // bytes
	input  int // bytes
	stop   Stop
	usage  Usage
}

// pending is a block that is being written.
type pending struct {
	key       int64 // the server's number of it
	kind      blockKind
	text      strings.Builder
	signature string
	redacted  string
	id, name  string
	given     string // the id that the server gave
	input     bytes.Buffer
	ended     bool
}

type blockKind int

const (
	textBlock blockKind = iota
	thinkingBlock
	callBlock
	otherBlock // of a kind that is not known; dropped
)

func newCollector(on func(Delta)) *collector {
	if on == nil {
		on = func(Delta) {}
	}
	return &collector{on: on}
}

// begin adds a block. Servers number them as they like.
func (c *collector) begin(key int64, kind blockKind) (*pending, error) {
	c.began = true
	if len(c.blocks) == maxBlocks {
		return nil, fmt.Errorf("%w: %d blocks", errFull, maxBlocks)
	}
	p := &pending{key: key, kind: kind}
	c.blocks = append(c.blocks, p)
	return p, nil
}

// find returns the latest block with a number and of a kind, or nil.
func (c *collector) find(key int64) *pending {
	for _, p := range slices.Backward(c.blocks) {
		if p.key == key {
			return p
		}
	}
	return nil
}

func (c *collector) addText(p *pending, text string) error {
	if text == "" {
		return nil
	}
	if c.text += len(text); c.text > maxText {
		return fmt.Errorf("%w: more than %d bytes of text", errFull, maxText)
	}
	p.text.WriteString(text)
	if p.kind == thinkingBlock {
		c.on(Delta{Thinking: text})
	} else {
		c.on(Delta{Text: text})
	}
	return nil
}

func (c *collector) addInput(p *pending, part string) error {
	if c.input += len(part); c.input > maxInput {
		return fmt.Errorf("%w: more than %d bytes of tool input", errFull, maxInput)
	}
	p.input.WriteString(part)
	return nil
}

var goodID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// named gives a call its id and name. Some servers give no id, or the same to all, and then it gets one of ours.
func (c *collector) named(p *pending, id, name string) {
	for _, other := range c.blocks {
		if other != p && other.id == id {
			id = ""
		}
	}
	if !goodID.MatchString(id) {
		id = "call_" + rand.Text()
	}
	p.id, p.name = id, name
	c.on(Delta{Call: &Call{ID: id, Name: name}})
}

// response is the answer so far.
func (c *collector) response() Response {
	res := Response{Stop: c.stop, Usage: c.usage}
	for i, p := range c.blocks {
		if c.stop == StopLength && i == len(c.blocks)-1 && !json.Valid(p.input.Bytes()) {
			p.ended = false
		}
		if b, ok := p.block(); ok {
			res.Blocks = append(res.Blocks, b)
		}
	}
	if res.Stop == StopEnd && len(res.Calls()) > 0 {
		res.Stop = StopTools // some servers do not tell the one from the other
	}
	return res
}

func (p *pending) block() (Block, bool) {
	switch p.kind {
	case textBlock:
		return Block{Text: p.text.String()}, strings.TrimSpace(p.text.String()) != ""
	case thinkingBlock:
		t := &Thinking{Text: p.text.String(), Signature: p.signature, Redacted: p.redacted}
		return Block{Thinking: t}, *t != Thinking{}
	case callBlock:
		return Block{Call: p.call()}, true
	default:
		return Block{}, false
	}
}

// goodName is what both APIs take as the name of a tool.
var goodName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// call returns a call that can be sent back, and says what is wrong with it as it came.
func (p *pending) call() *Call {
	c := &Call{ID: p.id, Name: p.name, Input: json.RawMessage("{}")}
	input := bytes.TrimSpace(p.input.Bytes())
	var object map[string]json.RawMessage
	switch {
	case !goodName.MatchString(p.name):
		c.Name, c.Broken = "unknown", fmt.Sprintf("There is no tool named %.80q.", p.name)
	case !p.ended:
		c.Broken = "The input of this call was cut off: the answer became too long. Use a smaller input, or several calls."
	case len(input) == 0:
	case json.Unmarshal(input, &object) != nil || object == nil:
		c.Broken = fmt.Sprintf("The input of this call is not a JSON object: %.200q", input)
	default:
		c.Input = json.RawMessage(bytes.Clone(input))
	}
	return c
}

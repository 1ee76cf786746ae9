package gateway

import (
	"bytes"
	"encoding/json"
)

// Usage is what was used of models.
type Usage struct {
	Input      int64   `json:"input"`  // tokens sent, not counting those from the cache
	Output     int64   `json:"output"` // tokens generated
	CacheRead  int64   `json:"cacheRead"`
	CacheWrite int64   `json:"cacheWrite"`
	Calls      int64   `json:"calls"`
	Dollars    float64 `json:"dollars"`
	Unpriced   int64   `json:"unpriced"` // calls of models that have no price
}

// Tokens is how many there were, of all kinds.
func (u Usage) Tokens() int64 { return u.Input + u.Output + u.CacheRead + u.CacheWrite }

// Add is the sum of both.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, Output: u.Output + v.Output, CacheRead: u.CacheRead + v.CacheRead, CacheWrite: u.CacheWrite + v.CacheWrite,
		Calls: u.Calls + v.Calls, Dollars: u.Dollars + v.Dollars, Unpriced: u.Unpriced + v.Unpriced,
	}
}

// Sub is what remains of u without v.
func (u Usage) Sub(v Usage) Usage {
	return Usage{
		Input: u.Input - v.Input, Output: u.Output - v.Output, CacheRead: u.CacheRead - v.CacheRead, CacheWrite: u.CacheWrite - v.CacheWrite,
		Calls: u.Calls - v.Calls, Dollars: u.Dollars - v.Dollars, Unpriced: u.Unpriced - v.Unpriced,
	}
}

// priced is u, one call, with its price.
func (u Usage) priced(p *Prices) Usage {
	u.Calls = 1
	if p == nil {
		u.Unpriced = 1
		return u
	}
	read, write := p.Input, p.Input
	if p.CacheRead != nil {
		read = *p.CacheRead
	}
	if p.CacheWrite != nil {
		write = *p.CacheWrite
	}
	u.Dollars = (float64(u.Input)*p.Input + float64(u.Output)*p.Output + float64(u.CacheRead)*read + float64(u.CacheWrite)*write) / 1e6
	return u
}

const (
	maxEventLine = 256 << 10 // of a line that can tell usage; longer ones are content
	maxWhole     = 32 << 20  // of an answer that is not streamed
)

// meter reads the usage from an answer while it passes. A server that tells none, or is not heard to its end, is counted by what was seen.
type meter struct {
	provider Provider
	stream   bool
	sent     int // bytes of the request

	line   []byte // of the stream: the line that has begun
	carry  int    // bytes of long lines that are less than a token
	long   bool   // that line is too long to be of interest
	whole  []byte // of an answer that is not a stream
	events int64  // of content, in tokens: one each, or more where it is long
	told   Usage
	hour   int64 // of told.CacheWrite: what the cache keeps for an hour
	input  bool  // told has what was sent
	output bool  // told has what was generated, to the end
}

// feed takes the next bytes of the answer.
func (m *meter) feed(p []byte) {
	if !m.stream {
		m.whole = append(m.whole, p[:min(len(p), maxWhole-len(m.whole))]...)
		return
	}
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			m.keep(p)
			return
		}
		m.keep(p[:i])
		if !m.long {
			m.event(m.line)
		}
		m.line, m.long = m.line[:0], false
		p = p[i+1:]
	}
}

func (m *meter) keep(p []byte) {
	if m.long || len(m.line)+len(p) > maxEventLine {
		if !m.long {
			m.carry += len(m.line)
		}
		m.long = true
		m.carry += len(p)
		m.events += int64(m.carry / bytesPerToken)
		m.carry %= bytesPerToken
		return
	}
	m.line = append(m.line, p...)
}

// event reads one line of a stream. In content a quote is escaped, so that what looks like a usage is one.
func (m *meter) event(line []byte) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return
	}
	m.events += max(1, int64(len(data)-m.frame())/bytesPerToken)
	if !bytes.Contains(data, []byte(`"usage"`)) {
		return
	}
	var event struct {
		Message struct {
			Usage *rawUsage `json:"usage"`
		} `json:"message"`
		Type  string    `json:"type"`
		Usage *rawUsage `json:"usage"`
	}
	if json.Unmarshal(data, &event) != nil {
		return
	}
	m.take(event.Message.Usage, false)
	m.take(event.Usage, m.provider == OpenAI || event.Type == "message_delta")
}

// frame is about what an event has beside its content. A server may put much into one, and a caller that leaves before the end is counted by them.
func (m *meter) frame() int {
	if m.provider == OpenAI {
		return 320
	}
	return 100
}

// rawUsage has the fields of both APIs.
type rawUsage struct {
	Input      *int64 `json:"input_tokens"`
	Output     *int64 `json:"output_tokens"`
	CacheRead  *int64 `json:"cache_read_input_tokens"`
	CacheWrite *int64 `json:"cache_creation_input_tokens"`

	Prompt     *int64 `json:"prompt_tokens"`
	Completion *int64 `json:"completion_tokens"`
	Creation   struct {
		Hour int64 `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	Details struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// take notes what is told. Anthropic's numbers are totals that grow in the stream; final says that the output's is the last.
func (m *meter) take(u *rawUsage, final bool) {
	if u == nil {
		return
	}
	set := func(to *int64, from *int64) {
		if from != nil {
			*to = max(*from, 0)
		}
	}
	if m.provider == OpenAI {
		set(&m.told.Output, u.Completion)
		if u.Prompt != nil {
			cached := min(max(u.Details.Cached, 0), max(*u.Prompt, 0))
			m.told.CacheRead, m.told.Input = cached, max(*u.Prompt, 0)-cached
		}
		m.input, m.output = u.Prompt != nil, u.Completion != nil
		return
	}
	set(&m.told.Input, u.Input)
	set(&m.told.Output, u.Output)
	set(&m.told.CacheRead, u.CacheRead)
	set(&m.told.CacheWrite, u.CacheWrite)
	m.hour = max(m.hour, u.Creation.Hour)
	m.input = m.input || u.Input != nil
	m.output = m.output || final && u.Output != nil
}

// bytesPerToken is a common ratio, for what nobody counted.
const bytesPerToken = 4

// priced is what the call used, with its price. What the cache keeps for an hour instead of minutes costs twice what is sent.
func (m *meter) priced(p *Prices) Usage {
	u := m.result().priced(p)
	if p != nil {
		plain := Usage{CacheWrite: 1e6}.priced(p).Dollars
		u.Dollars += float64(min(m.hour, u.CacheWrite)) * max(2*p.Input-plain, 0) / 1e6
	}
	return u
}

// reported reads what an answer that is an error says was used.
func (m *meter) reported(p *Prices) (u Usage, ok bool) {
	u = m.priced(p)
	return u, m.input || m.output
}

// result is what the call used.
func (m *meter) result() Usage {
	if !m.stream {
		var answer struct {
			Usage *rawUsage `json:"usage"`
		}
		if json.Unmarshal(m.whole, &answer) == nil {
			m.take(answer.Usage, true)
		}
		m.events = int64(len(m.whole) / bytesPerToken)
	}
	u := m.told
	if !m.input {
		u.Input = int64(m.sent / bytesPerToken)
	}
	if !m.output {
		u.Output = max(u.Output, m.events)
	}
	return u
}

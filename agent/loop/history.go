package loop

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

// History is what the model is sent, and the prompts that it was not sent yet. The zero value is the beginning. It belongs to
// one goroutine.
type History struct {
	messages []llm.Message
	prompts  []waiting // of the transcript, not taken
	model    string    // that a prompt chose last, for this one and those after it
	tasks    []string  // texts of the prompts, oldest first, for when the rest is shortened
	grown    int       // about how many tokens came since the last answer
}

// waiting is a prompt that was accepted.
type waiting struct {
	id     string // of its message
	turn   int
	prompt conversation.Prompt
}

// record is a change of the history, as a transcript has it.
type record struct {
	Add  *llm.Message  `json:"add,omitzero"`
	Set  []llm.Message `json:"set,omitzero"` // instead of everything before
	Took []string      `json:"took,omitzero"`
}

// Take applies a line of a transcript.
func (h *History) Take(r conversation.Record) {
	if r.Message != nil && r.Prompt != nil {
		h.prompts = append(h.prompts, waiting{r.Message.ID, r.Message.Turn, *r.Prompt})
		h.model = cmp.Or(r.Prompt.Model, h.model)
	}
	if r.History == nil {
		return
	}
	var change record
	if json.Unmarshal(r.History, &change) == nil {
		h.apply(change)
	}
}

func (h *History) apply(r record) {
	if len(r.Set) > 0 {
		h.messages, h.grown = slices.Clone(r.Set), 0
	}
	if r.Add != nil {
		h.add(*r.Add)
	}
	if len(r.Took) > 0 {
		h.prompts = slices.DeleteFunc(h.prompts, func(w waiting) bool {
			took := slices.Contains(r.Took, w.id)
			if took {
				h.remember(w.prompt.Text)
			}
			return took
		})
	}
}

// add appends a message, to the last one where that is of the same role.
func (h *History) add(m llm.Message) {
	if m.Role == llm.Assistant {
		h.grown = 0
	} else {
		h.grown += estimate(m.Blocks)
	}
	if n := len(h.messages); n > 0 && h.messages[n-1].Role == m.Role {
		last := &h.messages[n-1]
		last.Blocks = slices.Concat(last.Blocks, m.Blocks)
		return
	}
	h.messages = append(h.messages, m)
}

// maxTasks bounds what is remembered of prompts, in bytes: the first one, and the latest.
const (
	maxTask  = 8 << 10
	maxTasks = 32 << 10
)

func (h *History) remember(text string) {
	h.tasks = append(h.tasks, conversation.Clip(text, maxTask))
	total := 0
	for _, task := range h.tasks {
		total += len(task)
	}
	for total > maxTasks && len(h.tasks) > 2 {
		total -= len(h.tasks[1])
		h.tasks = slices.Delete(h.tasks, 1, 2)
	}
}

// estimate says about how many tokens blocks are. It guesses high: a request that turns out too long costs time.
func estimate(blocks []llm.Block) int {
	const perImage = 1600
	bytes, images := 0, 0
	for _, b := range blocks {
		bytes += len(b.Text)
		if b.Image != nil {
			images++
		}
		if b.Result != nil {
			bytes += len(b.Result.Text)
			images += len(b.Result.Images)
		}
	}
	return bytes/3 + images*perImage
}

// interruptedText is the result of a call that has none because the process ended.
const interruptedText = "[interrupted: the agent was started anew while this ran; whether it took effect is not known]"

// mend returns messages that can be sent, whatever a broken transcript left: they begin with the user and alternate, each call has
// its result at the beginning of the next message, and there are no other results.
func mend(messages []llm.Message) []llm.Message {
	var mended []llm.Message
	var open []llm.Call
	push := func(m llm.Message) {
		if n := len(mended); n > 0 && mended[n-1].Role == m.Role {
			mended[n-1].Blocks = slices.Concat(mended[n-1].Blocks, m.Blocks)
		} else {
			mended = append(mended, m)
		}
	}
	for _, m := range messages {
		m.Blocks = possible(m)
		if len(m.Blocks) == 0 || m.Role == llm.Assistant && len(mended) == 0 {
			continue
		}
		if m.Role == llm.Assistant {
			if len(open) > 0 {
				push(llm.Message{Role: llm.User, Blocks: answer(open, nil)})
			}
			push(m)
			open = calls(m.Blocks)
			continue
		}
		if blocks := answer(open, m.Blocks); len(blocks) > 0 { // whatever else its role says
			push(llm.Message{Role: llm.User, Blocks: blocks})
		}
		open = nil
	}
	if len(open) > 0 {
		push(llm.Message{Role: llm.User, Blocks: answer(open, nil)})
	}
	return mended
}

// possible returns the blocks of a message that can be in it: calls are the model's, results are the user's.
func possible(m llm.Message) []llm.Block {
	return slices.DeleteFunc(slices.Clone(m.Blocks), func(b llm.Block) bool {
		return m.Role == llm.Assistant && b.Result != nil || m.Role != llm.Assistant && b.Call != nil
	})
}

// answer puts the results of calls first and in order, makes up those that are missing, and drops others.
func answer(open []llm.Call, blocks []llm.Block) []llm.Block {
	var ordered, rest []llm.Block
	for _, c := range open {
		i := slices.IndexFunc(blocks, func(b llm.Block) bool { return b.Result != nil && b.Result.ID == c.ID })
		if i >= 0 {
			ordered = append(ordered, blocks[i])
		} else {
			ordered = append(ordered, llm.Block{Result: &llm.Result{ID: c.ID, Text: interruptedText, Failed: true}})
		}
	}
	for _, b := range blocks {
		if b.Result == nil {
			rest = append(rest, b)
		}
	}
	return append(ordered, rest...)
}

func calls(blocks []llm.Block) []llm.Call {
	var calls []llm.Call
	for _, b := range blocks {
		if b.Call != nil {
			calls = append(calls, *b.Call)
		}
	}
	return calls
}

// Bounds of the pictures in a request, of which servers take only so many. The oldest are left out, many at once, so that what the
// provider has cached is not void with each new one.
const (
	imageStep     = 10
	imageByteStep = 8 << 20
)

// forgottenImage stands for a picture that is not sent any more.
const forgottenImage = "[an earlier picture, not kept]"

// sendable returns the messages with the latest pictures only.
func sendable(messages []llm.Message) []llm.Message {
	count, bytes := 0, 0
	eachImage(messages, func(image llm.Image) { count++; bytes += len(image.Data) })
	dropCount := max(count-imageStep, 0) / imageStep * imageStep
	dropBytes := max(bytes-imageByteStep, 0) / imageByteStep * imageByteStep
	if dropCount == 0 && dropBytes == 0 {
		return messages
	}
	n, size := 0, 0
	old := func(image llm.Image) bool {
		n++
		size += len(image.Data)
		return n <= dropCount || size-len(image.Data) < dropBytes
	}
	kept := make([]llm.Message, len(messages))
	for i, m := range messages {
		kept[i] = m
		kept[i].Blocks = withoutImages(m.Blocks, old)
	}
	return kept
}

func eachImage(messages []llm.Message, visit func(llm.Image)) {
	for _, m := range messages {
		for _, b := range m.Blocks {
			if b.Image != nil {
				visit(*b.Image)
			}
			if b.Result != nil {
				for _, image := range b.Result.Images {
					visit(image)
				}
			}
		}
	}
}

func withoutImages(blocks []llm.Block, drop func(llm.Image) bool) []llm.Block {
	kept := slices.Clone(blocks)
	for i, b := range kept {
		switch {
		case b.Image != nil && drop(*b.Image):
			kept[i] = llm.Block{Text: forgottenImage}
		case b.Result != nil && len(b.Result.Images) > 0:
			r := *b.Result
			r.Images = nil
			for _, image := range b.Result.Images {
				if drop(image) {
					r.Text += "\n" + forgottenImage
				} else {
					r.Images = append(r.Images, image)
				}
			}
			kept[i].Result = &r
		}
	}
	return kept
}

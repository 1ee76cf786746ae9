package llm

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Reason is what kind of failure an [Error] is.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable" // nobody was there to ask; nothing was sent
	BrokenOff   Reason = "brokenOff"   // the answer began and did not end
	Garbled     Reason = "garbled"     // the answer made no sense
	TooLong     Reason = "tooLong"     // the conversation is longer than the model can read
	NoModel     Reason = "noModel"     // the settings have no such model, or no key for it
	Budget      Reason = "budget"      // a budget is used up
	Refused     Reason = "refused"     // the server answered with an error
)

// Error is why there is no answer.
type Error struct {
	Reason  Reason
	Status  int    // of HTTP, where there was an answer
	Message string // the server's words, for people; one line
	Err     error
}

func (e *Error) Error() string {
	switch {
	case e.Message != "" && e.Status != 0:
		return fmt.Sprintf("%s (HTTP %d)", e.Message, e.Status)
	case e.Message != "":
		return e.Message
	}
	return fmt.Sprintf("ask model: %v", e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// headerError is how the gateway marks its own refusals.
const headerError = "X-Sketch-Error"

// maxErrorText bounds the server's words.
const maxErrorText = 500

// refusal makes an error of an answer that is one.
func refusal(mark string, status int, raw string, err error) *Error {
	e := &Error{Reason: Refused, Status: status, Message: cmp.Or(errorText(raw), http.StatusText(status)), Err: err}
	switch {
	case mark == "budget":
		e.Reason = Budget
	case mark == "noModel":
		e.Reason = NoModel
	case status == http.StatusOK: // told in the middle of a stream
		e.Reason, e.Status = BrokenOff, 0
	case status == http.StatusRequestEntityTooLarge, status == http.StatusBadRequest && saysTooLong(raw):
		e.Reason = TooLong
	}
	return e
}

// errorText finds the words for people in the body of an error, which is JSON of one of several shapes, or not JSON at all.
func errorText(raw string) string {
	var body struct {
		Message string          `json:"message"`
		Error   json.RawMessage `json:"error"`
	}
	text := raw
	if json.Unmarshal([]byte(raw), &body) == nil {
		var inner struct {
			Message string `json:"message"`
		}
		var word string
		switch {
		case json.Unmarshal(body.Error, &inner) == nil && inner.Message != "":
			text = inner.Message
		case json.Unmarshal(body.Error, &word) == nil && word != "":
			text = word
		case body.Message != "":
			text = body.Message
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxErrorText {
		cut := maxErrorText
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}

// saysTooLong knows the words in which servers say that a conversation does not fit: there is no code that all of them have.
func saysTooLong(raw string) bool {
	raw = strings.ToLower(raw)
	for _, words := range []string{"context_length_exceeded", "prompt is too long", "maximum context length", "context window", "context size", "input is too long", "exceed context limit"} {
		if strings.Contains(raw, words) {
			return true
		}
	}
	return false
}

// failure makes an error of what went wrong on the way.
func failure(err error, began bool) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, errDial):
		return &Error{Reason: Unreachable, Err: err}
	case isSyntax(err):
		return &Error{Reason: Garbled, Message: "the model's server sent something that makes no sense", Err: err}
	case began:
		return &Error{Reason: BrokenOff, Message: "the model's answer broke off", Err: err}
	}
	return &Error{Reason: BrokenOff, Message: "the connection to the model broke off", Err: err}
}

func isSyntax(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, typ := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || typ || errors.Is(err, errGarbled)
}

var errGarbled = errors.New("not an answer of this API")

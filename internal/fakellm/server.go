// Package fakellm is a model's server that follows a script: real HTTP with the streaming formats of Anthropic's Messages and of OpenAI's chat completions, for
// tests and for demonstrations where no network and no key is to be had.
//
// It is as strict about requests as the real ones are (roles alternate, each tool call is answered, schemas are objects), since a test that
// passes against a lenient server says nothing. What it answers is data: a [Scenario], one [Step] a request, faults included. The scenario is
// chosen by the name of the model that is asked for, so that one server plays many conversations at once.
//
// A Server starts no goroutines; net/http's serve it.
package fakellm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBody is what the real servers take at most.
const maxBody = 32 << 20

// Request is a request as it came.
type Request struct {
	Time   time.Time
	Path   string
	Header http.Header
	Body   []byte
	Model  string
	Step   int // index of the step that answered it; -1: it was refused
}

// Server is an http.Handler. Its methods may be called from any goroutine.
type Server struct {
	// Key is what requests must bring, as x-api-key or as a bearer's token; empty: anything.
	Key string

	mu        sync.Mutex // guards the fields below
	scenarios map[string]*Scenario
	next      map[string]int
	requests  []Request
	faults    []error
	gates     map[string]*gate
}

// gate is a place in a scenario at which it waits.
type gate struct{ reached, released chan struct{} }

// New returns a server that plays s for the model name; Add adds others.
func New(model string, s *Scenario) *Server {
	f := &Server{scenarios: map[string]*Scenario{}, next: map[string]int{}, gates: map[string]*gate{}}
	f.Add(model, s)
	return f
}

// Add lets the server play s, from its beginning, whenever the model of that name is asked for.
func (f *Server) Add(model string, s *Scenario) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scenarios[model] = s
	f.next[model] = 0
}

// Requests returns what came so far, in order.
func (f *Server) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// Faults returns what was wrong with requests: not valid, not expected, or one too many. A test wants none that it did not provoke.
func (f *Server) Faults() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.faults)
}

// Left is how many steps of the model's scenario have not been played.
func (f *Server) Left(model string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.scenarios[model].Steps) - f.next[model]
}

// Reached is closed when a scenario has come to the hold of that name.
func (f *Server) Reached(name string) <-chan struct{} { return f.gate(name).reached }

// Release lets the scenario go on from the hold of that name, now or when it comes there.
func (f *Server) Release(name string) {
	g := f.gate(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	closeOnce(g.released)
}

func (f *Server) gate(name string) *gate {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.gates[name]
	if g == nil {
		g = &gate{make(chan struct{}), make(chan struct{})}
		f.gates[name] = g
	}
	return g
}

// closeOnce closes a channel that may be closed; the caller holds the lock.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// ServeHTTP answers a request by its scenario's next step.
func (f *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	dialect := dialectOf(r.URL.Path)
	if dialect == nil {
		http.Error(w, `{"error":{"message":"no such path"}}`, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		f.refuse(w, dialect, Request{Path: r.URL.Path}, http.StatusRequestEntityTooLarge, err)
		return
	}
	record := Request{Time: time.Now(), Path: r.URL.Path, Header: r.Header.Clone(), Body: body, Step: -1}
	if err := f.authorise(r, dialect); err != nil {
		f.refuse(w, dialect, record, http.StatusUnauthorized, err)
		return
	}
	asked, err := dialect.check(r, body)
	if err != nil {
		f.refuse(w, dialect, record, http.StatusBadRequest, err)
		return
	}
	record.Model = asked.model
	step, index, err := f.take(asked, body)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errNoModel) {
			status = http.StatusNotFound
		}
		f.refuse(w, dialect, record, status, err)
		return
	}
	record.Step = index
	f.note(record, nil)
	f.answer(w, r, dialect, asked, step, index)
}

// asked is what must be known of a request.
type asked struct {
	model  string
	stream bool
	usage  bool     // the stream is to tell the usage
	last   string   // texts of the last message
	tools  []string // names
	size   int
}

// dialect is one of the two APIs.
type dialect interface {
	keyHeader() string
	check(r *http.Request, body []byte) (asked, error)
	failure(status int, message string) []byte
	frames(a asked, step Step, index int) []frame
	whole(a asked, step Step, index int) []byte
}

func dialectOf(path string) dialect {
	switch {
	case strings.HasSuffix(path, "/v1/messages"):
		return anthropic{}
	case strings.HasSuffix(path, "/chat/completions"):
		return openai{}
	}
	return nil
}

func (f *Server) authorise(r *http.Request, d dialect) error {
	key := r.Header.Get(d.keyHeader())
	key = strings.TrimPrefix(key, "Bearer ")
	if key == "" {
		return fmt.Errorf("no key: the header %s is missing", d.keyHeader())
	}
	if f.Key != "" && key != f.Key {
		return errors.New("invalid key")
	}
	return nil
}

var errNoModel = errors.New("model not found")

// take returns the next step of the scenario, if the request is what it expects.
func (f *Server) take(a asked, body []byte) (Step, int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.scenarios[a.model]
	if s == nil {
		return Step{}, -1, fmt.Errorf("%w: %s", errNoModel, a.model)
	}
	index := f.next[a.model]
	if s.Loop && len(s.Steps) > 0 {
		index %= len(s.Steps)
	}
	if index >= len(s.Steps) {
		return Step{}, -1, fmt.Errorf("the scenario %q has no step %d: its last message was %.300q", s.Title, index+1, a.last)
	}
	step := s.Steps[index]
	if err := step.Expect.meets(a, body); err != nil {
		return Step{}, -1, fmt.Errorf("the scenario %q, step %d: %w", s.Title, index+1, err)
	}
	f.next[a.model]++
	return step, index, nil
}

func (e Expect) meets(a asked, body []byte) error {
	for _, text := range e.Last {
		if !strings.Contains(a.last, text) {
			return fmt.Errorf("the last message does not contain %q: %.2000q", text, a.last)
		}
	}
	for _, text := range e.Anywhere {
		if !strings.Contains(string(body), text) {
			return fmt.Errorf("the request does not contain %q", text)
		}
	}
	for _, text := range e.Nowhere {
		if strings.Contains(string(body), text) {
			return fmt.Errorf("the request contains %q", text)
		}
	}
	for _, name := range e.Tools {
		if !slices.Contains(a.tools, name) {
			return fmt.Errorf("the tool %q is not offered: %v", name, a.tools)
		}
	}
	return nil
}

func (f *Server) note(r Request, fault error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	if fault != nil {
		f.faults = append(f.faults, fault)
	}
}

func (f *Server) refuse(w http.ResponseWriter, d dialect, r Request, status int, err error) {
	f.note(r, err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(d.failure(status, err.Error())) // whether it is read is the client's matter
}

package gateway

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// payload is the body of a request that goes out. It can be dropped once no further attempt is to be made with it: net/http keeps a request until the end of its
// answer, which may take as long as the container likes. The bytes go when all have been sent; net/http may still be about to read the end when the answer
// begins, and an error there would break the connection that the answer comes by.
type payload struct {
	size int

	mu       sync.Mutex
	data     []byte // guarded by mu; nil: gone
	sent     bool   // guarded by mu: a reader was at the end
	unneeded bool   // guarded by mu
}

func newPayload(data []byte) *payload { return &payload{size: len(data), data: data} }

var errDropped = errors.New("the request's body is no longer needed")

// attach makes it the body of a request.
func (p *payload) attach(r *http.Request) {
	r.ContentLength = int64(p.size)
	r.Body = &payloadReader{payload: p}
	r.GetBody = func() (io.ReadCloser, error) { return &payloadReader{payload: p}, nil } // for a connection that turned out to be closed
}

func (p *payload) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unneeded = true
	p.forgetLocked()
}

func (p *payload) forgetLocked() {
	if p.sent && p.unneeded {
		p.data = nil
	}
}

type payloadReader struct {
	payload *payload
	at      int
}

func (r *payloadReader) Read(into []byte) (int, error) {
	r.payload.mu.Lock()
	defer r.payload.mu.Unlock()
	switch {
	case r.at == r.payload.size:
		return 0, io.EOF
	case r.payload.data == nil:
		return 0, errDropped
	}
	n := copy(into, r.payload.data[r.at:])
	if r.at += n; r.at == r.payload.size {
		r.payload.sent = true
		r.payload.forgetLocked()
	}
	return n, nil
}

func (r *payloadReader) Close() error { return nil }

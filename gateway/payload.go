package gateway

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// payload is the body of a request that goes out. It can be dropped when it was read: net/http keeps a request until the end of its answer, which may
// take as long as the container likes.
type payload struct {
	mu   sync.Mutex
	data []byte // guarded by mu; nil: dropped
}

var errDropped = errors.New("the request's body is no longer needed")

// attach makes it the body of a request.
func (p *payload) attach(r *http.Request) {
	r.ContentLength = int64(len(p.data))
	r.Body = &payloadReader{payload: p}
	r.GetBody = func() (io.ReadCloser, error) { return &payloadReader{payload: p}, nil } // for a connection that turned out to be closed
}

func (p *payload) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data = nil
}

type payloadReader struct {
	payload *payload
	at      int
}

func (r *payloadReader) Read(into []byte) (int, error) {
	r.payload.mu.Lock()
	defer r.payload.mu.Unlock()
	switch {
	case r.payload.data == nil:
		return 0, errDropped
	case r.at == len(r.payload.data):
		return 0, io.EOF
	}
	n := copy(into, r.payload.data[r.at:])
	r.at += n
	return n, nil
}

func (r *payloadReader) Close() error { return nil }

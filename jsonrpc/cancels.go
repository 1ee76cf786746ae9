package jsonrpc

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"go.lsp.dev/jsonrpc2"
)

// maxInFlight is how many requests run at once; further ones are refused as retryable.
const maxInFlight = 64

// cancels holds how to cancel what is running, by request id or by progress token: both are a string or a number.
type cancels struct {
	limit int

	mu    sync.Mutex
	byKey map[jsonrpc2.ID]context.CancelFunc // guarded by mu
	made  int                                // guarded by mu: keys of ours so far
}

func newCancels(limit int) *cancels {
	return &cancels{limit: limit, byKey: make(map[jsonrpc2.ID]context.CancelFunc)}
}

// add reports false when too much is running, or something under the same key.
func (c *cancels) add(key jsonrpc2.ID, cancel context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.byKey[key]; taken || len(c.byKey) >= c.limit {
		return false
	}
	c.byKey[key] = cancel
	return true
}

func (c *cancels) remove(key jsonrpc2.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, key)
}

// cancel cancels what runs under key; what is not running was done already.
func (c *cancels) cancel(key jsonrpc2.ID) {
	c.mu.Lock()
	cancel := c.byKey[key]
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// next returns a key that was not used before.
func (c *cancels) next(prefix string) jsonrpc2.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	return jsonrpc2.NewStringID(fmt.Sprintf("%s-%d", prefix, c.made))
}

func (c *cancels) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byKey)
}

// member returns a member of an object, nil when it is absent or when raw is not an object: editors send [] and null
// where an object is expected.
func member(raw json.RawMessage, name string) json.RawMessage {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil
	}
	return object[name]
}

// memberID is the id that is called name in raw, or the invalid one, which no request has.
func memberID(raw json.RawMessage, name string) jsonrpc2.ID {
	id, _ := decodeID(member(raw, name))
	return id
}

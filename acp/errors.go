package acp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

var errCancelled = errors.New("the request was cancelled")

// codeCancelled is what ACP answers a request with that $/cancel_request ended.
const codeCancelled = -32800

// wireError is an error as the editor shows it: what failed and the hint in the message, since ACP has no place for a hint.
func wireError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(context.Cause(ctx), errCancelled) {
		return &jsonrpc2.Error{Code: codeCancelled, Message: errCancelled.Error()}
	}
	if wire, ok := errors.AsType[*jsonrpc2.Error](err); ok {
		return wire
	}
	e, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok {
		return &jsonrpc2.Error{Code: jsonrpc2.InternalError, Message: err.Error()}
	}
	message := e.Message
	if e.Hint != "" {
		message += ". " + e.Hint
	}
	data, err := json.Marshal(e.Data())
	if err != nil { // a struct of strings and a bool always encodes
		data = nil
	}
	return &jsonrpc2.Error{Code: jsonrpc2.Code(e.Kind.Code()), Message: message, Data: data}
}

// decode reads params; members that are not known are for later versions of the protocol.
func decode(params json.RawMessage, into any) error {
	if len(params) == 0 {
		params = json.RawMessage("{}")
	}
	if err := json.Unmarshal(params, into); err != nil {
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the parameters are not valid: %v", err)
	}
	return nil
}

// codec encodes with encoding/json, whose tags the wire types have.
type codec struct{}

// Marshal implements [jsonrpc2.Codec].
func (codec) Marshal(v any) ([]byte, error) {
	if raw, ok := v.(jsonrpc2.RawMessage); ok {
		return raw, nil
	}
	return json.Marshal(v)
}

// Unmarshal implements [jsonrpc2.Codec].
func (codec) Unmarshal(data []byte, v any) error {
	if raw, ok := v.(*json.RawMessage); ok {
		*raw = bytes.Clone(data)
		return nil
	}
	return json.Unmarshal(data, v)
}

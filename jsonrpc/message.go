package jsonrpc

import (
	"bytes"
	"encoding/json"

	"go.lsp.dev/jsonrpc2"
)

// decodeMessage decodes the body of a frame. What is not a message yields the answer that JSON-RPC 2.0 ("Error object")
// wants for it: -32700 for what is not JSON, -32600 for what is not a request, and for a batch, which no editor sends and
// LSP does not use. The message borrows body.
func decodeMessage(body []byte) (jsonrpc2.Message, *jsonrpc2.Response) {
	// jsonrpc2 looks only at the outline of a message, so the JSON is checked first.
	if !json.Valid(body) {
		return nil, refuse(jsonrpc2.ID{}, jsonrpc2.ParseError, "the message is not JSON")
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); trimmed[0] == '[' {
		return nil, refuse(jsonrpc2.ID{}, jsonrpc2.InvalidRequest, "batches are not supported")
	}
	message, err := jsonrpc2.DecodeMessage(body)
	if err == nil {
		return message, nil
	}
	return salvage(body)
}

func refuse(id jsonrpc2.ID, code jsonrpc2.Code, text string) *jsonrpc2.Response {
	return jsonrpc2.NewResponse(id, nil, jsonrpc2.NewError(code, text))
}

// salvage makes the best of an object that is not a message by the letter. An answer in a form of its own (both result
// and error, or an error that is a string) still ends the call that waits for it; everything else is refused, with the
// id if it has one, so that the editor's own call ends.
func salvage(body []byte) (jsonrpc2.Message, *jsonrpc2.Response) {
	var object struct {
		ID     json.RawMessage `json:"id"`
		Method json.RawMessage `json:"method"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, refuse(jsonrpc2.ID{}, jsonrpc2.InvalidRequest, "the message is not an object")
	}
	id, _ := decodeID(object.ID) // what is no id is the invalid one
	isAnswer := object.Method == nil && id.IsValid() && (object.Result != nil || object.Error != nil)
	switch {
	case !isAnswer:
		return nil, refuse(id, jsonrpc2.InvalidRequest, "the message is not a request")
	case object.Error == nil || string(object.Error) == "null":
		return jsonrpc2.NewResponse(id, jsonrpc2.RawMessage(object.Result), nil), nil
	}
	return jsonrpc2.NewResponse(id, nil, answeredError(object.Error)), nil
}

func answeredError(raw json.RawMessage) *jsonrpc2.Error {
	var object struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(raw, &object); err != nil || object.Message == "" {
		object.Message = clip(string(raw), 200)
	}
	return jsonrpc2.NewError(jsonrpc2.UnknownError, object.Message)
}

// decodeID decodes the id of a request: a string or a whole number.
func decodeID(raw json.RawMessage) (id jsonrpc2.ID, ok bool) {
	var number int64
	if string(raw) == "null" || len(raw) == 0 {
		return jsonrpc2.ID{}, false
	}
	if err := json.Unmarshal(raw, &number); err == nil {
		return jsonrpc2.NewNumberID(number), true
	}
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		return jsonrpc2.NewStringID(text), true
	}
	return jsonrpc2.ID{}, false
}

// encodeID is the reverse of decodeID.
func encodeID(id jsonrpc2.ID) json.RawMessage {
	var value any
	if number, ok := id.Number(); ok {
		value = number
	} else {
		value, _ = id.StringValue() // an id that is neither encodes as ""
	}
	raw, err := json.Marshal(value)
	if err != nil { // numbers and strings always encode
		return json.RawMessage("null")
	}
	return raw
}

package jsonrpc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"go.lsp.dev/jsonrpc2"
)

// Kind is the stable name of what went wrong. Each kind has a stable code; see [Kinds].
type Kind string

// The kinds of errors.
const (
	KindNoEngine      Kind = "noEngine"
	KindEngine        Kind = "engine"
	KindImageBuild    Kind = "imageBuild"
	KindImagePull     Kind = "imagePull"
	KindImagePlatform Kind = "imagePlatform"
	KindNoAgent       Kind = "noAgent"
	KindNoGit         Kind = "noGit"
	KindNotRepository Kind = "notRepository"
	KindNoCommit      Kind = "noCommit"
	KindCheckout      Kind = "checkout"
	KindNoSession     Kind = "noSession"
	KindSessionGone   Kind = "sessionGone"
	KindDisconnected  Kind = "disconnected"
	KindNotOwner      Kind = "notOwner"
	KindNoPort        Kind = "noPort"
	KindPortInUse     Kind = "portInUse"
	KindPortDenied    Kind = "portDenied"
	KindBrowser       Kind = "browser"
	KindNoBranch      Kind = "noBranch"
	KindDirty         Kind = "dirty"
	KindConflict      Kind = "conflict"
	KindGit           Kind = "git"
	KindSSHConfig     Kind = "sshConfig"
	KindNoModel       Kind = "noModel"
	KindModel         Kind = "model"
	KindBudget        Kind = "budget"
	KindNoQuestion    Kind = "noQuestion"
	KindSettings      Kind = "settings"
	KindBusy          Kind = "busy"
	KindInternal      Kind = "internal"
	KindArguments     Kind = "arguments"
	KindCancelled     Kind = "cancelled"
)

// KindInfo is one row of the table of errors.
type KindInfo struct {
	Kind Kind
	Code int    // JSON-RPC error code; ours are positive, outside the ranges that JSON-RPC and LSP reserve
	Doc  string // what it means
}

// Kinds returns the table of errors, in the order of the documentation. Codes never change their meaning.
func Kinds() []KindInfo {
	return []KindInfo{
		{KindNoEngine, 1001, "no container engine answers"},
		{KindEngine, 1002, "the container engine refused or failed"},
		{KindImageBuild, 1003, "the image could not be built"},
		{KindImagePull, 1004, "an image could not be pulled"},
		{KindImagePlatform, 1005, "the image is for another platform"},
		{KindNoAgent, 1006, "this build of sketch-ide has no agent for the image's architecture"},
		{KindNoGit, 1101, "git is missing"},
		{KindNotRepository, 1102, "the folder is not in a git repository"},
		{KindNoCommit, 1103, "the repository has no commit yet"},
		{KindCheckout, 1104, "the repository could not be brought into the container"},
		{KindNoSession, 1201, "there is no such session"},
		{KindSessionGone, 1202, "the session's container no longer exists"},
		{KindDisconnected, 1203, "the session is not connected"},
		{KindNotOwner, 1204, "another window owns the session"},
		{KindNoPort, 1301, "the port is not open or not forwarded"},
		{KindPortInUse, 1302, "the host port is in use"},
		{KindPortDenied, 1303, "the host port may not be bound"},
		{KindBrowser, 1304, "no browser could be opened"},
		{KindNoBranch, 1501, "the session has committed nothing yet"},
		{KindDirty, 1502, "the working tree on the host has changes that are not committed"},
		{KindConflict, 1503, "the work conflicts with what is checked out on the host"},
		{KindGit, 1504, "git refused or failed"},
		{KindSSHConfig, 1505, "the user's SSH configuration could not be read or changed"},
		{KindNoModel, 1601, "no model, or no key for it, is configured"},
		{KindModel, 1602, "the model's server refused or failed"},
		{KindBudget, 1603, "a budget is used up"},
		{KindNoQuestion, 1604, "there is no such question, or it needs no answer any more"},
		{KindSettings, 1401, "a setting is not valid"},
		{KindBusy, 1402, "too much is going on at once"},
		{KindArguments, int(jsonrpc2.InvalidParams), "the arguments are not valid"},
		{KindInternal, int(jsonrpc2.InternalError), "a fault in sketch-ide"},
		{KindCancelled, codeRequestCancelled, "the request was cancelled"},
	}
}

// codeRequestCancelled is RequestCancelled of the LSP specification ("Response Message").
const codeRequestCancelled = -32800

// Code returns the stable code of a kind; an unknown kind has the code of an internal error.
func (k Kind) Code() int {
	for _, info := range Kinds() {
		if info.Kind == k {
			return info.Code
		}
	}
	return int(jsonrpc2.InternalError)
}

// Error is an error for people: what failed, one hint, a stable code. A [Backend] returns it (or wraps it) and it
// becomes a JSON-RPC error with an [ErrorData]. Any other error becomes an internal error with its text.
type Error struct {
	Code      int    // zero means the code of Kind
	Kind      Kind   // stable name
	Message   string // what failed, one line
	Hint      string // one thing to do about it; may be empty
	Retryable bool   // trying again, unchanged, may help
	Err       error  // the cause, for errors.Is and the log; never sent
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Data returns the error as it stands in a session's state.
func (e *Error) Data() *ErrorData {
	return &ErrorData{Kind: e.Kind, Message: e.Message, Hint: e.Hint, Retryable: e.Retryable}
}

// wireError turns whatever a handler returned into the error that is sent.
func wireError(err error) *jsonrpc2.Error {
	e, ok := errors.AsType[*Error](err)
	wire, isWire := errors.AsType[*jsonrpc2.Error](err)
	switch {
	case ok:
	case isWire:
		return wire
	case errors.Is(err, context.Canceled):
		e = &Error{Kind: KindCancelled, Message: "cancelled"}
	default:
		e = &Error{Kind: KindInternal, Message: err.Error()}
	}
	kind := cmp.Or(e.Kind, KindInternal)
	code := cmp.Or(e.Code, kind.Code())
	data, err := json.Marshal(ErrorData{Kind: kind, Hint: e.Hint, Retryable: e.Retryable})
	if err != nil { // a struct of strings and a bool always encodes
		data = nil
	}
	return &jsonrpc2.Error{Code: jsonrpc2.Code(code), Message: e.Message, Data: data}
}

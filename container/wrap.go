package container

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// callError is a failed call of the engine: what was tried, the engine's words, and which of our sentinels it is.
type callError struct {
	op   string
	kind error // nil where there is no sentinel for it
	err  error
}

func (e *callError) Error() string {
	return e.op + ": " + reason(e.err)
}

func (e *callError) Unwrap() []error {
	if e.kind == nil {
		return []error{e.err}
	}
	return []error{e.kind, e.err}
}

// endedError: the caller's context ended, or its deadline passed. Why is for the caller to tell: a signal, as
// signal.NotifyContext names it, is no sentence about a container.
type endedError struct {
	op         string
	err, cause error
}

func (e *endedError) Error() string { return e.op + ": " + e.err.Error() }

func (e *endedError) Unwrap() []error { return []error{e.err, e.cause} }

// wrap gives every error of the engine's client the shape that callers can match. The end of ctx stays what it is.
func wrap(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return &endedError{op, ctx.Err(), context.Cause(ctx)}
	}
	return &callError{op: op, kind: kindOf(err), err: err}
}

func kindOf(err error) error {
	switch {
	case lost(err):
		return ErrEngineLost
	case cerrdefs.IsNotFound(err):
		return ErrNotFound
	}
	return nil
}

// lost tells whether err means that the connection, not the call, failed.
func lost(err error) bool {
	var netErr net.Error
	return client.IsErrConnectionFailed(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &netErr)
}

// reason is the engine's own sentence, without the client's prefix, on one line. It may quote what came out of an image.
func reason(err error) string {
	return plain(strings.TrimPrefix(err.Error(), "Error response from daemon: "))
}

// bareCall is an engine's sentence without what was asked of it.
func bareCall(err error) string {
	if call, ok := errors.AsType[*callError](err); ok {
		return reason(call.err)
	}
	if ended, ok := errors.AsType[*endedError](err); ok {
		return ended.cause.Error()
	}
	return err.Error()
}

// noEngine: one refusal of permission explains more than any number of sockets that are not there.
func noEngine(tried []Attempt) error {
	kind := ErrNoEngine
	for _, a := range tried {
		if errors.Is(a.Err, fs.ErrPermission) {
			kind = ErrEngineDenied
		}
	}
	return &NoEngineError{Tried: tried, kind: kind}
}

// plainDialError cuts "dial unix /path: connect: " away, which repeats the address.
func plainDialError(err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

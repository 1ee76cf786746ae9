package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// refusal is an answer of the gateway's own.
type refusal struct {
	status int
	kind   string // of X-Sketch-Error: "noModel", "budget", "model"; empty: the request was not valid
	err    error  // the whole, for the log and the user
	inside string // what the container is told; empty: the whole, which then says nothing of the host
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// told is what the container is told.
func (r *refusal) told() string {
	if r.inside != "" {
		return r.inside
	}
	return r.err.Error()
}

func refuse(status int, kind string, err error) error {
	return &refusal{status: status, kind: kind, err: err}
}

// refusePrivately refuses for a reason that names addresses, programs, variables or files of the host.
func refusePrivately(status int, kind string, err error, inside string) error {
	return &refusal{status: status, kind: kind, err: err, inside: inside}
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "", fmt.Errorf(format, args...))
}

// answer tells an error in the provider's own shape, so that its SDK understands it.
func (a *Account) answer(w http.ResponseWriter, p Provider, err error) {
	r, ok := errors.AsType[*refusal](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled):
		return // nobody listens
	default:
		r = &refusal{status: http.StatusBadGateway, kind: "model", err: err, inside: "the call could not be made; sketch-ide's log on the user's machine says why"}
	}
	if r.inside != "" && r.inside != r.Error() && a.setFailure(Failure{Kind: r.kind, Message: r.Error()}) {
		a.gateway.cfg.Log.Warn("call of a model failed", "err", err) // once: the container decides how often it asks
	}
	w.Header().Set("Content-Type", "application/json")
	if r.kind != "" {
		w.Header().Set(HeaderError, r.kind)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body(p)) // whether it is read is the container's matter
}

// errorTypes are the words of both providers for statuses of HTTP.
var errorTypes = map[int]string{ //nolint:gochecknoglobals // a table
	http.StatusBadRequest: "invalid_request_error", http.StatusUnauthorized: "authentication_error", http.StatusPaymentRequired: "billing_error",
	http.StatusNotFound: "not_found_error", http.StatusRequestEntityTooLarge: "request_too_large", http.StatusTooManyRequests: "rate_limit_error",
}

func (r *refusal) body(p Provider) []byte {
	kind, known := errorTypes[r.status]
	if !known {
		kind = "api_error"
	}
	failure := map[string]any{"type": kind, "message": r.told()}
	if p == OpenAI {
		failure["code"] = r.kind
	}
	body, err := json.Marshal(map[string]any{"type": "error", "error": failure})
	if err != nil { // strings always encode
		return nil
	}
	return body
}

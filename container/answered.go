package container

import (
	"context"
	"net/http"
)

type answeredKey struct{}

// withAnswered makes a context that learns whether the engine took the last request that was made with it. Read it only
// after the client has returned, or has told otherwise that the answer is there.
func withAnswered(ctx context.Context) (context.Context, *bool) {
	answered := new(bool)
	return context.WithValue(ctx, answeredKey{}, answered), answered
}

// answerNoter is the transport that tells the contexts of withAnswered.
type answerNoter struct{ http.RoundTripper }

func (n answerNoter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := n.RoundTripper.RoundTrip(req)
	if answered, ok := req.Context().Value(answeredKey{}).(*bool); ok {
		*answered = err == nil && resp.StatusCode < http.StatusBadRequest
	}
	return resp, err
}

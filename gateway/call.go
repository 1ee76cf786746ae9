package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Headers by which the agent says what a request is for, and is told why one was refused.
const (
	HeaderModel = "X-Sketch-Model" // name of the model in the settings
	HeaderTurn  = "X-Sketch-Turn"  // number of the turn; absent: of none
	HeaderError = "X-Sketch-Error" // "noModel", "budget" or "model"
)

// ServeHTTP answers a request of the container.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt, ok := routes[r.URL.Path]
	if !ok || r.Method != rt.method {
		http.Error(w, `{"error":{"message":"not served: POST /anthropic/v1/messages or /openai/v1/chat/completions"}}`, http.StatusNotFound)
		return
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-r.Context().Done():
		return
	}
	if err := a.call(w, r, rt); err != nil {
		a.answer(w, rt.provider, err)
	}
}

// call makes one call; its error has not been answered.
func (a *Account) call(w http.ResponseWriter, r *http.Request, rt route) error {
	size := r.ContentLength
	if size < 0 || size > maxBody {
		size = maxBody
	}
	release, err := a.hold(r.Context(), 3*size) // as it came, as it is understood, and as it is sent
	if err != nil {
		return err
	}
	release = sync.OnceFunc(release)
	defer release()
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	settings := a.gateway.Settings()
	req, err := examine(rt, r.Header.Get(HeaderModel), settings, body)
	if err != nil {
		return err
	}
	if turn, err := strconv.Atoi(r.Header.Get(HeaderTurn)); err == nil && turn > 0 {
		req.turn = turn
	}
	settle, err := a.admit(r.Context(), req, settings.Budget)
	if err != nil {
		return budgetRefusal(err)
	}
	defer settle()
	res, first, err := a.reach(r.Context(), req, r.Header)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	// The request was read to its end by the model's server. How long the container reads the answer is then nobody else's matter.
	req.body = nil
	release()
	a.setFailure(Failure{})
	return a.relay(w, res, first, req)
}

func budgetRefusal(err error) error {
	if _, ok := errors.AsType[*BudgetError](err); ok {
		return refuse(http.StatusPaymentRequired, "budget", err)
	}
	return err
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		return nil, refuse(http.StatusRequestEntityTooLarge, "", err)
	}
	if err != nil {
		return nil, invalid("read request: %w", err)
	}
	return body, control.SetReadDeadline(time.Time{})
}

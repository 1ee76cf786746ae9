package conversation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Handler serves a conversation and its agent. Errors are JSON, a [Problem].
//
//	POST /prompt                a [Prompt], answered by [Accepted]
//	POST /cancel                {"tool": …}: ends that tool call, or the turn
//	POST /answer                {"id": …, "answer": …}: answers a question
//	PUT  /agent                 [Settings], whenever they change
//	GET  /conversation          a [Page]; ?after= leaves the messages after a place, ?limit= so many of them at most
//	GET  /conversation/events   the same as server-sent events, and then each change
//
// The stream begins with an event "begin", {"epoch": …}, a "status", and a "message" for each message of the page; then a status
// or a message follows whenever one has changed, each whole, about 20 times a second at most. Event ids are the places of messages,
// and Last-Event-ID is ?after=. With ?epoch= places of another epoch are taken as 0.
//
// Streams end with their request's context.
func Handler(c *Conversation, control Control) http.Handler {
	h := handler{c, control}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /prompt", h.prompt)
	mux.HandleFunc("POST /cancel", h.cancel)
	mux.HandleFunc("POST /answer", h.answer)
	mux.HandleFunc("PUT /agent", h.configure)
	mux.HandleFunc("GET /conversation", h.page)
	mux.HandleFunc("GET /conversation/events", h.stream)
	return mux
}

type handler struct {
	conversation *Conversation
	control      Control
}

type cancelRequest struct {
	Tool string `json:"tool,omitzero"`
}

type answerRequest struct {
	ID     string `json:"id"`
	Answer string `json:"answer"`
}

func (h handler) prompt(w http.ResponseWriter, r *http.Request) {
	var p Prompt
	if !decode(w, r, &p) {
		return
	}
	accepted, err := h.control.Prompt(r.Context(), p)
	respond(w, accepted, err)
}

func (h handler) cancel(w http.ResponseWriter, r *http.Request) {
	var req cancelRequest
	if decode(w, r, &req) {
		respond(w, struct{}{}, h.control.Cancel(req.Tool))
	}
}

func (h handler) answer(w http.ResponseWriter, r *http.Request) {
	var req answerRequest
	if decode(w, r, &req) {
		respond(w, struct{}{}, h.control.Answer(req.ID, req.Answer))
	}
}

func (h handler) configure(w http.ResponseWriter, r *http.Request) {
	var s Settings
	if decode(w, r, &s) {
		respond(w, struct{}{}, h.control.Configure(s))
	}
}

func (h handler) page(w http.ResponseWriter, r *http.Request) {
	if after, limit, ok := place(w, r); ok {
		respond(w, h.conversation.Latest(after, limit), nil)
	}
}

// place reads the query of both readings.
func place(w http.ResponseWriter, r *http.Request) (after int64, limit int, ok bool) {
	query := r.URL.Query()
	text := r.Header.Get("Last-Event-ID")
	if query.Has("after") {
		text = query.Get("after")
	}
	var err error
	if text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			fail(w, &Problem{Kind: "arguments", Message: fmt.Sprintf("after is no number: %.40q", text)})
			return 0, 0, false
		}
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			fail(w, &Problem{Kind: "arguments", Message: fmt.Sprintf("limit is no number: %.40q", text)})
			return 0, 0, false
		}
	}
	return after, limit, true
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err == nil {
		err = json.Unmarshal(body, v)
	}
	if err != nil {
		fail(w, &Problem{Kind: "arguments", Message: "the request cannot be read: " + err.Error()})
	}
	return err == nil
}

func respond(w http.ResponseWriter, v any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, v)
}

// statuses are HTTP's word for what went wrong; the client goes by the kind.
var statuses = map[string]int{"arguments": http.StatusBadRequest, "busy": http.StatusTooManyRequests, "noQuestion": http.StatusNotFound, "noModel": http.StatusConflict}

func fail(w http.ResponseWriter, err error) {
	problem, ok := errors.AsType[*Problem](err)
	if !ok {
		problem = &Problem{Kind: "internal", Message: err.Error()}
	}
	status := statuses[problem.Kind]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	writeJSON(w, status, problem)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"kind":"internal","message":"the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // an error means that the client has gone
}

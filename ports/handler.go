package ports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	eventsPath    = "/port-events"
	snapshotPath  = "/ports"
	overrunHeader = "Port-Events-Overrun"

	// firstScanWait is how long a request waits for the first scan.
	firstScanWait = 5 * time.Second
	maxWait       = time.Minute // of a long poll
)

// Handler serves the log on two paths, with GET only. Errors are JSON: {"error": "…"}.
//
// GET /ports answers the current [Snapshot].
//
// GET /port-events answers a JSON array of the opened and closed events that the
// log holds, oldest first; ?since= takes an RFC 3339 time, fractions included, and
// leaves those strictly after it. If the log has dropped an event that should have
// been in the answer, the header Port-Events-Overrun says "true".
//
// GET /port-events with Accept: text/event-stream streams: a snapshot event with a
// [Snapshot], then each [Event] as it happens, named by its type. The id is
// "EPOCH-SEQ", and Last-Event-ID resumes there; where it cannot, a new snapshot
// event follows. A reader that is too slow for the log gets a new snapshot too.
//
// GET /port-events?after=SEQ&epoch=EPOCH&wait=30s is the long poll: it answers an
// [Update] as soon as there is an event after SEQ, or after the wait, of one minute at
// most, with no events. Without epoch the current one is meant. Where EPOCH is
// another or SEQ is too long ago, the answer comes at once and has the snapshot only.
//
// Streams end with their request's context: a server that shuts down has to cancel it
// (http.Server.BaseContext), since Shutdown alone waits for them.
func Handler(log *Log) http.Handler {
	h := handler{log}
	mux := http.NewServeMux()
	mux.HandleFunc(snapshotPath, getOnly(h.snapshot))
	mux.HandleFunc(eventsPath, getOnly(h.events))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, fmt.Errorf("no such path: %s", r.URL.Path))
	})
	return mux
}

type handler struct{ log *Log }

func getOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			writeError(w, http.StatusMethodNotAllowed, fmt.Errorf("method %s not allowed", r.Method))
			return
		}
		next(w, r)
	}
}

func (h handler) snapshot(w http.ResponseWriter, r *http.Request) {
	if state, ok := h.ready(w, r); ok {
		writeJSON(w, http.StatusOK, state)
	}
}

// ready returns the current state, or answers that there is none yet.
func (h handler) ready(w http.ResponseWriter, r *http.Request) (Snapshot, bool) {
	ctx, cancel := context.WithTimeout(r.Context(), firstScanWait)
	defer cancel()
	state, err := h.log.Snapshot(ctx)
	if err != nil {
		writeError(w, http.StatusServiceUnavailable, errors.New("ports have not been read yet"))
		return Snapshot{}, false
	}
	return state, true
}

// events serves the one path in the form that the request asks for.
func (h handler) events(w http.ResponseWriter, r *http.Request) {
	state, ok := h.ready(w, r)
	if !ok {
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case acceptsStream(r.Header):
		h.stream(w, r)
	case err != nil: // what cannot be read is left out of query, and would be ignored
		writeError(w, http.StatusBadRequest, fmt.Errorf("query cannot be read: %w", err))
	case query.Has("after"):
		h.longPoll(w, r, query, state.Epoch)
	default:
		h.array(w, query.Get("since"))
	}
}

func acceptsStream(header http.Header) bool {
	for _, accept := range header.Values("Accept") {
		for part := range strings.SplitSeq(accept, ",") {
			kind, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(kind), streamType) {
				return true
			}
		}
	}
	return false
}

func (h handler) array(w http.ResponseWriter, since string) {
	var after time.Time
	if since != "" {
		// An unescaped + in a query is a space; no RFC 3339 time has another one here.
		t, err := time.Parse(time.RFC3339, strings.ReplaceAll(since, " ", "+"))
		if err != nil {
			writeError(w, http.StatusBadRequest, fmt.Errorf("since is not an RFC 3339 time: %w", err))
			return
		}
		after = t
	}
	events, overrun := h.log.since(after)
	if overrun {
		w.Header().Set(overrunHeader, "true")
	}
	writeJSON(w, http.StatusOK, events)
}

func (h handler) longPoll(w http.ResponseWriter, r *http.Request, query url.Values, current string) {
	seq, err := strconv.ParseUint(query.Get("after"), 10, 64)
	if err != nil {
		writeError(w, http.StatusBadRequest, fmt.Errorf("after is not a sequence number: %w", err))
		return
	}
	var wait time.Duration
	if text := query.Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			writeError(w, http.StatusBadRequest, fmt.Errorf("wait is not a duration such as 30s: %q", text))
			return
		}
	}
	epoch := query.Get("epoch")
	if epoch == "" {
		epoch = current
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(wait, maxWait))
	defer cancel()
	update, err := h.log.Wait(ctx, epoch, seq)
	if err != nil {
		if update.Snapshot, err = h.log.Snapshot(r.Context()); err != nil {
			return // the client has gone
		}
	}
	if update.Events == nil {
		update.Events = []Event{}
	}
	writeJSON(w, http.StatusOK, update)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"encode answer"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // an error means that the client has gone
}

func writeError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

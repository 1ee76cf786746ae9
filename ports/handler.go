package ports

import "net/http"

// Handler serves the log on two paths, with GET only.
//
// GET /ports answers the current [Snapshot].
//
// GET /port-events answers a JSON array of the opened and closed events that the
// log holds, oldest first; ?since= takes an RFC 3339 time, fractions included, and
// leaves those strictly after it. If the log has dropped an event that should have
// been in the answer, the header Port-Events-Overrun says "true".
//
// GET /port-events with Accept: text/event-stream streams: a snapshot event with a
// Snapshot, then each [Event] as it happens, named by its type. The id is
// "EPOCH-SEQ", and Last-Event-ID resumes there; where it cannot, a new snapshot
// event follows. A reader that is too slow for the log gets a new snapshot too.
//
// GET /port-events?after=SEQ&epoch=EPOCH&wait=30s is the long poll: it answers an
// [Update] as soon as there is an event after SEQ, or after the wait with no events.
// Without epoch the current one is meant.
//
// Streams end with their request's context: a server that shuts down has to cancel it
// (http.Server.BaseContext), since Shutdown alone waits for them.
func Handler(log *Log) http.Handler {
	panic("unwritten")
}

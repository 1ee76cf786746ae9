// Package ports knows which TCP ports are open inside a container, and tells it.
//
// Inside the container, [Monitor] reads the kernel's socket table through a
// [Source], keeps the published state in a [Log], and [Handler] serves that log
// as GET /port-events and GET /ports. On the host, [Follow] is the client of the
// same two paths. Both ends of the format live here and are tested against each
// other.
//
// The package never connects to a port that it found, never signals a process,
// and never guesses: a name that the kernel does not give stays empty, a scan
// that failed changes nothing, and a client that may have missed an event gets
// the whole state again. What happened before the first scan is no event; ports
// that were already open are simply in the first [Snapshot].
//
// Whoever wants no ports does not ask for them: while nobody reads the log, the Monitor
// rests and costs nothing at all.
//
// The agent runs Monitor and Handler; the session on the host runs Follow. Only
// the sources are Linux; the rest compiles and runs anywhere.
//
// Goroutines: Monitor.Run scans on the goroutine that called it and owns two
// more, one that waits for the kernel to push closes and one that looks up names;
// both have ended when Run returns. Follow runs on its caller's goroutine and
// calls deliver there. Log and Handler start none.
package ports

// Package gateway is how a session's agent reaches the models' servers: it runs on the host, in the process of the editor's backend, and serves the connections that
// the container opens by the channel llm@sketch-ide.
//
// It adds the key, which therefore never is in the container, forwards what is streamed without buffering, counts what was used by the responses' own usage
// fields, enforces budgets before each call, and retries what is worth retrying before the first byte of an answer, and only then.
//
// The container is not trusted. It can use the models that the settings name and no others, two APIs of them, and no tools that the models'
// servers would run by themselves, which would be a way into the network. What it sends is bounded, for each session and for all together. No key is
// ever in an answer, an error or a log.
//
// A [Gateway] is one process's; an [Account] is one session's. Constructors start nothing; [Account.Serve] blocks until its connection ends and waits for
// what it has started.
package gateway

// Package mcpclient keeps connections to MCP servers: processes that it starts and speaks to over their standard streams, or servers at a URL.
//
// A [Client] has one server. It connects, lists the server's tools, and when the connection is lost tries again for ever, with backoff; meanwhile
// the tools stay known, and a call waits a while for the connection and then says why there is none. What a started server writes to its
// standard error goes to the log. Servers are not trusted: names, schemas, descriptions and contents are bounded.
//
// The package knows nothing of models. It offers servers neither roots nor sampling nor elicitation.
//
// Goroutines: [Client.Run] owns one connection at a time and waits for it; the SDK has its own, which end with their session.
package mcpclient

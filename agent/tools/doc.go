// Package tools is what the agent can do: run commands, read and change files, ask, plan, look at web pages, review Go code, and whatever the
// configured MCP servers add.
//
// A [Set] has all tools of one session and what they share: the working directory of commands, background jobs, a browser, connections to MCP
// servers. Its tools may run at the same time. The loop runs them; this package knows no model and no conversation. Inputs come from a
// model and are checked against each tool's schema; what a tool finds wrong is said in its [Result], for the model to mend, and an error
// means only that the call's context ended. Results are bounded here, whatever a tool made of them.
//
// It allows and forbids nothing: the container is the fence, and what the agent may reach is decided by what is in there.
//
// Goroutines are those of package shell, of the browser and of the MCP connections, all ended and waited for by [Set.Close].
package tools

// Package acp speaks the Agent Client Protocol, version 1 (agentclientprotocol.com), with an editor on a pair of streams: JSON-RPC 2.0,
// a message a line. It is another way in beside package jsonrpc, to the same backend, for editors that bring a chat of their own.
//
// It owns the translation: a session of ACP is a session of sketch-ide, a turn is a turn, and what the backend tells as full state goes out as the
// updates that ACP wants (text as the new end of it, tools as a call and its changes). It knows no Docker, no SSH and no model.
//
// Ports, branches and SSH have no message in ACP. They are told as text within a turn, and to clients that ask for it at once as notifications of our
// own (`_sketch/…`).
//
// cmd/sketch-ide calls it. Goroutines: the reader and one per request that takes time (package jsonrpc2), one that sends what the backend tells, and
// one per question that waits for its answer; all end before [Server.Serve] returns.
package acp

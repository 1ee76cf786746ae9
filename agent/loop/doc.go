// Package loop is the agent's loop: it takes prompts, asks the model, runs the tools that the model calls, tells the model what came of
// them, and goes on until the turn is over.
//
// [Loop.Run] is the one goroutine that does this; each tool call has one more for as long as it runs. The methods of
// [conversation.Control] may be called from anywhere meanwhile: a prompt that comes during a turn is added at its next tool boundary, and a
// cancellation ends the request to the model and the tools together. What the agent is doing is one state, changed in one
// function (machine.go).
//
// What the model is sent is the [History]. It is valid at every moment at which a request can be made: roles alternate and each tool
// call has its result. What people see is the conversation (package agent/conversation); both are written to one transcript as they
// grow, from which a process that is started anew goes on, wherever the one before it ended.
//
// The package knows neither HTTP nor SSH, reads no key, and reports no money: the gateway on the host counts.
package loop

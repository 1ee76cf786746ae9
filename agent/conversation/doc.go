// Package conversation is what people see of the agent: its status and the messages of the conversation, kept in memory for
// readers, on disk for a restart, and served over HTTP. Both ends of that API are here: [Handler] inside the container,
// [Client] and [Follow] on the host.
//
// Inside, one writer (package agent/loop) changes a [Conversation]; any number of readers wait on it. A reader owns no queue and
// costs nothing while it waits: it asks for what has changed since it last looked, so that one that is slow gets the newest state of a
// message instead of each of its states, and never delays the writer.
//
// On the host everything that comes from the container is bounded and checked before it is delivered.
//
// The package knows no model and no tool. It starts no goroutine; Follow runs on its caller's.
package conversation

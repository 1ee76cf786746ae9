// Package llm asks a language model for the next message of a conversation, whoever serves it: Anthropic's Messages API or OpenAI's
// chat completions, which most other servers speak too. It translates [Request] into the one or the other by the providers' own
// libraries, hands on what is streamed as it arrives, and returns the whole as a [Response] that is always fit to be sent back: each tool
// call has an id of its own and an input that is a JSON object.
//
// It retries nothing, counts no money and knows no key: requests go to the gateway on the host, which does that. What it reads is
// bounded, and a server that falls silent is given up.
//
// A Client has no state but its connections, starts no goroutine, and may be used concurrently. The loop (package agent/loop) is its only
// user.
package llm

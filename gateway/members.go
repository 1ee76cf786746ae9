package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// members are the fields of a request that the prices hold for, and that keep what it does between the caller and the model. Providers add fields for
// more speed, another machine, other models or pages of the web at another price; one that is not known here is refused, not dropped, since the answer
// would be another.
var members = map[Provider][]string{ //nolint:gochecknoglobals // a table
	Anthropic: {
		"model", "messages", "system", "max_tokens", "stream", "tools", "tool_choice", "thinking", "output_config", "output_format", "temperature",
		"top_p", "top_k", "stop_sequences", "metadata", "cache_control", "context_management", "service_tier",
	},
	OpenAI: {
		"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls", "functions",
		"function_call", "reasoning_effort", "verbosity", "response_format", "temperature", "top_p", "top_k", "min_p", "n", "stop", "seed", "logit_bias", "logprobs",
		"top_logprobs", "presence_penalty", "frequency_penalty", "repetition_penalty", "user", "metadata", "store", "prompt_cache_key",
		"safety_identifier", "prediction", "service_tier", "chat_template_kwargs",
	},
}

// ordinary are the tiers of service that cost what the prices say. Others cost a multiple.
var ordinary = []string{"", "auto", "default", "standard", "standard_only"} //nolint:gochecknoglobals // a table

// knownMembers refuses a request for anything that is not in the tables.
func knownMembers(p Provider, body map[string]json.RawMessage) error {
	for name, raw := range body {
		if !slices.Contains(members[p], name) {
			return invalid("%.80q is not allowed: the gateway passes on what it knows the price and the reach of", name)
		}
		if name != "service_tier" {
			continue
		}
		var tier string
		if err := decodeOptional(raw, &tier); err != nil || !slices.Contains(ordinary, tier) {
			return invalid("service_tier %.80s is not allowed: only the ordinary one has a price", raw)
		}
	}
	return nil
}

// betas begin the values of Anthropic-Beta that neither change the price nor let the model's server do more by itself.
var betas = []string{ //nolint:gochecknoglobals // a table
	"claude-code-", "computer-use-", "context-management-", "effort-", "extended-cache-ttl-", "fine-grained-tool-streaming-", "interleaved-thinking-",
	"output-128k-", "prompt-caching-", "structured-outputs-", "token-counting-", "token-efficient-tools-",
}

// knownBetas is what remains of Anthropic-Beta. Left out is what is not known: an answer without it is an ordinary one.
func knownBetas(header http.Header) string {
	var known []string
	for value := range strings.SplitSeq(strings.Join(header.Values("Anthropic-Beta"), ","), ",") {
		value = strings.TrimSpace(value)
		if len(value) < 100 && slices.ContainsFunc(betas, func(prefix string) bool { return strings.HasPrefix(value, prefix) }) {
			known = append(known, value)
		}
	}
	return strings.Join(known[:min(len(known), maxBetas)], ",")
}

// Bounds of what a request names.
const (
	maxBetas  = 20
	maxTools  = 256
	maxSchema = 128 << 10 // of one tool, all its words
)

// boundedTools refuses more tools than any agent has.
func boundedTools(tools []map[string]json.RawMessage) error {
	if len(tools) > maxTools {
		return invalid("%d tools, the limit is %d", len(tools), maxTools)
	}
	for i, tool := range tools {
		size := 0
		for name, raw := range tool {
			size += len(name) + len(raw)
		}
		if size > maxSchema {
			return invalid("tools[%d] has %d bytes, the limit is %d", i, size, maxSchema)
		}
	}
	return nil
}

// estimate is the most that a call will probably use.
func (r request) estimate() Usage {
	if r.route.free {
		return Usage{}
	}
	u := Usage{Input: int64(r.size / bytesPerToken), Output: r.mayGenerate}
	return u.priced(r.model.Prices)
}

// unlimitedOutput is taken for what a call generates that names no limit.
const unlimitedOutput = 16_000

// mayGenerate is the number of tokens that a request allows.
func mayGenerate(m Model, body map[string]json.RawMessage) (int64, error) {
	var limit, completion, choices int64
	for name, into := range map[string]*int64{"max_tokens": &limit, "max_completion_tokens": &completion, "n": &choices} {
		if err := decodeOptional(body[name], into); err != nil || *into < 0 || *into > 1e9 {
			return 0, fmt.Errorf("%s: want a number", name)
		}
	}
	if limit = max(limit, completion); limit == 0 {
		limit = max(int64(m.MaxOutput), unlimitedOutput)
	}
	return limit * min(max(choices, 1), 1000), nil
}

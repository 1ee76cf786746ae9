package session

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"regexp"
)

// NamePrefix starts every session's name, so that `ssh sketch-…` needs one Host pattern.
const NamePrefix = "sketch-"

// Remote-SSH lower-cases authorities and DNS labels end at 63 bytes: a name is safe as an SSH alias, a container name, a host name and a
// branch component at once.
var namePattern = regexp.MustCompile(`^sketch-[a-z0-9]+(-[a-z0-9]+)*$`)

const maxName = 48

// ValidName tells whether s can be a session's name.
func ValidName(s string) bool { return len(s) <= maxName && namePattern.MatchString(s) }

var (
	adjectives = []string{
		"amber", "able", "bold", "brave", "brisk", "bright", "calm", "clear", "clever", "cosy", "crisp", "deft", "eager", "early", "fair", "fine",
		"fleet", "fond", "fresh", "gentle", "glad", "golden", "grand", "green", "happy", "hardy", "keen", "kind", "lively", "lucid", "lucky", "mellow",
		"merry", "mild", "neat", "nimble", "noble", "plain", "plucky", "prime", "proud", "quick", "quiet", "rapid", "ready", "rosy", "sharp", "silver",
		"smart", "snug", "solid", "spry", "steady", "sunny", "swift", "tidy", "true", "vivid", "warm", "wise", "witty", "young", "zany", "zesty",
	}
	animals = []string{
		"badger", "beaver", "bison", "bee", "cat", "crane", "crow", "deer", "dingo", "dolphin", "dove", "duck", "eagle", "egret", "elk", "falcon",
		"ferret", "finch", "fox", "frog", "gecko", "goat", "goose", "gull", "hare", "hawk", "heron", "horse", "ibex", "ibis", "jay", "kestrel",
		"kiwi", "koala", "lark", "lemur", "llama", "lynx", "magpie", "marten", "mole", "moose", "mouse", "newt", "orca", "otter", "owl", "panda",
		"pony", "puffin", "quail", "rabbit", "raven", "robin", "seal", "shrew", "sparrow", "stoat", "stork", "swan", "tern", "toad", "trout", "wren",
	}
)

// newName draws a name such as sketch-brave-otter that taken does not know.
func newName(taken func(string) bool) (string, error) {
	for range 200 {
		name := NamePrefix + pick(adjectives) + "-" + pick(animals)
		if !taken(name) {
			return name, nil
		}
	}
	// 4,096 pairs and 200 tries: only a machine with thousands of sessions comes here.
	for range 20 {
		name := fmt.Sprintf("%s%s-%s-%s", NamePrefix, pick(adjectives), pick(adjectives), pick(animals))
		if !taken(name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("choose session name: every name tried is taken")
}

func pick(words []string) string {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(len(words))))
	if err != nil {
		// crypto/rand.Read never fails since Go 1.24; rand.Int only passes its errors on.
		return words[0]
	}
	return words[n.Int64()]
}

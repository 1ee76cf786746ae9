package tunnel

import (
	"regexp"
)

// DefaultMaxForwards is how many ports are forwarded at most when the settings do not say.
const DefaultMaxForwards = 64

// Action is what the editor does when a port is newly forwarded: the ecosystem's onAutoForward.
type Action string

// The actions of devcontainer.json and of VS Code's remote.portsAttributes.
const (
	Notify          Action = "notify"
	OpenBrowser     Action = "openBrowser"
	OpenBrowserOnce Action = "openBrowserOnce"
	OpenPreview     Action = "openPreview"
	Silent          Action = "silent"
	Ignore          Action = "ignore"
)

// Settings say which ports are forwarded and how they are shown, in the vocabulary of devcontainer.json and VS Code. The
// zero Settings are the defaults. Settings are values: nobody changes one after it was decoded.
type Settings struct {
	ForwardPorts         []Target         // forwarded whether or not they are open
	PortsAttributes      []PortAttributes // in the order of the document
	OtherPortsAttributes Attributes       // for ports that no PortsAttributes match
	MaxForwards          int              // 0 means DefaultMaxForwards
	AutoForwardPorts     *bool            // false: only what is configured or asked for by hand is forwarded; nil means true
	Quiet                bool             // nothing is told or opened by itself: somebody else does. Not of a document
}

// Automatic says whether open ports are looked for and forwarded by themselves.
func (s Settings) Automatic() bool { return s.AutoForwardPorts == nil || *s.AutoForwardPorts }

// Target is a port inside the container, or one that the container can reach.
type Target struct {
	Host string // empty for the container itself, else a name or address that is resolved inside
	Port uint16
}

// PortAttributes are Attributes and the ports that they are for. Exactly one of the selectors is set.
type PortAttributes struct {
	Key string // as it was written

	From, To uint16         // a port (From = To) or a range, both inclusive
	Host     string         // with From: for "host:port"
	Command  *regexp.Regexp // matched against the command line of the process that listens

	Attributes
}

// Attributes describe a port. Empty fields were not set.
type Attributes struct {
	OnAutoForward    Action
	Label            string
	Protocol         string // "http" or "https"
	RequireLocalPort *bool  // fail instead of using another host port
	ElevateIfNeeded  *bool  // understood, but the backend never elevates
}

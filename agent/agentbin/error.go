package agentbin

import "fmt"

// Error says why there is no agent executable for an architecture, and what to do.
type Error struct {
	Arch   string // architecture that was asked for
	Reason string // what is wrong with the executables that there are
	Hint   string // what to do about it, one sentence
}

func (e *Error) Error() string {
	return fmt.Sprintf("find agent executable for linux/%s: %s", e.Arch, e.Reason)
}

func buildHint(arch string) string {
	return fmt.Sprintf("Build it with: CGO_ENABLED=0 GOOS=linux GOARCH=%s go build -o sketch-ide-linux-%s ./cmd/sketch-ide, and set %s to that file.", arch, arch, Variable)
}

func ownHint(bad, arch string) string {
	if bad == dynamic {
		return "Build sketch-ide with CGO_ENABLED=0, as make does."
	}
	return buildHint(arch)
}

package session

import (
	"context"
	_ "embed"
	"strings"
)

//go:embed openremote.sh
var openRemoteScript string

// PrepareRemote sees to it that a Remote-SSH window, which looks for ports and forwards them too, leaves that to the session's owner: each port would else be
// forwarded and told twice, by two numbers. It does so by the window's own setting, which its server reads inside. It reports false where the user has a
// settings file there that says otherwise, which is left alone.
func (s *Supervisor) PrepareRemote(ctx context.Context, name string) (bool, error) {
	x, err := s.session(name)
	if err != nil {
		return false, err
	}
	return x.quietenWindows(ctx)
}

func (s *Session) quietenWindows(ctx context.Context) (yields bool, err error) {
	var out bounded
	err = s.Exec(ctx, []string{"sh", "-c", openRemoteScript}, Streams{Out: &out})
	return err == nil && !strings.Contains(string(out), "other"), err
}

// bounded keeps the first bytes that a script inside writes.
type bounded []byte

func (b *bounded) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), 256-len(*b))]...)
	return len(p), nil
}

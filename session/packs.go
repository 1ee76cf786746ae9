package session

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/gitwatch"
	"github.com/sketch-ide/sketch-ide/repo"
)

var _ repo.PackReceiver = (*Session)(nil)

// packBuffer is how much of a pack is written at once.
const packBuffer = 256 << 10

// PutPack writes one of the host's packs into the repository inside.
func (s *Session) PutPack(ctx context.Context, workspace, name string, size int64, content io.Reader) error {
	if workspace != s.rec.Workspace {
		return fmt.Errorf("put pack into %s: the agent's repository is %s", workspace, s.rec.Workspace)
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return s.conn.DialContext(ctx, "unix", agent.SocketPath)
		},
		DisableKeepAlives: true,
		WriteBufferSize:   packBuffer,
	}
	return gitwatch.SendPack(ctx, &http.Client{Transport: transport}, agent.BaseURL, name, size, content)
}

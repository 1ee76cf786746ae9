//go:build linux

package agent_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// TestToolsReachTheGateway asks the loopback port that SKETCH_LLM_URL names, as another tool inside does, and finds the host behind it.
func TestToolsReachTheGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn, opens, requests := w.login()
	var serving sync.WaitGroup
	serving.Go(func() { ssh.DiscardRequests(requests) })
	serving.Go(func() {
		for open := range opens {
			if open.ChannelType() != sshwire.ChannelLLM {
				open.Reject(ssh.UnknownChannelType, "")
				continue
			}
			channel, requests, err := open.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { ssh.DiscardRequests(requests) })
			serving.Go(func() {
				defer channel.Close()
				req, err := http.ReadRequest(bufio.NewReader(channel))
				if err != nil {
					return
				}
				answer := "asked for " + req.URL.Path
				fmt.Fprintf(channel, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(answer), answer)
			})
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })

	got := w.ssh("", "box", `curl -sS --noproxy '*' "$SKETCH_LLM_URL/anthropic/v1/messages"`)
	if got.status != 0 || got.stdout != "asked for /anthropic/v1/messages" {
		t.Errorf("curl inside: %+v", got)
	}
	if !strings.HasPrefix(w.ssh("", "box", "echo $SKETCH_LLM_URL").stdout, "http://127.0.0.1:") {
		t.Error("the gateway is not on the loopback")
	}
}

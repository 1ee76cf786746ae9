//go:build linux

package agent

import (
	"context"
	"net"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// The gateway for other tools inside: a loopback port whose connections go to the host, each by a channel of its own.
const (
	maxLLMConns    = 6 // of the 16 channels that a host serves at once; more wait in the kernel's queue
	llmWaitTimeout = 10 * time.Second
)

// gatewayEnv names the variable that tells programs in a session where the gateway is: http://127.0.0.1:22023. A tool uses it with
// ANTHROPIC_BASE_URL=$SKETCH_LLM_URL/anthropic or OPENAI_BASE_URL=$SKETCH_LLM_URL/openai/v1, and with any word for a key.
const gatewayEnv = "SKETCH_LLM_URL"

// listenLLM opens the loopback port. Without it everything else works, so that a taken port is only told.
func (p *inside) listenLLM(ctx context.Context) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.Gateway)
	if err != nil {
		p.log.Error("no gateway for other tools", "err", err)
		return
	}
	p.llmListener = ln
}

// serveLLM relays the connections of tools inside to the host's gateway until ctx ends.
func (p *inside) serveLLM(ctx context.Context) error {
	ln := p.llmListener
	if ln == nil {
		return nil
	}
	return acceptEach(ctx, ln, maxLLMConns, "gateway", func(conn net.Conn) { p.relayLLM(ctx, conn.(*net.TCPConn)) })
}

func (p *inside) relayLLM(ctx context.Context, conn *net.TCPConn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	wait, cancel := context.WithTimeout(ctx, llmWaitTimeout)
	defer cancel()
	host, err := p.openLLM(wait)
	if err != nil {
		p.log.Info("gateway of the host not reached", "err", err)
		return
	}
	defer host.Close()
	sshwire.Relay(conn, host)
}

//go:build linux

package agent

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

const (
	maxHostConns    = 32 // more wait in the kernel's queue
	requestTimeout  = 5 * time.Second
	hostWaitTimeout = 10 * time.Second // for a host that is not connected; it may be about to reconnect
)

// serveHostSocket connects processes in the container to services of the host, by the protocol in hostline.go, until ctx ends.
func (p *inside) serveHostSocket(ctx context.Context) error {
	return acceptEach(ctx, p.hostListener, maxHostConns, "host socket", func(conn net.Conn) { p.serveHostConn(ctx, conn.(*net.UnixConn)) })
}

func (p *inside) serveHostConn(ctx context.Context, conn *net.UnixConn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	client := &bufferedConn{UnixConn: conn, reader: bufio.NewReader(conn)}
	conn.SetDeadline(time.Now().Add(requestTimeout))
	stream, err := p.openService(ctx, client)
	conn.SetDeadline(time.Now().Add(requestTimeout))
	if err != nil {
		p.log.Info("service of the host refused", "err", err)
		_, _ = io.WriteString(conn, answerError+oneLine(err.Error())+"\n") // whether it is read is the process's matter
		return
	}
	defer stream.Close()
	if _, err := io.WriteString(conn, answerOK+"\n"); err != nil {
		return
	}
	conn.SetDeadline(time.Time{})
	sshwire.Relay(client, stream)
}

// openService reads a request and opens the host's channel for it.
func (p *inside) openService(ctx context.Context, client *bufferedConn) (*sshwire.Stream, error) {
	line, err := readLine(client.reader, maxHostLine)
	if err != nil {
		return nil, err
	}
	req, err := parseHostRequest(line)
	if err != nil {
		return nil, err
	}
	channel, err := req.channel()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, hostWaitTimeout)
	defer cancel()
	return p.ssh.OpenHost(ctx, channel, []byte(req.parameter))
}

// oneLine makes text fit for an answer.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
	return text[:min(len(text), maxAnswerLine-len(answerError))]
}

// bufferedConn is a connection whose first line was read through a buffer.
type bufferedConn struct {
	*net.UnixConn
	reader *bufio.Reader
}

func (c *bufferedConn) Read(b []byte) (int, error) { return c.reader.Read(b) }

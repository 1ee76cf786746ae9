package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// ConnectCommand is what makes the standard streams of a process inside a connection to the SSH server: the way in
// where the container has no network, or its engine only an API.
func ConnectCommand() []string { return []string{Binary, "agent", "--connect"} }

// Connect joins in and out with the SSH server of this container until the server ends the connection. The end of in
// is passed on. What reads in may block beyond the return, until the process ends.
func Connect(ctx context.Context, in io.Reader, out io.Writer) error {
	return connectTo(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(SSHPort)), in, out)
}

func connectTo(ctx context.Context, address string, in io.Reader, out io.Writer) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("reach the agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // ends both copies
	defer stop()
	// Ends with in, or when it has something to send after the connection's end; the process does not wait for it.
	go func() {
		if _, err := io.Copy(conn, in); err != nil {
			conn.Close()
			return
		}
		_ = conn.(*net.TCPConn).CloseWrite() // a server that is gone already has nothing to be told
	}()
	_, err = io.Copy(out, conn)
	conn.Close()
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	insideArg = "inside" // starts the program inside and leaves it behind
	servedArg = "served" // is that program
)

// inside leaves a copy of itself behind, as a session of its own, and prints the port at which that takes orders.
func inside() error {
	l, err := net.ListenTCP("tcp4", nil)
	if err != nil {
		return err
	}
	file, err := l.File()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", servedArg)
	cmd.ExtraFiles = []*os.File{file}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, l.Addr().(*net.TCPAddr).Port)
	return err
}

// takeOrders serves the lines of one connection, and ends with it:
//
//	listen ADDRESS PORT   web server; the answer is the monotonic time at which listen(2) had returned
//	close                 the last web server
//	stream                stream server (serveStream) on all addresses; the answer is its port
//	web                   web server on all addresses; the answer is its port
func takeOrders() error {
	l, err := net.FileListener(os.NewFile(3, "orders"))
	if err != nil {
		return err
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	var web net.Listener
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "listen":
			var err error
			if web, err = serveWeb(rest); err != nil {
				fmt.Fprintln(conn, "error", err)
				continue
			}
			fmt.Fprintln(conn, int64(monotonic()))
		case "close":
			fmt.Fprintln(conn, errorText(web.Close()))
		case "stream":
			fmt.Fprintln(conn, portOrError(listenStreams(rest)))
		case "web":
			fmt.Fprintln(conn, portOrError(serveWeb("0.0.0.0 "+rest)))
		}
	}
	return nil
}

func errorText(err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	return "ok"
}

func portOrError(l net.Listener, err error) any {
	if err != nil {
		return errorText(err)
	}
	return l.Addr().(*net.TCPAddr).Port
}

func serveWeb(where string) (net.Listener, error) {
	address, port, _ := strings.Cut(where, " ")
	network := "tcp4"
	if strings.Contains(address, ":") {
		network = "tcp6"
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), network, net.JoinHostPort(address, port))
	if err != nil {
		return nil, err
	}
	// Ends when the listener is closed.
	go func() {
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello\n") // the asking side notices
		})}
		if err := server.Serve(l); !errors.Is(err, net.ErrClosed) {
			fmt.Fprintln(os.Stderr, "bench inside:", err)
		}
	}()
	return l, nil
}

func listenStreams(port string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "0.0.0.0:"+port)
	if err != nil {
		return nil, err
	}
	// Ends with the process, as its connections do.
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveStream(conn)
		}
	}()
	return l, nil
}

// What a client of the stream server wants, as its first byte.
const (
	wantDown = 'd' // bytes for as long as it reads
	wantUp   = 'u' // the number of bytes that it sent, once the first byte of a chunk says that it is the last
	wantEcho = 'e' // every byte back
)

// chunk is one write of a bulk transfer, and one read at the most.
const chunk = 256 << 10

// lastChunk is the first byte of the last chunk on the way up.
const lastChunk = 1

// serveStream does what the first byte says. Errors end the connection, and the client notices.
func serveStream(conn net.Conn) {
	defer conn.Close()
	var want [1]byte
	if _, err := io.ReadFull(conn, want[:]); err != nil {
		return
	}
	switch want[0] {
	case wantDown:
		for data := make([]byte, chunk); ; {
			if _, err := conn.Write(data); err != nil {
				return
			}
		}
	case wantUp:
		if n, err := takeChunks(conn); err == nil {
			_, _ = conn.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) // the asking side notices
		}
	case wantEcho:
		for small := make([]byte, 16); ; { // there are thousands of these
			n, err := conn.Read(small)
			if err != nil {
				return
			}
			if _, err := conn.Write(small[:n]); err != nil {
				return
			}
		}
	}
}

// takeChunks reads chunks until the last, and returns how many bytes they had. There is no half-close to say that it is over: the seed's server loses
// the answer to one.
func takeChunks(r io.Reader) (n int64, err error) {
	for data := make([]byte, chunk); ; {
		m, err := io.ReadFull(r, data)
		n += int64(m)
		if err != nil || data[0] == lastChunk {
			return n, err
		}
	}
}

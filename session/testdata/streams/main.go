// Command streams runs inside a container in the tests of streams: one server for each way in which connections behave. It prints a line "NAME
// PORT" for each of them, then a line for what its connections came to where the host's side cannot know. On the host, "streams hold ADDRESS COUNT"
// is the client of many connections. Errors are dropped where the other end sees what is missing.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"golang.org/x/net/websocket"
)

var servers = map[string]func(*net.TCPConn){
	// answer says how much came until the other side's half-close, as that many bytes of its own.
	"answer": func(c *net.TCPConn) {
		if n, err := io.Copy(io.Discard, c); err == nil {
			_, _ = c.Write(bytes.Repeat([]byte{'a'}, int(n)))
		}
	},
	// bye ends its direction first, and reports how much comes after that.
	"bye": func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "bye")
		_ = c.CloseWrite()
		n, err := io.Copy(io.Discard, c)
		fmt.Fprintln(os.Stdout, "bye got", n, err)
	},
	// greet speaks first.
	"greet": func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "220 ready\r\n")
		_, _ = io.Copy(c, c)
	},
	// echo takes one descriptor: spliced, each connection would have a pipe.
	"echo": func(c *net.TCPConn) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, 512))
	},
	"flood": func(c *net.TCPConn) { _, _ = io.Copy(c, endless{}) },
	// reset resets the connection at the first byte.
	"reset": func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.SetLinger(0)
	},
	// witness reports how the connection ends.
	"witness": func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		fmt.Fprintln(os.Stdout, "witness saw reset:", errors.Is(err, syscall.ECONNRESET))
	},
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "hold" {
		if err := hold(os.Args[2], os.Args[3]); err != nil {
			fail(err)
		}
		return
	}
	for name, serve := range servers {
		l := listen(name)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					fail(err)
				}
				go func() {
					defer c.Close()
					serve(c.(*net.TCPConn))
				}()
			}
		}()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/proto", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _ = echo(w, r.Body) })
	mux.Handle("/ws", websocket.Handler(func(c *websocket.Conn) { _, _ = io.Copy(c, c) }))
	server := &http.Server{Handler: mux, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	fail(server.Serve(listen("http")))
}

func listen(name string) net.Listener {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	fmt.Fprintln(os.Stdout, name, l.Addr().(*net.TCPAddr).Port)
	return l
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// echo passes on each piece as it comes, so that both directions of one HTTP/2 stream are open at once.
func echo(w http.ResponseWriter, r io.Reader) error {
	flush := http.NewResponseController(w)
	if err := flush.Flush(); err != nil {
		return err
	}
	for piece := make([]byte, 32<<10); ; {
		n, err := r.Read(piece)
		if _, err := w.Write(piece[:n]); err != nil {
			return err
		}
		if err := flush.Flush(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

package agent

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
)

func TestConnectPassesBothEndsOn(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan string, 1)
	go func() { // ends with the connection; the receive below waits
		conn, err := ln.Accept()
		if err != nil {
			got <- err.Error()
			return
		}
		defer conn.Close()
		said, err := io.ReadAll(conn) // to the end that in has
		if err != nil {
			got <- err.Error()
			return
		}
		_, _ = conn.Write([]byte("heard"))
		got <- string(said)
	}()
	var out bytes.Buffer
	if err := connectTo(t.Context(), ln.Addr().String(), strings.NewReader("hello"), &out); err != nil {
		t.Fatal(err)
	}
	if said := <-got; said != "hello" || out.String() != "heard" {
		t.Errorf("the server got %q, the client %q", said, out.String())
	}
	ln.Close()
	if err := connectTo(t.Context(), ln.Addr().String(), strings.NewReader(""), &out); err == nil {
		t.Error("connected to nothing")
	}
}

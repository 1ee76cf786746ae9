// Goserver is a web server as people write them in Go: it listens on the address of its only argument, and on SIGTERM finishes what it does and ends.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: os.Args[1], Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello from inside")
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }() // ends with Shutdown; waited for below
	select {
	case <-ctx.Done():
	case err := <-ended:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := server.Shutdown(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

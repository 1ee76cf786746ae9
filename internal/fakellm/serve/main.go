// Command serve plays scenarios as a model's server on a loopback port, for demonstrations: it prints its address, and serves until it is interrupted. The
// scenario file hello.json is the model named hello.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/fakellm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakellm:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	key := flag.String("key", "", "the `key` that requests must bring; empty: any")
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("want scenario files")
	}
	var server *fakellm.Server
	for _, path := range flag.Args() {
		scenario, err := fakellm.ParseFile(path)
		if err != nil {
			return err
		}
		model := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if server == nil {
			server = fakellm.New(model, scenario)
		}
		server.Add(model, scenario)
	}
	server.Key = *key
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "http://"+listener.Addr().String())
	web := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { web.Close() })
	defer stop()
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	for _, fault := range server.Faults() {
		fmt.Fprintln(os.Stderr, "fakellm:", fault)
	}
	return nil
}

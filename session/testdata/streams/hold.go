package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// hold opens many connections to an echo, uses each, uses each again when all are open, says so, and keeps them until the end of its input. It is a
// process of its own because the descriptors of both ends might be more than one may have.
func hold(address, count string) error {
	many, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, many)
	err = each(conns, func(c *net.Conn) (err error) {
		if *c, err = net.Dial("tcp", address); err != nil {
			return err
		}
		return roundTrip(*c)
	})
	if err != nil {
		return err
	}
	if err := each(conns, func(c *net.Conn) error { return roundTrip(*c) }); err != nil {
		return fmt.Errorf("when all are open: %w", err)
	}
	fmt.Fprintln(os.Stdout, "all are open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// each does something with every connection, some at a time: on a busy machine most of a round trip is waiting.
func each(conns []net.Conn, do func(*net.Conn) error) error {
	var group errgroup.Group
	group.SetLimit(16)
	for i := range conns {
		group.Go(func() error {
			if err := do(&conns[i]); err != nil {
				return fmt.Errorf("connection %d: %w", i, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func roundTrip(c net.Conn) error {
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

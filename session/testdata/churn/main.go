// Command churn runs inside a container in the stress test. It opens and closes listeners as its standard input says, a line each, "open NETWORK
// ADDRESS" or "close ADDRESS", and answers each line with "ok" or what failed. Whoever connects is told the port.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	open := map[string]net.Listener{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := obey(open, strings.Fields(lines.Text())); err != nil {
			fmt.Fprintln(os.Stdout, err)
			continue
		}
		fmt.Fprintln(os.Stdout, "ok")
	}
}

func obey(open map[string]net.Listener, words []string) error {
	address := words[len(words)-1]
	if words[0] == "close" {
		l := open[address]
		delete(open, address)
		return l.Close()
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), words[1], address)
	if err != nil {
		return err
	}
	open[address] = l
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, l.Addr().(*net.TCPAddr).Port)
			_ = c.Close() // the visitor may have gone
		}
	}()
	return nil
}

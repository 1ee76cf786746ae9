package tools

import (
	"context"
	"fmt"
	"strings"
)

type portsInput struct{}

func (s *Set) ports() Tool {
	return newTool("ports", "Lists the TCP ports that something listens on in this container. The user reaches them on their own localhost, where the same number is taken for it if it is free.",
		func(portsInput) string { return "open ports" },
		func(ctx context.Context, _ Call, _ portsInput) (Result, error) {
			within, cancel := context.WithTimeout(ctx, s.cfg.Limits.Other)
			defer cancel()
			snapshot, err := s.cfg.Ports(within)
			switch {
			case ctx.Err() != nil:
				return Result{}, ctx.Err()
			case err != nil:
				return failed("The open ports are not known: " + err.Error() + "."), nil
			case len(snapshot.Ports) == 0:
				return Result{Text: "Nothing listens."}, nil
			}
			var b strings.Builder
			for _, port := range snapshot.Ports {
				fmt.Fprintf(&b, "%d on", port.Number)
				for _, address := range port.Addresses {
					fmt.Fprintf(&b, " %s", address)
				}
				if port.Process != "" {
					fmt.Fprintf(&b, ", %s (pid %d): %s", port.Process, port.PID, oneLine(port.Command, port.Process))
				}
				b.WriteByte('\n')
			}
			return Result{Text: b.String()}, nil
		})
}

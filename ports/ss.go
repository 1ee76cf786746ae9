package ports

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	ssTimeout  = 2 * time.Second
	maxSSBytes = 4 << 20
)

// An ssSource runs iproute2's ss for each scan: 2 to 4 ms of fork and exec, for
// machines that offer neither netlink nor /proc/net to us.
type ssSource struct{ path string }

func openSS(context.Context) (Source, error) {
	path, err := exec.LookPath("ss")
	if err != nil {
		return nil, err
	}
	return &ssSource{path}, nil
}

func (s *ssSource) Name() string { return "ss" }
func (s *ssSource) Close() error { return nil }

// Listeners runs ss with -e for uid and inode; an ss too old for -H prints a headline,
// which the parser skips.
func (s *ssSource) Listeners(ctx context.Context, dst []Listener) ([]Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, ssTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.path, "-l", "-n", "-t", "-e")
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return dst, fmt.Errorf("run ss: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return dst, fmt.Errorf("run ss: %w", err)
	}
	dst, parseErr := parseSS(dst, io.LimitReader(out, maxSSBytes))
	if parseErr != nil {
		cancel() // it may still be writing
	}
	if err := cmd.Wait(); err != nil && parseErr == nil {
		parseErr = fmt.Errorf("run ss: %w", err)
	}
	return dst, parseErr
}

// parseSS appends the listeners in the output of ss -lnte, with or without the column
// that -u or -x add in front:
//
//	LISTEN 0 128 127.0.0.1:3000 0.0.0.0:* uid:1000 ino:31337 sk:1 cgroup:… <->
func parseSS(dst []Listener, r io.Reader) ([]Listener, error) {
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		f := strings.Fields(sc.Text())
		if len(f) > 0 && f[0] == "tcp" {
			f = f[1:]
		}
		if len(f) < 5 || f[0] != "LISTEN" {
			continue
		}
		addr, ok := parseEndpoint(f[3])
		if !ok {
			return dst, fmt.Errorf("parse ss: %q is no address", f[3])
		}
		if len(dst) >= maxListeners {
			return dst, ErrTooManyListeners
		}
		dst = append(dst, Listener{Addr: addr, UID: ssNumber(f[5:], "uid:"), Inode: ssNumber(f[5:], "ino:")})
	}
	return dst, sc.Err()
}

// ssNumber finds an attribute. ss leaves out a uid of 0.
func ssNumber(fields []string, prefix string) uint32 {
	for _, f := range fields {
		if rest, ok := strings.CutPrefix(f, prefix); ok {
			n, _ := strconv.ParseUint(rest, 10, 32) // unreadable counts as absent
			return uint32(n)
		}
	}
	return 0
}

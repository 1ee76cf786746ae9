package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"syscall"
)

// nextFree is how many numbers above the wanted one are tried before the kernel chooses.
const nextFree = 100

// listenPlain is the default ManagerConfig.Listen: no SO_REUSEPORT, which would let other processes steal connections, no
// multipath, and no keepalive between two processes of one machine. A number that somebody has on all addresses is taken.
func listenPlain(network, address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: wildcardFree}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), network, address)
}

// bind finds a host port for a forward and starts to serve it.
func (r *reconciler) bind(w *want) (*binding, error) {
	if w.hostPort != 0 || w.decision.RequireLocalPort {
		port := w.port
		if w.hostPort != 0 {
			port = w.hostPort
		}
		listeners, err := r.listen(port)
		if err != nil {
			return nil, inUse(port, err)
		}
		r.memory.HostPorts[w.port] = port
		return r.serve(listeners, port, ""), nil
	}
	if past := r.memory.HostPorts[w.port]; past != 0 && past != w.port {
		if listeners, err := r.listen(past); err == nil {
			return r.serve(listeners, past, "as before"), nil
		}
	}
	listeners, err := r.listen(w.port)
	if err == nil {
		r.memory.HostPorts[w.port] = w.port
		return r.serve(listeners, w.port, ""), nil
	}
	why := inUse(w.port, err)
	for _, port := range r.alternatives(w.port, err) {
		listeners, err := r.listen(port)
		if err != nil {
			continue
		}
		port = portOf(listeners[0])
		r.memory.HostPorts[w.port] = port
		return r.serve(listeners, port, why.Error()), nil
	}
	return nil, why
}

// alternatives are the numbers to try when the wanted one failed with err, 0 meaning any. A privileged port moves out of
// the privileged range (80 to 8080, 443 to 8443). Numbers that the container has open itself are left for those.
func (r *reconciler) alternatives(port uint16, err error) []uint16 {
	start := int(port) + 1
	if errors.Is(err, fs.ErrPermission) {
		start = 8000 + int(port)
	}
	var all []uint16
	for n := start; n < min(start+nextFree, 1<<16); n++ {
		if s := r.seen[uint16(n)]; s == nil || !s.open {
			all = append(all, uint16(n))
		}
	}
	return append(all, 0)
}

// listen binds one number on both loopback addresses, or on 127.0.0.1 alone where the machine has no ::1. Port 0 takes
// any number.
func (r *reconciler) listen(port uint16) ([]net.Listener, error) {
	v4, err := r.cfg.Listen("tcp4", joinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	v6, err := r.cfg.Listen("tcp6", joinHostPort("::1", portOf(v4)))
	if err == nil {
		return []net.Listener{v4, v6}, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, fs.ErrPermission) {
		v4.Close()
		return nil, err
	}
	r.cfg.Log.Debug("no listener on ::1", "port", port, "err", err)
	return []net.Listener{v4}, nil
}

// portError is a host port that could not be had.
type portError struct {
	port uint16
	err  error
}

// inUse makes the error of a bind one for people.
func inUse(port uint16, err error) error { return &portError{port, err} }

func (e *portError) Error() string {
	switch {
	case errors.Is(e.err, syscall.EADDRINUSE):
		return fmt.Sprintf("%d is in use", e.port)
	case errors.Is(e.err, fs.ErrPermission):
		return fmt.Sprintf("%d needs privileges", e.port)
	}
	return fmt.Sprintf("listen on %d: %v", e.port, e.err)
}

func (e *portError) Unwrap() error { return e.err }

func joinHostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// portOf is the number that a listener has.
func portOf(l net.Listener) uint16 {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return uint16(a.Port)
	}
	return 0
}

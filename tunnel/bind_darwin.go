package tunnel

import (
	"net/netip"
	"os"
	"syscall"
)

// wildcardFree fails with EADDRINUSE where somebody listens on the port of address on all addresses. Darwin, as any BSD,
// lets a loopback address be bound beside that, since Go sets SO_REUSEADDR, and the forward would take the loopback
// connections of somebody else's server. It is a net.ListenConfig.Control.
//
// The socket is bound and closed, without ever listening: nothing can connect to it, and no firewall asks. SO_REUSEADDR
// leaves only a socket on the very same wildcard in its way, not the connections of an earlier listener.
func wildcardFree(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || at.Port() == 0 {
		return nil // the bind itself tells
	}
	family, wildcard := syscall.AF_INET, syscall.Sockaddr(&syscall.SockaddrInet4{Port: int(at.Port())})
	if at.Addr().Is6() {
		family, wildcard = syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(at.Port())}
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(fd)
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if family == syscall.AF_INET6 {
		// 0.0.0.0 is the other probe's.
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return os.NewSyscallError("bind", syscall.Bind(fd, wildcard))
}

package jsonrpc

import "context"

func (s *Server) start(ctx context.Context, p StartParams, progress Progress) (Session, error) {
	return s.cfg.Backend.Start(ctx, p, progress)
}

func (s *Server) openPort(ctx context.Context, p PortParams, _ Progress) (OpenPortResult, error) {
	port, err := s.cfg.Backend.Port(ctx, p)
	return OpenPortResult{URL: port.URL, Port: port}, err
}

package main

import (
	"context"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

var errNotInThisBuild = &jsonrpc.Error{Kind: jsonrpc.KindInternal, Message: "not in this build"}

// OpenRemote says how to open a session's folder over SSH.
func (b *backend) OpenRemote(ctx context.Context, p jsonrpc.OpenRemoteParams) (jsonrpc.OpenRemoteResult, error) {
	return jsonrpc.OpenRemoteResult{}, errNotInThisBuild
}

// SSHConfig looks at the user's SSH configuration, or changes the one line in it.
func (b *backend) SSHConfig(ctx context.Context, p jsonrpc.SSHConfigParams) (jsonrpc.SSHConfigResult, error) {
	return jsonrpc.SSHConfigResult{}, errNotInThisBuild
}

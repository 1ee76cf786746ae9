package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
)

// BaseURL is the base of the API's addresses. Its host name is never resolved: a [Client] dials the unix socket.
const BaseURL = "http://agent"

// Limits of what a client takes from the container, which is not trusted.
const (
	maxStatusBytes  = 64 << 10
	maxHeaderBytes  = 16 << 10
	maxClientConns  = 8
	clientIdleLimit = 90 * time.Second
)

// Client is the host's side of the HTTP API. Its methods may be called concurrently.
type Client struct {
	transport *http.Transport
	http      *http.Client
}

// NewClient returns a client that reaches the API by dial, which is called with the network "unix" and [SocketPath]: the
// DialContext of a session's SSH connection. Requests end with their context; there is no other time limit, because
// /port-events streams.
func NewClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, "unix", SocketPath)
		},
		Proxy:                  nil, // the environment's proxy is not for us
		DisableCompression:     true,
		MaxConnsPerHost:        maxClientConns,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        clientIdleLimit,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{transport: transport, http: &http.Client{Transport: transport, CheckRedirect: refuse}}
}

// HTTP returns the HTTP client for addresses below [BaseURL], such as [ports.Follow] needs. It follows no redirects.
func (c *Client) HTTP() *http.Client { return c.http }

// Conversation returns the client of the conversation with the agent.
func (c *Client) Conversation() conversation.Client {
	return conversation.Client{HTTP: c.http, BaseURL: BaseURL}
}

// BaseURL returns [BaseURL].
func (c *Client) BaseURL() string { return BaseURL }

// Status asks the process how it is.
func (c *Client) Status(ctx context.Context) (Status, error) { return c.status(ctx, "/status") }

// Visitors asks how many connections go through the SSH server to a port inside.
func (c *Client) Visitors(ctx context.Context, port uint16) (int, error) {
	status, err := c.status(ctx, "/status?port="+strconv.Itoa(int(port)))
	return status.SSH.Visitors, err
}

func (c *Client) status(ctx context.Context, path string) (Status, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, BaseURL+path, nil)
	if err != nil {
		return Status{}, fmt.Errorf("ask agent status: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return Status{}, fmt.Errorf("ask agent status: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Status{}, fmt.Errorf("ask agent status: unexpected answer %d", res.StatusCode)
	}
	var status Status
	if err := json.NewDecoder(io.LimitReader(res.Body, maxStatusBytes)).Decode(&status); err != nil {
		return Status{}, fmt.Errorf("decode agent status: %w", err)
	}
	return status, nil
}

// Close closes the connections that are idle. Requests under way end with their own contexts.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

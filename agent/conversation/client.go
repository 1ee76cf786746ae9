package conversation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Client is the host's end of [Handler]. Requests end with their contexts. Errors that the agent gave are [*Problem].
type Client struct {
	HTTP    *http.Client // reaches the agent; required
	BaseURL string       // required, such as "http://agent"
}

// Prompt hands a message to the agent.
func (c Client) Prompt(ctx context.Context, p Prompt) (Accepted, error) {
	var accepted Accepted
	err := c.do(ctx, http.MethodPost, "/prompt", p, &accepted)
	accepted.ID = Clip(accepted.ID, maxLine)
	return accepted, err
}

// Cancel ends a tool call, or the turn if tool is empty.
func (c Client) Cancel(ctx context.Context, tool string) error {
	return c.do(ctx, http.MethodPost, "/cancel", cancelRequest{tool}, nil)
}

// Answer answers the question whose message has that id.
func (c Client) Answer(ctx context.Context, id, answer string) error {
	return c.do(ctx, http.MethodPost, "/answer", answerRequest{id, answer}, nil)
}

// Configure hands the settings to the agent.
func (c Client) Configure(ctx context.Context, s Settings) error {
	return c.do(ctx, http.MethodPut, "/agent", s, nil)
}

// Latest returns the status and the last messages after a place, limit of them at most (0: 200).
func (c Client) Latest(ctx context.Context, after int64, limit int) (Page, error) {
	query := url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}}
	var page Page
	if err := c.do(ctx, http.MethodGet, "/conversation?"+query.Encode(), nil, &page); err != nil {
		return Page{}, err
	}
	page.Status.bound()
	kept := page.Messages[:0]
	for _, m := range page.Messages {
		if m.valid() {
			m.bound()
			kept = append(kept, m)
		}
	}
	page.Messages = kept
	return page, nil
}

func (c Client) do(ctx context.Context, method, path string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.BaseURL+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	if body == nil {
		req.Body, req.GetBody, req.ContentLength = http.NoBody, nil, 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "identity") // what is compressed has no bound
	res, err := c.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 2*maxEvent))
	if err != nil {
		return fmt.Errorf("read agent's answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return problemOf(res, answer)
	}
	if result == nil {
		return nil
	}
	if err := decodeBounded(answer, result); err != nil {
		return fmt.Errorf("decode agent's answer: %w", err)
	}
	return nil
}

func problemOf(res *http.Response, body []byte) error {
	var p Problem
	if json.Unmarshal(body, &p) != nil || p.Kind == "" {
		return fmt.Errorf("ask agent: unexpected answer %d", res.StatusCode)
	}
	return p.bounded()
}

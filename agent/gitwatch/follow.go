package gitwatch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Follow hands out where the branch inside stands, at once and after each change, until ctx ends or the stream does, and returns why. Only
// well formed states of that branch are handed out.
func Follow(ctx context.Context, client *http.Client, baseURL, branch string, state func(State)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/git?branch="+url.QueryEscape(branch), nil)
	if err != nil {
		return fmt.Errorf("follow branch: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("follow branch: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("follow branch: unexpected answer %d", res.StatusCode)
	}
	if err := readStates(res.Body, branch, state); err != nil {
		return fmt.Errorf("follow branch: %w", err)
	}
	return nil
}

// readStates reads until the end, which is an error: the stream has none by itself.
func readStates(r io.Reader, branch string, state func(State)) error {
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil { // bufio.ErrBufferFull too: no state is as long
			return err
		}
		var s State
		if err := json.Unmarshal(line, &s); err != nil {
			return fmt.Errorf("%w: %w", errState, err)
		}
		if err := s.check(branch); err != nil {
			return err
		}
		state(s)
	}
}

// SendBase tells the agent where the base's branch stands on the host.
func SendBase(ctx context.Context, client *http.Client, baseURL string, base Base) error {
	body, err := json.Marshal(base)
	if err != nil {
		return fmt.Errorf("send base: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, baseURL+"/git/base", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send base: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("send base: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("send base: unexpected answer %d", res.StatusCode)
	}
	return nil
}

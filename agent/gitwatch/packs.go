package gitwatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	packsPath  = "/git/packs/"
	copyBuffer = 256 << 10
)

var packName = regexp.MustCompile(`^pack-(?:[0-9a-f]{40}|[0-9a-f]{64})\.(?:pack|idx)$`)

// servePack writes a pack or an index into the repository, where it appears whole or not at all.
func (w *Watcher) servePack(rw http.ResponseWriter, req *http.Request) {
	name := strings.TrimPrefix(req.URL.Path, packsPath)
	if !packName.MatchString(name) || req.ContentLength < 0 {
		http.Error(rw, "not a pack of a known size", http.StatusBadRequest)
		return
	}
	_, common, ok := w.find(req.Context())
	if !ok {
		http.Error(rw, "there is no repository", http.StatusConflict)
		return
	}
	if err := writePack(filepath.Join(common, "objects", "pack"), name, req.Body, req.ContentLength); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

func writePack(dir, name string, body io.Reader, size int64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "tmp_pack_") // a name that git's gc removes when it is left behind
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(writerOnly{f}, body, make([]byte, copyBuffer))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	err = errors.Join(err, f.Chmod(0o444), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// writerOnly hides ReadFrom, which would bring a smaller buffer of its own.
type writerOnly struct{ io.Writer }

// SendPack sends a pack or an index, of size bytes, to the agent. The client should write in large pieces.
func SendPack(ctx context.Context, client *http.Client, baseURL, name string, size int64, content io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, baseURL+packsPath+name, struct{ io.Reader }{content})
	if err != nil {
		return fmt.Errorf("send pack: %w", err)
	}
	req.ContentLength = size
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("send pack: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNoContent {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxName)) // why not: from the container, for the log
	return errors.Join(fmt.Errorf("send pack: answer %d: %.200q", res.StatusCode, text), err)
}

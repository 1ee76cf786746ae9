package container

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxConfig bounds the docker command's files that are read.
const maxConfig = 1 << 20

// dockerConfigDir is where the docker command keeps its configuration, or "".
func dockerConfigDir(getenv func(string) string) string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	if home := homeDir(getenv); home != "" {
		return filepath.Join(home, ".docker")
	}
	return ""
}

// currentContext is the name of the docker context in use, "" for the default one. A configuration that cannot be
// read counts as none, as it does for the docker command.
func currentContext(dir string, getenv func(string) string) string {
	name := getenv("DOCKER_CONTEXT")
	if name == "" {
		var config struct {
			CurrentContext string `json:"currentContext"`
		}
		if data, err := readBounded(filepath.Join(dir, "config.json"), maxConfig); err == nil {
			_ = json.Unmarshal(data, &config) // half a configuration is as good as none
		}
		name = config.CurrentContext
	}
	if name == "default" {
		return ""
	}
	return name
}

// contextEndpoint reads a context as `docker context create` stores it: under the SHA-256 of its name.
func contextEndpoint(dir, name string) (endpoint, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	origin := fmt.Sprintf("docker context %q", name)
	data, err := readBounded(filepath.Join(dir, "contexts", "meta", id, "meta.json"), maxConfig)
	if err != nil {
		return endpoint{}, missingContext(origin, err)
	}
	meta, err := parseContextMeta(data)
	if err != nil {
		return endpoint{}, missingContext(origin, err)
	}
	config, err := contextTLS(filepath.Join(dir, "contexts", "tls", id, "docker"), meta.SkipTLSVerify)
	if err != nil {
		return endpoint{}, fmt.Errorf("read certificates of %s: %w", origin, err)
	}
	return newEndpoint(meta.Host, origin, config)
}

func missingContext(origin string, err error) error {
	return &NoEngineError{kind: ErrNoEngine, Tried: []Attempt{{Origin: origin, Err: fmt.Errorf("read context: %w", err)}}}
}

// contextTLS is nil where the context has no certificates.
func contextTLS(dir string, insecure bool) (*tls.Config, error) {
	if _, err := os.Stat(dir); err != nil {
		if insecure {
			return tlsFromDir(dir, true)
		}
		return nil, nil
	}
	return tlsFromDir(dir, insecure)
}

// contextMeta is the part of a context's meta.json that matters here.
type contextMeta struct {
	Host          string
	SkipTLSVerify bool
}

func parseContextMeta(data []byte) (contextMeta, error) {
	var file struct {
		Endpoints map[string]contextMeta
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return contextMeta{}, fmt.Errorf("parse meta.json: %w", err)
	}
	meta := file.Endpoints["docker"]
	if meta.Host == "" {
		return contextMeta{}, errors.New("meta.json has no docker endpoint")
	}
	return meta, nil
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: above %d bytes: %w", path, limit, ErrTooBig)
	}
	return data, nil
}

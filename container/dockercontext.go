package container

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
func currentContext(dir string, getenv func(string) string) (name, origin string) {
	name, origin = getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		origin = "docker context use"
		var config struct {
			CurrentContext string `json:"currentContext"`
		}
		if data, err := readBounded(filepath.Join(dir, "config.json"), maxConfig); err == nil {
			_ = json.Unmarshal(data, &config) // half a configuration is as good as none
		}
		name = config.CurrentContext
	}
	if name == "default" {
		name = ""
	}
	return name, origin
}

// contextEndpoint reads a context as `docker context create` stores it: under the SHA-256 of its name.
func contextEndpoint(dir, name, chosen string) (endpoint, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	origin := fmt.Sprintf("docker context %q", name)
	meta, err := readContextMeta(filepath.Join(dir, "contexts", "meta", id))
	if err == nil && meta.Host == "" {
		err = errors.New("it has no docker endpoint")
	}
	if err != nil {
		return endpoint{}, &ContextError{Name: name, Origin: chosen, Known: contextNames(dir), Err: err}
	}
	config, err := contextTLS(filepath.Join(dir, "contexts", "tls", id, "docker"), meta.SkipTLSVerify)
	if err != nil {
		return endpoint{}, fmt.Errorf("read certificates of %s: %w", origin, err)
	}
	return newEndpoint(meta.Host, origin, config)
}

// maxContexts bounds what is read to tell which contexts there are.
const maxContexts = 100

// contextNames lists the contexts that can be read, sorted, after the default one.
func contextNames(dir string) []string {
	dir = filepath.Join(dir, "contexts", "meta")
	names := []string{}
	if list, err := os.Open(dir); err == nil {
		ids, _ := list.Readdirnames(maxContexts) // what could be read is better than nothing
		list.Close()
		for _, id := range ids {
			if meta, err := readContextMeta(filepath.Join(dir, id)); err == nil && meta.Name != "" {
				names = append(names, printable(meta.Name))
			}
		}
	}
	slices.Sort(names)
	return append([]string{"default"}, names...)
}

func readContextMeta(dir string) (contextMeta, error) {
	data, err := readBounded(filepath.Join(dir, "meta.json"), maxConfig)
	if err != nil {
		return contextMeta{}, err
	}
	return parseContextMeta(data)
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
	Name          string
	Host          string // "" where it has no docker endpoint
	SkipTLSVerify bool
}

func parseContextMeta(data []byte) (contextMeta, error) {
	var file struct {
		Name      string
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return contextMeta{}, fmt.Errorf("parse meta.json: %w", err)
	}
	docker := file.Endpoints["docker"]
	return contextMeta{file.Name, docker.Host, docker.SkipTLSVerify}, nil
}

package jsonrpc

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/uri"
)

// maxFolders bounds the workspace folders that are remembered.
const maxFolders = 256

// workspaceFolders returns the paths of a list of WorkspaceFolder; what is not on this machine is left out.
func workspaceFolders(raw json.RawMessage) []string {
	var paths []string
	for _, folder := range decoded[[]json.RawMessage](raw) {
		if path, ok := localPath(decoded[string](member(folder, "uri"))); ok && len(paths) < maxFolders {
			paths = append(paths, path)
		}
	}
	return paths
}

// rootFolder is the folder of an older client: rootUri wins over rootPath.
func rootFolder(params json.RawMessage) []string {
	for _, name := range []string{"rootUri", "rootPath"} {
		if path, ok := localPath(decoded[string](member(params, name))); ok {
			return []string{path}
		}
	}
	return nil
}

// localPath returns the absolute path that a file URI or a path names.
func localPath(text string) (path string, ok bool) {
	if filepath.IsAbs(text) {
		return filepath.Clean(text), true
	}
	parsed, err := url.Parse(text)
	if err != nil || !strings.EqualFold(parsed.Scheme, "file") || parsed.Path == "" {
		return "", false
	}
	if parsed.Host != "" && parsed.Host != "localhost" {
		return "", false
	}
	return filepath.Clean(uri.File(parsed.Path).FsPath()), true
}

// changeFolders does workspace/didChangeWorkspaceFolders.
func (s *Server) changeFolders(event json.RawMessage) {
	added, removed := workspaceFolders(member(event, "added")), workspaceFolders(member(event, "removed"))
	s.mu.Lock()
	defer s.mu.Unlock()
	folders := slices.DeleteFunc(s.folders, func(path string) bool { return slices.Contains(removed, path) })
	for _, path := range added {
		if !slices.Contains(folders, path) && len(folders) < maxFolders {
			folders = append(folders, path)
		}
	}
	s.folders = folders
}

// folder returns the absolute path that a start is for: what was asked for, else the first folder of the workspace, else
// nothing, and then the backend decides.
func (s *Server) folder(wanted string) (string, error) {
	s.mu.Lock()
	var first string
	if len(s.folders) > 0 {
		first = s.folders[0]
	}
	s.mu.Unlock()
	if wanted == "" {
		return first, nil
	}
	if path, ok := localPath(wanted); ok {
		return path, nil
	}
	if strings.Contains(wanted, "://") || first == "" {
		return "", argumentError("the folder %q is not a path on this machine", clip(wanted, 200))
	}
	return filepath.Join(first, wanted), nil
}

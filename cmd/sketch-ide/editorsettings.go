package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/session"
)

// usersAlone are the settings that reach beyond the container: they name programs of this machine, what is handed over of it, where keys go, what may be
// spent, and bounds on what a session may take. Many editors merge a repository's files into what they send to a server (Emacs .dir-locals.el without a
// question, Zed, Helix, coc.nvim and others), which cannot be told apart here. So these count from an editor that declares that it keeps the two apart,
// as VS Code does by the scope "machine", and from the user's own file; never otherwise.
var usersAlone = []string{
	"browserUrl", "budget", "cpus", "envForward", "forwardAgent", "includeUncommitted", "maxForwards", "maxPack", "maxPackPerDay",
	"mcpServers", "memory", "model", "models", "mounts", "network", "pids", "sshConfig",
}

// reservedError names what was left out of an editor's settings.
type reservedError struct {
	names []string
	file  string
}

func (e *reservedError) Error() string {
	return fmt.Sprintf("%s in the editor's settings: left out, a repository's files could have set this", strings.Join(e.names, ", "))
}

// editorSettings are those of an editor's window over the user's own.
type editorSettings struct {
	session.Settings

	ask   bool    // whether the user may be asked about their SSH configuration
	wrong []error // what the user is to be told
}

// decodeEditor reads what an editor sends over the user's own file. A file that cannot be read starts no session: it may say that there is no network.
func (f *settingsFlag) decodeEditor(data json.RawMessage, usersOwn bool) editorSettings {
	merged, fileErr := f.read()
	if merged == nil {
		merged = map[string]json.RawMessage{}
	}
	sent := newSettings(data).values
	maps.DeleteFunc(sent, func(_ string, value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" })
	var left error
	if !usersOwn {
		left = f.withoutUsersAlone(sent)
	}
	maps.Copy(merged, sent)
	data, err := json.Marshal(merged)
	s := editorSettings{wrong: []error{fileErr, left, err}}
	s.Settings, err = decodeSettings(data)
	s.wrong = append(s.wrong, err)
	s.ask, err = decodeAsk(data)
	s.wrong = slices.DeleteFunc(append(s.wrong, err), func(err error) bool { return err == nil })
	s.Container.Err = errors.Join(fileErr, s.Container.Err)
	return s
}

// withoutUsersAlone takes out what the editor cannot vouch for, and names it.
func (f *settingsFlag) withoutUsersAlone(sent map[string]json.RawMessage) error {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		onlyTakes := name == "network" && string(bytes.TrimSpace(sent[name])) == `"none"`
		if slices.Contains(usersAlone, name) && !onlyTakes {
			names = append(names, name)
			delete(sent, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	file, err := f.path()
	if err != nil {
		file = "sketch-ide's settings.json"
	}
	return &reservedError{names, file}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/tailscale/hujson"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// maxSettings bounds the settings file, so that a mistyped name does not fill the memory.
const maxSettings = 1 << 20

// settingsFlag is --settings.
type settingsFlag struct{ file string }

func (f *settingsFlag) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "settings", "", "`file` with an editor's settings, JSON with comments (default: $XDG_CONFIG_HOME/sketch-ide/settings.json)")
}

// decode reads the user's settings for the terminal, with those that flags give over them.
//
// One that cannot be used ends the command. An editor's go on without it, which is what [explain] says of a [settingsError].
func (f *settingsFlag) decode(over json.RawMessage) (session.Settings, error) {
	settings, err := f.decodeAll(over)
	if err != nil {
		return settings, &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: err.Error(), Hint: "Nothing was started. Settings in the README lists them.", Err: err}
	}
	return settings, nil
}

func (f *settingsFlag) decodeAll(over json.RawMessage) (session.Settings, error) {
	merged, err := f.read()
	if err != nil {
		return session.Settings{}, err
	}
	var flags map[string]json.RawMessage
	if len(over) > 0 {
		if err := json.Unmarshal(over, &flags); err != nil {
			return session.Settings{}, fmt.Errorf("decode flags: %w", err)
		}
	}
	maps.Copy(merged, flags)
	data, err := json.Marshal(merged)
	if err != nil {
		return session.Settings{}, fmt.Errorf("encode settings: %w", err)
	}
	return decodeSettings(data)
}

// path is where the user's file is, or would be.
func (f *settingsFlag) path() (string, error) {
	if f.file != "" {
		return f.file, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder of settings: %w", err)
	}
	return filepath.Join(dir, "sketch-ide", "settings.json"), nil
}

// read returns the settings by name, whether they stand under "sketch" or bare; none where there is no file and none was named.
func (f *settingsFlag) read() (map[string]json.RawMessage, error) {
	named := f.file != ""
	path, err := f.path()
	if err != nil {
		return map[string]json.RawMessage{}, nil //nolint:nilerr // without a home directory there are no settings
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return map[string]json.RawMessage{}, nil
	case err != nil:
		return nil, &settingsError{fmt.Errorf("read settings: %w", err), true}
	case info.Size() > maxSettings:
		return nil, &settingsError{fmt.Errorf("read settings: %s has more than %d bytes", path, maxSettings), true}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &settingsError{fmt.Errorf("read settings: %w", err), true}
	}
	return decodeSettingsFile(path, data)
}

// decodeSettingsFile finds our settings, which stand under "sketch", under their names as VS Code writes them ("sketch.pids"), or bare. One that does not
// exist is refused: a misspelt budget or network would be one that does not hold. A file with names of VS Code's kind may be that of an editor, and
// what is bare and unknown in it somebody else's.
func decodeSettingsFile(path string, data []byte) (map[string]json.RawMessage, error) {
	plain, err := hujson.Standardize(data)
	if err != nil {
		return nil, &settingsError{fmt.Errorf("%s: %w", path, err), true}
	}
	values := map[string]json.RawMessage{}
	if err := json.Unmarshal(plain, &values); err != nil {
		return nil, &settingsError{fmt.Errorf("%s: want an object: %w", path, err), true}
	}
	if nested, ok := values["sketch"]; ok {
		values = map[string]json.RawMessage{}
		if err := json.Unmarshal(nested, &values); err != nil {
			return nil, &settingsError{fmt.Errorf("%s: sketch: want an object: %w", path, err), true}
		}
	}
	ours := map[string]json.RawMessage{}
	for name, value := range values {
		if bare, ok := strings.CutPrefix(name, "sketch."); ok {
			ours[bare] = value
		}
	}
	named := ours
	if len(named) == 0 {
		named = values
	}
	if unknown := unknownSettings(named); len(unknown) > 0 {
		return nil, &settingsError{fmt.Errorf("%s: there is no setting %s", path, joined(unknown)), true}
	}
	maps.Copy(values, ours)
	return values, nil
}

// forAll are the settings that are not the user's alone, and those that only an editor has a use for.
var forAll = []string{
	"autoForwardPorts", "baseImage", "coAuthor", "forwardPorts", "instructions", "notifications", "otherPortsAttributes", "portsAttributes",
	"autoStart", "serverPath", "trace", "trace.server",
}

func unknownSettings(values map[string]json.RawMessage) []string {
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(usersAlone, name) && !slices.Contains(forAll, name) && name != "$schema" {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

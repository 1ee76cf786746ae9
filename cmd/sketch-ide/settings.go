package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// baseImageEnv names the base image where neither a setting nor a flag does.
const baseImageEnv = "SKETCH_IDE_BASE_IMAGE"

// settingsError says which settings could not be understood.
type settingsError struct {
	err   error
	fatal bool // no session is made with them
}

func (e *settingsError) Error() string { return strings.ReplaceAll(e.err.Error(), "\n", "; ") }
func (e *settingsError) Unwrap() error { return e.err }

// decodeSettings reads the "sketch" section of an editor's settings. Keys that are not for the backend are left alone.
// The settings returned hold everything that could be understood; the error names each key that could not.
func decodeSettings(data json.RawMessage) (session.Settings, error) {
	d := newSettings(data)
	settings := session.Settings{
		BaseImage: cmp.Or(setting[string](d, "baseImage", "a string"), os.Getenv(baseImageEnv)),
		Container: d.container(),

		Pull: session.PullLimits{MaxPack: mebibytes(d, "maxPack"), MaxPackPerDay: mebibytes(d, "maxPackPerDay")},

		IncludeUncommitted: setting[bool](d, "includeUncommitted", "true or false"),
		ForwardAgent:       setting[bool](d, "forwardAgent", "true or false"),
	}
	settings.Models, settings.Agent = d.agent(data)
	forwards, err := tunnel.DecodeSettings(data)
	settings.Forwards = forwards
	if err := errors.Join(append(d.errs, err)...); err != nil {
		return settings, &settingsError{err: err}
	}
	return settings, nil
}

// mebibytes reads a limit of what pulls may bring, in bytes.
func mebibytes(d *settingsDecoder, name string) int64 {
	const most = 1 << 20 // a TiB
	size := setting[int64](d, name, "a number of MiB")
	if size < 0 || size > most {
		d.fail(name, "want a number of MiB from 1 to %d", most)
		return 0
	}
	return size << 20
}

// decodeAsk reads whether the user may be asked about their SSH configuration.
func decodeAsk(data json.RawMessage) (bool, error) {
	d := newSettings(data)
	switch word := setting[string](d, "sshConfig", "a string"); word {
	case "", "ask":
	case "never":
		return false, nil
	default:
		d.fail("sshConfig", "want %q or %q", "ask", "never")
	}
	if len(d.errs) > 0 {
		return true, &settingsError{err: d.errs[0]}
	}
	return true, nil
}

// settingsDecoder reads an object's values and collects what is wrong with them.
type settingsDecoder struct {
	values map[string]json.RawMessage
	errs   []error
}

func newSettings(data json.RawMessage) *settingsDecoder {
	d := &settingsDecoder{}
	if len(bytes.TrimSpace(data)) == 0 {
		return d
	}
	if err := json.Unmarshal(data, &d.values); err != nil {
		d.errs = append(d.errs, errors.New("settings: want an object"))
	}
	return d
}

func (d *settingsDecoder) fail(name, format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
}

// raw is a setting's value, nil where it is absent or null, which are the same.
func (d *settingsDecoder) raw(name string) json.RawMessage {
	if value := bytes.TrimSpace(d.values[name]); string(value) != "null" {
		return value
	}
	return nil
}

// setting is a setting of a plain type; zero where it is absent or wrong.
func setting[T any](d *settingsDecoder, name, want string) T {
	var value, zero T
	raw := d.raw(name)
	if raw == nil {
		return zero
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		d.fail(name, "want %s", want)
		return zero
	}
	return value
}

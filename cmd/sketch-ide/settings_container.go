package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/session"
)

// container reads what is said of the containers of sessions to come. One mistake in it and no session is started:
// "nome" must not be taken for a network.
func (d *settingsDecoder) container() session.ContainerSettings {
	before := len(d.errs)
	s := session.ContainerSettings{
		Mounts:     d.mounts("mounts"),
		EnvForward: d.envNames("envForward"),
		CPUs:       d.cpus("cpus"),
		Memory:     d.memory("memory"),
		PIDs:       d.pids("pids"),
		Network:    d.network("network"),
	}
	if wrong := d.errs[before:]; len(wrong) > 0 {
		s.Err = &settingsError{errors.Join(wrong...), true}
	}
	return s
}

func (d *settingsDecoder) mounts(name string) []devcontainer.Mount {
	raw := d.raw(name)
	if raw == nil {
		return nil
	}
	mounts, err := devcontainer.DecodeMounts(raw)
	if err != nil {
		d.fail(name, "%v", err)
	}
	return mounts
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,255}$`)

// maxVariables bounds the variables of the host that go into a container.
const maxVariables = 200

func (d *settingsDecoder) envNames(name string) []string {
	names := setting[[]string](d, name, "an array of names of environment variables")
	if len(names) > maxVariables {
		d.fail(name, "more than %d names", maxVariables)
		return nil
	}
	for _, n := range names {
		if !variableName.MatchString(n) {
			d.fail(name, "%.80q is not the name of a variable", n)
		}
	}
	return names
}

// maxCPUs is more than machines have; the engine says what it has.
const maxCPUs = 1 << 12

func (d *settingsDecoder) cpus(name string) float64 {
	cpus := setting[float64](d, name, "a number of processors, such as 1.5")
	if cpus < 0 || cpus > maxCPUs {
		d.fail(name, "want a number of processors, such as 1.5")
	}
	return cpus
}

const (
	minMemory = 64 << 20 // below it nothing starts
	maxMemory = 1 << 50
)

func (d *settingsDecoder) memory(name string) int64 {
	raw := d.raw(name)
	if raw == nil {
		return 0
	}
	const want = `want a size such as "4g" or "512m", or -1 for no limit`
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw) // a number of bytes
	}
	bytes, ok := parseSize(text)
	switch {
	case !ok || bytes > maxMemory:
		d.fail(name, want)
	case bytes > 0 && bytes < minMemory:
		d.fail(name, "%s is too little; %s", text, want)
	}
	return bytes
}

var sizePattern = regexp.MustCompile(`^(?i)([0-9]{1,15})\s*([kmgt]?)(i?b)?$`)

// parseSize reads a size as docker run -m takes it; negative is no limit.
func parseSize(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	if text == "-1" {
		return -1, true
	}
	m := sizePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := 10 * (1 + strings.Index("kmgt", strings.ToLower(m[2])))
	if m[2] == "" {
		shift = 0
	}
	if err != nil || n > maxMemory>>shift {
		return 0, false
	}
	return n << shift, true
}

// minPIDs is what the agent's own threads and a shell with a command take.
const minPIDs = 32

func (d *settingsDecoder) pids(name string) int64 {
	pids := setting[int64](d, name, "a whole number of processes")
	if pids > 0 && pids < minPIDs || pids < -1 || pids > 1<<22 {
		d.fail(name, "want a number of processes from %d on, or -1 for no limit", minPIDs)
	}
	return pids
}

func (d *settingsDecoder) network(name string) container.Network {
	network := container.Network(setting[string](d, name, `"bridge" or "none"`))
	switch network {
	case "", container.NetworkBridge, container.NetworkNone:
	default:
		d.fail(name, `want "bridge" or "none", got %.80q`, network)
	}
	return network
}

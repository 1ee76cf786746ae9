package devcontainer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// Mount is one of mounts, or workspaceMount. Source is a path of the host for a bind mount: whether it is granted is the caller's decision.
type Mount struct {
	Type     string // "bind", "volume" or "tmpfs"
	Source   string // empty for an anonymous volume or a tmpfs
	Target   string // inside; absolute or beginning with a variable
	ReadOnly bool
	Options  []string // others, as they were written: "consistency=cached"
}

// String is the mount as it may be written.
func (m Mount) String() string {
	s := "type=" + m.Type
	if m.Source != "" {
		s += ",source=" + m.Source
	}
	return s + ",target=" + m.Target
}

// DecodeMounts reads mounts as the key of that name has them, from settings of the user: an array of strings or objects. One that is wrong loses
// all, and the error says which.
func DecodeMounts(data []byte) ([]Mount, error) {
	v, text, err := parse("mounts", data)
	if err != nil {
		return nil, err
	}
	d := &decoder{file: "mounts", doc: text}
	mounts := d.mounts(v, "mounts")
	for _, err := range d.errs {
		if key, ok := errors.AsType[*KeyError](err); ok {
			return nil, fmt.Errorf("%s: %s", key.Key, key.Problem)
		}
	}
	return mounts, nil
}

func (d *decoder) mounts(v hujson.Value, key string) []Mount {
	if isNull(v) {
		return nil
	}
	if v.Value.Kind() != '[' {
		d.want(v, key, "an array of mounts")
		return nil
	}
	var all []Mount
	for i, e := range d.elements(v, key) {
		if m, ok := d.mount(e, fmt.Sprintf("%s[%d]", key, i)); ok {
			all = append(all, m)
		}
	}
	return all
}

func (d *decoder) mount(v hujson.Value, key string) (Mount, bool) {
	switch v.Value.Kind() {
	case '"':
		return d.mountText(v, key)
	case '{':
		return d.mountObject(v, key)
	}
	d.want(v, key, "a string or an object")
	return Mount{}, false
}

func (d *decoder) mountText(v hujson.Value, key string) (Mount, bool) {
	s, ok := d.text(v, key)
	if !ok {
		return Mount{}, false
	}
	m, err := parseMount(s)
	if err != nil {
		d.fail(v, key, "%v", err)
	}
	return m, err == nil
}

func (d *decoder) mountObject(v hujson.Value, key string) (Mount, bool) {
	var m Mount
	bad := false
	read := func(e member) string {
		s, ok := d.text(e.value, e.key)
		bad = bad || !ok && !isNull(e.value)
		return s
	}
	for _, e := range d.members(v, key) {
		switch e.name {
		case "type":
			m.Type = read(e)
		case "source":
			m.Source = read(e)
		case "target":
			m.Target = read(e)
		}
	}
	if bad {
		return Mount{}, false // said already, and half a mount is another mount
	}
	m, err := m.check()
	if err != nil {
		d.fail(v, key, "%v", err)
	}
	return m, err == nil
}

func (d *decoder) workspaceMount(v hujson.Value, key string) *Mount {
	if s, ok := d.text(v, key); !ok || s == "" { // "" is how the specification says none
		return nil
	}
	m, ok := d.mountText(v, key)
	if !ok {
		return nil
	}
	return &m
}

// parseMount reads what docker run --mount takes: "type=bind,source=/a,target=/b,readonly", fields with commas in double quotes.
func parseMount(s string) (Mount, error) {
	var m Mount
	if strings.ContainsAny(s, "\r\n") {
		return m, errors.New("want one line")
	}
	fields, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return m, errors.New(`want "type=…,source=…,target=…"`)
	}
	for _, field := range fields {
		name, value, hasValue := strings.Cut(field, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == "readonly" || name == "ro":
			if m.ReadOnly, err = strconv.ParseBool(value); err != nil && hasValue {
				return m, fmt.Errorf("%s: want true or false", name)
			}
			m.ReadOnly = m.ReadOnly || !hasValue
		case !hasValue:
			return m, fmt.Errorf("%.80q: want key=value", field)
		case name == "type":
			m.Type = strings.ToLower(value)
		case name == "source" || name == "src":
			m.Source = value
		case name == "target" || name == "destination" || name == "dst":
			m.Target = value
		default:
			m.Options = append(m.Options, field)
		}
	}
	return m.check()
}

// check completes a mount and says what is wrong with it.
func (m Mount) check() (Mount, error) {
	if m.Type == "" {
		m.Type = "volume" // as the engine's command line has it
	}
	switch {
	case m.Type != "bind" && m.Type != "volume" && m.Type != "tmpfs":
		return m, fmt.Errorf("type %.80q: want bind, volume or tmpfs", m.Type)
	case m.Target == "":
		return m, errors.New("want a target")
	case !absoluteInside(m.Target):
		return m, errors.New("target: want an absolute path")
	case m.Type == "bind" && m.Source == "":
		return m, errors.New("a bind mount wants a source")
	}
	return m, nil
}

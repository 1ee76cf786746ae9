package devcontainer

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// decode reads a document into c, which has the Path and the Root.
func decode(c Config, data []byte) (Config, error) {
	doc, text, err := parse(c.Path, data)
	if err != nil {
		return c, err
	}
	if doc.Value.Kind() != '{' {
		return c, &SyntaxError{position(c.Path, text, doc.StartOffset), "want an object, got " + kindOf(doc)}
	}
	d := &decoder{file: c.Path, doc: text}
	top := d.members(doc, "")
	for _, m := range top {
		d.set(&c, m)
	}
	c.Build = d.build(c, top)
	c.ports = portsOf(top)
	return c, d.err()
}

// set reads one key of the document. What of the build there is, new keys and legacy ones, is read together by build, and ports by portsOf.
func (d *decoder) set(c *Config, m member) {
	if d.setContainer(c, m) || d.setCommand(c, m) {
		return
	}
	switch m.name {
	case "name":
		c.Name, _ = d.text(m.value, m.key)
	case "image":
		c.Image, _ = d.text(m.value, m.key)
	case "dockerComposeFile":
		c.ComposeFiles = d.oneOrMore(m.value, m.key)
	case "features":
		for _, f := range d.members(m.value, m.key) {
			c.Features = append(c.Features, f.name)
		}
	case "appPort":
		c.AppPorts = d.appPorts(m.value, m.key)
	}
}

// setContainer reads a key that says how the container is to be, and reports whether it was one.
func (d *decoder) setContainer(c *Config, m member) bool {
	switch m.name {
	case "containerEnv":
		c.ContainerEnv = d.env(m.value, m.key)
	case "remoteEnv":
		c.RemoteEnv = d.remoteEnv(m.value, m.key)
	case "remoteUser":
		c.RemoteUser, _ = d.text(m.value, m.key)
	case "containerUser":
		c.ContainerUser, _ = d.text(m.value, m.key)
	case "mounts":
		c.Mounts = d.mounts(m.value, m.key)
	case "workspaceFolder":
		c.WorkspaceFolder = d.insidePath(m.value, m.key)
	case "workspaceMount":
		c.WorkspaceMount = d.workspaceMount(m.value, m.key)
	case "init":
		c.Init = d.boolean(m.value, m.key)
	case "privileged":
		c.Privileged = d.boolean(m.value, m.key)
	case "capAdd":
		c.CapAdd = d.texts(m.value, m.key)
	case "securityOpt":
		c.SecurityOpt = d.texts(m.value, m.key)
	case "runArgs":
		c.RunArgs = d.texts(m.value, m.key)
	default:
		return false
	}
	return true
}

// env reads an object of environment variables, or of build arguments.
func (d *decoder) env(v hujson.Value, key string) map[string]string {
	var env map[string]string
	for _, m := range d.members(v, key) {
		if value, ok := d.entry(m.value, m.key); ok && d.envName(m) {
			if env == nil {
				env = map[string]string{}
			}
			env[m.name] = value
		}
	}
	return env
}

func (d *decoder) remoteEnv(v hujson.Value, key string) map[string]*string {
	var env map[string]*string
	for _, m := range d.members(v, key) {
		var value *string
		if !isNull(m.value) {
			s, ok := d.entry(m.value, m.key)
			if !ok {
				continue
			}
			value = &s
		}
		if d.envName(m) {
			if env == nil {
				env = map[string]*string{}
			}
			env[m.name] = value
		}
	}
	return env
}

func (d *decoder) envName(m member) bool {
	if m.name == "" || strings.ContainsAny(m.name, "=\x00") {
		d.fail(m.value, m.key, "not the name of a variable")
		return false
	}
	return true
}

// insidePath reads an absolute path in the container.
func (d *decoder) insidePath(v hujson.Value, key string) string {
	s, ok := d.text(v, key)
	if !ok || s == "" {
		return ""
	}
	if !absoluteInside(s) {
		d.fail(v, key, "want an absolute path")
		return ""
	}
	return path.Clean(s)
}

// absoluteInside takes a variable at the beginning for an absolute path.
func absoluteInside(s string) bool { return path.IsAbs(s) || strings.HasPrefix(s, "${") }

// appPorts reads a port, what docker run -p takes, or an array of both.
func (d *decoder) appPorts(v hujson.Value, key string) []string {
	switch v.Value.Kind() {
	case 'n':
		return nil
	case '[':
		var all []string
		for i, e := range d.elements(v, key) {
			all = append(all, d.appPort(e, fmt.Sprintf("%s[%d]", key, i))...)
		}
		return all
	}
	return d.appPort(v, key)
}

func (d *decoder) appPort(v hujson.Value, key string) []string {
	switch v.Value.Kind() {
	case '0':
		text := v.Value.(hujson.Literal).String()
		if n, err := strconv.ParseUint(text, 10, 16); err != nil || n == 0 {
			d.fail(v, key, "%.80s is not a port (1 to 65535)", text)
			return nil
		}
		return []string{text}
	case '"':
		if s, ok := d.text(v, key); ok && s != "" {
			return []string{s}
		}
		return nil
	}
	d.want(v, key, "a port or a string")
	return nil
}

// portsOf packs the keys that are about ports into one object of plain JSON.
func portsOf(top []member) []byte {
	var o hujson.Object
	for _, m := range top {
		switch m.name {
		case "forwardPorts", "portsAttributes", "otherPortsAttributes":
			o.Members = append(o.Members, hujson.ObjectMember{Name: hujson.Value{Value: hujson.String(m.name)}, Value: m.value.Clone()})
		}
	}
	if len(o.Members) == 0 {
		return nil
	}
	v := hujson.Value{Value: &o}
	v.Minimize()
	return v.Pack()
}

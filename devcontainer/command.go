package devcontainer

import (
	"fmt"

	"github.com/tailscale/hujson"
)

// Command is one command of a lifecycle key. Several of one key, from an object, are meant to run at the same time. Either Shell or Args is set.
type Command struct {
	Name  string   // its key in the object, else empty
	Shell string   // a command line for a shell
	Args  []string // a program and its arguments, for no shell
}

// setCommand reads a lifecycle key, and reports whether it was one.
func (d *decoder) setCommand(c *Config, m member) bool {
	var commands *[]Command
	switch m.name {
	case "initializeCommand":
		commands = &c.InitializeCommand
	case "onCreateCommand":
		commands = &c.OnCreateCommand
	case "updateContentCommand":
		commands = &c.UpdateContentCommand
	case "postCreateCommand":
		commands = &c.PostCreateCommand
	case "postStartCommand":
		commands = &c.PostStartCommand
	case "postAttachCommand":
		commands = &c.PostAttachCommand
	default:
		return false
	}
	*commands = d.commands(m.value, m.key)
	return true
}

func (d *decoder) commands(v hujson.Value, key string) []Command {
	switch v.Value.Kind() {
	case 'n':
		return nil
	case '{':
		var all []Command
		for _, m := range d.members(v, key) {
			if isNull(m.value) {
				continue
			}
			all = append(all, d.command(m.value, m.key, m.name, "a string or an array of strings")...)
		}
		return all
	}
	return d.command(v, key, "", "a string, an array of strings or an object of those")
}

// command reads a string or an array. An empty one is no command; a wrong argument loses the whole, as the rest would be another command.
func (d *decoder) command(v hujson.Value, key, name, expected string) []Command {
	c := Command{Name: name}
	switch v.Value.Kind() {
	case '"':
		c.Shell, _ = d.text(v, key)
	case '[':
		elements := v.Value.(*hujson.Array).Elements
		if len(elements) > maxEntries {
			d.fail(elements[maxEntries], key, "more than %d arguments", maxEntries)
			return nil
		}
		for i, e := range elements {
			arg, ok := d.entry(e, fmt.Sprintf("%s[%d]", key, i))
			if !ok {
				return nil
			}
			c.Args = append(c.Args, arg)
		}
	default:
		d.want(v, key, expected)
	}
	if c.Shell == "" && len(c.Args) == 0 {
		return nil
	}
	return []Command{c}
}

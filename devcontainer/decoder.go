package devcontainer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

const (
	maxEntries = 1000 // of one object or array
	maxErrors  = 50
)

// decoder reads values and collects what could not be understood. Null always counts as not set.
type decoder struct {
	file string
	doc  []byte
	errs []error
	more int // errors beyond maxErrors
}

func (d *decoder) err() error {
	if d.more > 0 {
		return errors.Join(append(slices.Clip(d.errs), fmt.Errorf("%s: and %d more errors", d.file, d.more))...)
	}
	return errors.Join(d.errs...)
}

func (d *decoder) fail(v hujson.Value, key, format string, args ...any) {
	d.report(v, key, fmt.Sprintf(format, args...), nil)
}

func (d *decoder) report(v hujson.Value, key, problem string, err error) {
	if len(d.errs) == maxErrors {
		d.more++
		return
	}
	d.errs = append(d.errs, &KeyError{Position: position(d.file, d.doc, v.StartOffset), Key: key, Problem: problem, Err: err})
}

// want reports a value of another kind than expected.
func (d *decoder) want(v hujson.Value, key, expected string) {
	d.fail(v, key, "want %s, got %s", expected, kindOf(v))
}

func kindOf(v hujson.Value) string {
	switch v.Value.Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "nothing"
}

func isNull(v hujson.Value) bool { return v.Value.Kind() == 'n' }

// member is one entry of an object.
type member struct {
	name  string
	key   string // the path to it, for errors
	value hujson.Value
}

// members returns an object's entries in the order of the document. Of two with one name the last counts, as in JavaScript.
func (d *decoder) members(v hujson.Value, key string) []member {
	if isNull(v) {
		return nil
	}
	o, ok := v.Value.(*hujson.Object)
	if !ok {
		d.want(v, key, "an object")
		return nil
	}
	var all []member
	at := map[string]int{}
	for _, m := range o.Members {
		name := m.Name.Value.(hujson.Literal).String()
		entry := member{name: name, key: join(key, name), value: m.Value}
		if i, ok := at[name]; ok {
			d.fail(m.Name, entry.key, "set twice; this one counts")
			all[i] = entry
			continue
		}
		if len(all) == maxEntries {
			d.fail(m.Name, key, "more than %d entries; the rest is left out", maxEntries)
			break
		}
		at[name] = len(all)
		all = append(all, entry)
	}
	return all
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,79}$`)

// join adds a name to a path of keys.
func join(key, name string) string {
	switch {
	case !plainKey.MatchString(name):
		return fmt.Sprintf("%s[%.80q]", key, name)
	case key == "":
		return name
	}
	return key + "." + name
}

func (d *decoder) elements(v hujson.Value, key string) []hujson.Value {
	elements := v.Value.(*hujson.Array).Elements
	if len(elements) > maxEntries {
		d.fail(elements[maxEntries], key, "more than %d entries; the rest is left out", maxEntries)
		elements = elements[:maxEntries]
	}
	return elements
}

// text reads a string. No key's value can have a NUL byte: arguments, variables and paths cannot.
func (d *decoder) text(v hujson.Value, key string) (string, bool) {
	if isNull(v) {
		return "", false
	}
	return d.entry(v, key)
}

// entry reads a string where null is none.
func (d *decoder) entry(v hujson.Value, key string) (string, bool) {
	if v.Value.Kind() != '"' {
		d.want(v, key, "a string")
		return "", false
	}
	s := v.Value.(hujson.Literal).String()
	if strings.ContainsRune(s, 0) {
		d.fail(v, key, "has a NUL character")
		return "", false
	}
	return s, true
}

// texts reads an array of strings, leaving out what is none.
func (d *decoder) texts(v hujson.Value, key string) []string {
	if isNull(v) {
		return nil
	}
	if v.Value.Kind() != '[' {
		d.want(v, key, "an array of strings")
		return nil
	}
	var all []string
	for i, e := range d.elements(v, key) {
		if s, ok := d.entry(e, fmt.Sprintf("%s[%d]", key, i)); ok {
			all = append(all, s)
		}
	}
	return all
}

// oneOrMore reads a string or an array of them.
func (d *decoder) oneOrMore(v hujson.Value, key string) []string {
	switch v.Value.Kind() {
	case '"':
		if s, ok := d.text(v, key); ok {
			return []string{s}
		}
		return nil
	case '[', 'n':
		return d.texts(v, key)
	}
	d.want(v, key, "a string or an array of strings")
	return nil
}

func (d *decoder) boolean(v hujson.Value, key string) bool {
	switch v.Value.Kind() {
	case 't':
		return true
	case 'f', 'n':
		return false
	}
	d.want(v, key, "true or false")
	return false
}

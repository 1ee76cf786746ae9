package tunnel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of settings, which come from files of the repository.
const (
	maxSettingsEntries = 1000
	maxPattern         = 1000
	maxLabel           = 100
	maxForwardsLimit   = 1024
)

// DecodeSettings reads settings from a JSON object with the keys forwardPorts, portsAttributes, otherPortsAttributes,
// maxForwards and autoForwardPorts; others are not its business. It is lenient: the settings returned hold everything that could be
// understood, and the error, of one errors.Join, names each key that could not and says why.
func DecodeSettings(data json.RawMessage) (Settings, error) {
	var s Settings
	d := settingsDecoder{}
	if len(bytes.TrimSpace(data)) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return s, fmt.Errorf("settings: not JSON: %w", err)
	}
	d.object("settings", data, func(key string, value json.RawMessage) {
		switch key {
		case "forwardPorts":
			s.ForwardPorts = d.forwardPorts(value)
		case "portsAttributes":
			s.PortsAttributes = d.portsAttributes(value)
		case "otherPortsAttributes":
			s.OtherPortsAttributes = d.attributes(key, value)
		case "maxForwards":
			s.MaxForwards = d.maxForwards(value)
		case "autoForwardPorts":
			s.AutoForwardPorts = d.boolean(key, value)
		}
	})
	return s, errors.Join(d.errs...)
}

// settingsDecoder collects what could not be understood.
type settingsDecoder struct {
	errs []error
}

func (d *settingsDecoder) fail(key, format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
}

// object calls each with the entries of a JSON object, in the order of the document. Null counts as empty.
func (d *settingsDecoder) object(path string, data json.RawMessage, each func(key string, value json.RawMessage)) {
	dec := json.NewDecoder(bytes.NewReader(data))
	// An error cannot be: the whole document is known to be JSON. Were there one, it would leave nil.
	switch t, _ := dec.Token(); t {
	case nil:
		return
	case json.Delim('{'):
	default:
		d.fail(path, "want an object")
		return
	}
	keys, values := d.entries(path, dec)
	for _, key := range keys {
		each(key, values[key])
	}
}

// entries reads the inside of an object. Of two entries with one name the last counts, as in JavaScript.
func (d *settingsDecoder) entries(path string, dec *json.Decoder) (keys []string, values map[string]json.RawMessage) {
	values = map[string]json.RawMessage{}
	for dec.More() {
		var value json.RawMessage
		t, err := dec.Token()
		key, isKey := t.(string)
		if err != nil || !isKey || dec.Decode(&value) != nil {
			d.fail(path, "not JSON") // see object
			break
		}
		if _, twice := values[key]; twice {
			d.fail(path, "%.80q is set twice; the last one counts", key)
		} else if keys = append(keys, key); len(keys) > maxSettingsEntries {
			d.fail(path, "more than %d entries; the rest is left out", maxSettingsEntries)
			return keys[:maxSettingsEntries], values
		}
		values[key] = value
	}
	return keys, values
}

func (d *settingsDecoder) forwardPorts(data json.RawMessage) []Target {
	var entries []json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		d.fail("forwardPorts", "want an array of ports")
		return nil
	}
	if len(entries) > maxSettingsEntries {
		d.fail("forwardPorts", "more than %d entries; the rest is left out", maxSettingsEntries)
		entries = entries[:maxSettingsEntries]
	}
	var targets []Target
	seen := map[uint16]int{}
	for i, entry := range entries {
		path := fmt.Sprintf("forwardPorts[%d]", i)
		t, err := parseTarget(entry)
		if err != nil {
			d.fail(path, "%v", err)
			continue
		}
		if first, ok := seen[t.Port]; ok {
			if targets[first] != t {
				d.fail(path, "port %d is forwarded already", t.Port)
			}
			continue
		}
		seen[t.Port] = len(targets)
		targets = append(targets, t)
	}
	return targets
}

// parseTarget reads 3000, "3000" or "db:5432".
func parseTarget(data json.RawMessage) (Target, error) {
	var number float64
	if json.Unmarshal(data, &number) == nil && string(data) != "null" {
		if number != float64(uint16(number)) || number == 0 {
			return Target{}, fmt.Errorf("%s is not a port (1 to 65535)", data)
		}
		return Target{Port: uint16(number)}, nil
	}
	var text string
	if json.Unmarshal(data, &text) != nil || text == "" {
		return Target{}, errors.New(`want a port or "host:port"`)
	}
	if port, err := parsePort(text); err == nil {
		return Target{Port: port}, nil
	}
	return parseHostPort(text)
}

// parseHostPort reads "db:5432". The names of the container itself are no host.
func parseHostPort(text string) (Target, error) {
	host, service, err := net.SplitHostPort(text)
	if err != nil || host == "" || len(host) > 253 || strings.ContainsAny(host, " /\\\x00") {
		return Target{}, fmt.Errorf(`%.80q is not a port or "host:port"`, text)
	}
	port, err := parsePort(service)
	if err != nil {
		return Target{}, err
	}
	switch host {
	case "localhost", "127.0.0.1", "0.0.0.0", "::", "::1":
		host = ""
	}
	return Target{Host: host, Port: port}, nil
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%.80q is not a port (1 to 65535)", text)
	}
	return uint16(n), nil
}

func (d *settingsDecoder) portsAttributes(data json.RawMessage) []PortAttributes {
	var all []PortAttributes
	d.object("portsAttributes", data, func(key string, value json.RawMessage) {
		path := fmt.Sprintf("portsAttributes[%.80q]", key)
		p, err := parseSelector(key)
		if err != nil {
			d.fail(path, "%v", err)
			return
		}
		p.Attributes = d.attributes(path, value)
		all = append(all, p)
	})
	return all
}

var (
	portKey     = regexp.MustCompile(`^\d+$`)
	rangeKey    = regexp.MustCompile(`^(\d+)\s*-\s*(\d+)$`)
	hostPortKey = regexp.MustCompile(`^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):\d+$`)
	onlyNumbers = regexp.MustCompile(`^[\d\s,;:-]+$`) // of which no pattern on a command line is made, but mistakes are: "3000, 3001"
)

// parseSelector reads a key of portsAttributes. What is not a port, a range or "host:port" is a regular expression.
func parseSelector(key string) (PortAttributes, error) {
	p := PortAttributes{Key: key}
	var err error
	switch {
	case portKey.MatchString(key):
		p.From, err = parsePort(key)
		p.To = p.From
	case rangeKey.MatchString(key):
		m := rangeKey.FindStringSubmatch(key)
		var err2 error
		p.From, err = parsePort(m[1])
		p.To, err2 = parsePort(m[2])
		err = errors.Join(err, err2)
		if err == nil && p.From > p.To {
			err = errors.New("the range ends before it starts")
		}
	case hostPortKey.MatchString(key):
		var t Target
		t, err = parseHostPort(key)
		p.Host, p.From, p.To = t.Host, t.Port, t.Port
	case onlyNumbers.MatchString(key):
		err = errors.New(`want one port, a range as "3000-3010", or "host:port"`)
	case key == "" || len(key) > maxPattern:
		err = fmt.Errorf("a pattern has 1 to %d characters", maxPattern)
	default:
		if p.Command, err = regexp.Compile(key); err != nil {
			err = fmt.Errorf("not a port, a range, \"host:port\" or a regular expression: %w", err)
		}
	}
	return p, err
}

// attributes reads one set of attributes, leaving out what is wrong.
func (d *settingsDecoder) attributes(path string, data json.RawMessage) Attributes {
	var a Attributes
	d.object(path, data, func(key string, value json.RawMessage) {
		path := path + "." + key
		switch key {
		case "onAutoForward":
			a.OnAutoForward = Action(d.oneOf(path, value, string(Notify), string(OpenBrowser), string(OpenBrowserOnce), string(OpenPreview), string(Silent), string(Ignore)))
		case "protocol":
			a.Protocol = d.oneOf(path, value, "http", "https")
		case "label":
			a.Label = d.label(path, value)
		case "requireLocalPort":
			a.RequireLocalPort = d.boolean(path, value)
		case "elevateIfNeeded":
			a.ElevateIfNeeded = d.boolean(path, value)
		default:
			d.misspelt(path, key)
		}
	})
	return a
}

// misspelt tells of a key that only its capitals keep from being an attribute. Others are not our business: other programs have more.
func (d *settingsDecoder) misspelt(path, key string) {
	for _, known := range []string{"onAutoForward", "protocol", "label", "requireLocalPort", "elevateIfNeeded"} {
		if strings.EqualFold(key, known) {
			d.fail(path, "is written %s", known)
		}
	}
}

func (d *settingsDecoder) oneOf(path string, data json.RawMessage, values ...string) string {
	var text string
	if json.Unmarshal(data, &text) == nil {
		for _, v := range append(values, "") {
			if text == v {
				return v
			}
		}
	}
	d.fail(path, "want one of %s", strings.Join(values, ", "))
	return ""
}

func (d *settingsDecoder) label(path string, data json.RawMessage) string {
	var text string
	if json.Unmarshal(data, &text) != nil {
		d.fail(path, "want a string")
		return ""
	}
	text = strings.Map(func(r rune) rune {
		if visible(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, text)
	text = strings.Join(strings.Fields(text), " ") // it is shown in one line, among other text
	if runes := []rune(text); len(runes) > maxLabel {
		text = string(runes[:maxLabel])
	}
	return text
}

func (d *settingsDecoder) boolean(path string, data json.RawMessage) *bool {
	var b *bool
	if json.Unmarshal(data, &b) != nil {
		d.fail(path, "want true or false")
	}
	return b
}

func (d *settingsDecoder) maxForwards(data json.RawMessage) int {
	var n *int
	if json.Unmarshal(data, &n) != nil || n != nil && (*n < 1 || *n > maxForwardsLimit) {
		d.fail("maxForwards", "want a number from 1 to %d", maxForwardsLimit)
		return 0
	}
	if n == nil {
		return 0
	}
	return *n
}

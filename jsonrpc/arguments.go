package jsonrpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decodeArguments fills the struct that into points to from what an editor sent as a command's arguments. Editors differ:
// Neovim sends an empty table as [], Emacs sends null, Helix sends strings, keybindings send a bare number. So these all
// mean the same: [{"port":3000}], {"port":3000}, [3000], ["3000"], 3000. Bare values fill the fields that positional
// names, in order; null is as good as absent. A member without omitzero is required. An unknown one is refused, since a
// misspelt one would else be ignored without a word.
func decodeArguments(raw json.RawMessage, positional []string, into any) error {
	members, err := argumentMembers(raw, positional)
	if err != nil {
		return err
	}
	target := reflect.ValueOf(into).Elem()
	if err := refuseUnknown(members, target.Type()); err != nil {
		return err
	}
	for i := range target.NumField() {
		name, required := memberOf(target.Type().Field(i))
		value, present := members[name]
		if !present && required {
			return argumentError("the argument %q is missing", name)
		}
		if !present {
			continue
		}
		if err := setArgument(target.Field(i), name, value); err != nil {
			return err
		}
	}
	return nil
}

func argumentError(format string, args ...any) error {
	return &Error{Kind: KindArguments, Message: fmt.Sprintf(format, args...)}
}

// requestMembers stand beside the arguments where a command is sent as a request of its own (WorkDoneProgressParams and
// PartialResultParams of the LSP specification).
var requestMembers = []string{memberWorkDoneToken, "partialResultToken"}

const memberWorkDoneToken = "workDoneToken"

// refuseUnknown refuses members that the struct target does not have, and says which it has.
func refuseUnknown(members map[string]any, target reflect.Type) error {
	var known []string
	for field := range target.Fields() {
		name, _ := memberOf(field)
		known = append(known, name)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if slices.Contains(known, name) || slices.Contains(requestMembers, name) {
			continue
		}
		hint := "The command takes no arguments."
		if len(known) > 0 {
			hint = "The command takes " + strings.Join(known, ", ") + "."
		}
		return &Error{Kind: KindArguments, Message: fmt.Sprintf("the argument %q is unknown", clip(plainText(name), 80)), Hint: hint}
	}
	return nil
}

// memberOf returns the JSON name of a field of a wire type, and whether it is required.
func memberOf(field reflect.StructField) (name string, required bool) {
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name, !strings.Contains(options, "omitzero")
}

// argumentMembers brings every shape of arguments to one: members by name, without nulls.
func argumentMembers(raw json.RawMessage, positional []string) (map[string]any, error) {
	var value any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &value); err != nil {
			return nil, argumentError("the arguments are not JSON")
		}
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	members := make(map[string]any)
	for i, value := range list {
		object, isObject := value.(map[string]any)
		_, isEmptyList := value.([]any)
		switch {
		case isObject && i == 0:
			maps.Copy(members, object)
		case value == nil || isEmptyList:
		case i < len(positional):
			members[positional[i]] = value
		}
	}
	for name, value := range members {
		if value == nil {
			delete(members, name)
		}
	}
	return members, nil
}

func setArgument(field reflect.Value, name string, value any) error {
	switch field.Kind() {
	case reflect.String:
		text, ok := value.(string)
		if !ok {
			return argumentError("the argument %q must be a string", name)
		}
		field.SetString(text)
	case reflect.Bool:
		flag, ok := asBool(value)
		if !ok {
			return argumentError("the argument %q must be true or false", name)
		}
		field.SetBool(flag)
	case reflect.Int, reflect.Int64:
		return setNumber(field, name, value)
	case reflect.Slice:
		return setStructured(field, name, value)
	default:
		return fmt.Errorf("decode argument %q: unsupported kind %v", name, field.Kind())
	}
	return nil
}

// setStructured takes a list of objects as it stands: no editor makes it from bare values.
func setStructured(field reflect.Value, name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return argumentError("the argument %q is not JSON", name)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(field.Addr().Interface()); err != nil {
		return argumentError("the argument %q is not valid: %v", name, err)
	}
	return nil
}

func setNumber(field reflect.Value, name string, value any) error {
	number, ok := asInt(value)
	isPort := slices.Contains([]string{"port", "hostPort"}, name)
	switch {
	case !ok && isPort:
		return argumentError("the argument %q must be a port number", name)
	case !ok:
		return argumentError("the argument %q must be a number", name)
	case isPort && (number < 1 || number > math.MaxUint16):
		return argumentError("the argument %q must be between 1 and 65535", name)
	case number < -1 || number > math.MaxInt32 && field.Kind() == reflect.Int:
		return argumentError("the argument %q is out of range", name)
	}
	field.SetInt(number)
	return nil
}

func asBool(value any) (flag, ok bool) {
	switch value := value.(type) {
	case bool:
		return value, true
	case string:
		flag, err := strconv.ParseBool(value)
		return flag, err == nil
	}
	return false, false
}

// asInt takes a number, its text, or the text of a port event ("tcp:127.0.0.1:3000").
func asInt(value any) (number int64, ok bool) {
	switch value := value.(type) {
	case float64:
		return int64(value), value == math.Trunc(value) && math.Abs(value) < 1<<53
	case string:
		number, err := strconv.ParseInt(value[strings.LastIndexByte(value, ':')+1:], 10, 64)
		return number, err == nil
	}
	return 0, false
}

package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
)

// Bounds of what goes in and comes out.
const (
	maxInput  = 8 << 20
	maxText   = 64 << 10
	maxDiff   = 256 << 10
	maxTitle  = 120
	maxImages = 8
)

// typed is a tool whose input is an In. Its schema comes from that type, so that what is documented, checked and read is one thing.
type typed[In any] struct {
	spec   Spec
	schema *jsonschema.Resolved
	title  func(In) string
	run    func(context.Context, Call, In) (Result, error)
}

// enums are the values of the string types that inputs have.
var enums = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[patchOp]():    enum("replace", "append", "prepend", "overwrite"),
	reflect.TypeFor[jobAction]():  enum("list", "read", "kill"),
	reflect.TypeFor[todoStatus](): enum("pending", "active", "done"),
}

func enum(values ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: values} }

// newTool makes a tool. A type that has no schema is a mistake that the first test finds.
func newTool[In any](name, description string, title func(In) string, run func(context.Context, Call, In) (Result, error)) Tool {
	schema, err := jsonschema.For[In](&jsonschema.ForOptions{TypeSchemas: enums})
	if err != nil {
		panic(fmt.Sprintf("input of tool %s: %v", name, err))
	}
	withoutNull(schema)
	resolved, err := schema.Resolve(nil)
	if err != nil {
		panic(fmt.Sprintf("input of tool %s: %v", name, err))
	}
	raw, err := json.Marshal(schema)
	if err != nil {
		panic(fmt.Sprintf("input of tool %s: %v", name, err))
	}
	return &typed[In]{Spec{name, description, raw}, resolved, title, run}
}

// withoutNull takes null out of the types of arrays, which Go's may be, and which not every model's server understands.
func withoutNull(s *jsonschema.Schema) {
	if rest := slices.DeleteFunc(slices.Clone(s.Types), func(name string) bool { return name == "null" }); len(rest) == 1 {
		s.Type, s.Types = rest[0], nil
	}
	for _, property := range s.Properties {
		withoutNull(property)
	}
	if s.Items != nil {
		withoutNull(s.Items)
	}
}

// Spec implements [Tool].
func (t *typed[In]) Spec() Spec { return t.spec }

// Title implements [Tool].
func (t *typed[In]) Title(input json.RawMessage) string {
	var in In
	if json.Unmarshal(input, &in) != nil {
		return t.spec.Name
	}
	return oneLine(t.title(in), t.spec.Name)
}

// oneLine makes a title of a text.
func oneLine(text, otherwise string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text[:min(len(text), 4*maxTitle)], "")), " ")
	if utf8.RuneCountInString(text) > maxTitle {
		text = string([]rune(text)[:maxTitle-1]) + "…"
	}
	if text == "" {
		return otherwise
	}
	return text
}

// Run implements [Tool].
func (t *typed[In]) Run(ctx context.Context, call Call) (Result, error) {
	in, err := t.parse(call.Input)
	if err != nil {
		return failed(fmt.Sprintf("Nothing was done: the input does not fit the schema of %s: %v.", t.spec.Name, err)), nil
	}
	return t.run(ctx, call, in)
}

// parse checks an input. Models write no input at all where none is required.
func (t *typed[In]) parse(input json.RawMessage) (in In, err error) {
	if len(input) > maxInput {
		return in, fmt.Errorf("it has more than %d MiB", maxInput>>20)
	}
	if text := string(bytes.TrimSpace(input)); text == "" || text == "null" {
		input = json.RawMessage("{}")
	}
	var value any
	if err := json.Unmarshal(input, &value); err != nil {
		return in, fmt.Errorf("it is no JSON: %w", err)
	}
	if err := t.schema.Validate(value); err != nil {
		return in, simplify(err)
	}
	return in, json.Unmarshal(input, &in)
}

// maxReason bounds a complaint: it may quote the input.
const maxReason = 400

// simplify keeps of a complaint where it is about and what is wrong, which is all that a model needs.
func simplify(err error) error {
	text, where := err.Error(), ""
	for {
		rest, ok := strings.CutPrefix(text, "validating ")
		path, reason, found := strings.Cut(rest, ": ")
		if !ok || !found {
			break
		}
		text = reason
		if path != "root" {
			where = strings.NewReplacer("/properties/", ".", "/items", "[]").Replace(path)
		}
	}
	if where = strings.TrimPrefix(where, "."); where != "" {
		text = where + ": " + text
	}
	return fmt.Errorf("%s", bound(strings.TrimSuffix(text, "."), maxReason))
}

// bounded is a tool whose results keep the bounds, and whose panics end nothing but their call.
type bounded struct {
	Tool
	log func(tool string, panicked any)
}

// Run implements [Tool].
func (b bounded) Run(ctx context.Context, call Call) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.log(b.Spec().Name, p)
			result, err = failed(fmt.Sprintf("The tool %s failed by a fault of its own. Do it in another way.", b.Spec().Name)), nil
		}
	}()
	if call.Output == nil {
		call.Output = func(string) {}
	}
	result, err = b.Tool.Run(ctx, call)
	result.Text = bound(result.Text, maxText)
	if len(result.Diff) > maxDiff {
		result.Diff = whole(result.Diff[:maxDiff]) + "\n[cut]\n"
	}
	result.Images = result.Images[:min(len(result.Images), maxImages)]
	return result, err
}

// bound takes out the middle of a long text, and makes it valid UTF-8.
func bound(text string, limit int) string {
	if len(text) <= limit && utf8.ValidString(text) {
		return text
	}
	if len(text) > limit {
		half := limit/2 - 64
		text = fmt.Sprintf("%s\n[… %d bytes left out …]\n%s", whole(text[:half]), len(text)-2*half, text[len(text)-half:])
	}
	return bound(strings.ToValidUTF8(text, "?"), limit) // a longer replacement would need room
}

// whole cuts a text back to whole lines, if it has any.
func whole(text string) string {
	if i := strings.LastIndexByte(text, '\n'); i > len(text)/2 {
		return text[:i]
	}
	return text
}

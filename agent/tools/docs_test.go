package tools

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/sketch-ide/sketch-ide/ports"
)

var update = flag.Bool("update", false, "write docs/tools.md")

// TestDocs keeps docs/tools.md equal to what models are told.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := newSet(t, func(cfg *Config) {
		cfg.Ask = func(context.Context, string, []string) (string, error) { return "", nil }
		cfg.Ports = func(context.Context) (ports.Snapshot, error) { return ports.Snapshot{}, nil }
	})
	want := reference(t, s.Tools(t.Context()))
	const path = "../../docs/tools.md"
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/tools.md is stale; run `go generate ./agent/tools` (-file +source):\n%s", diff)
	}
}

const intro = `# The agent's tools

<!-- Generated from agent/tools by "go generate ./agent/tools". -->

What the agent can do inside its container, as models are told. Inputs are JSON objects that are checked against the schema; what does not fit
is answered with what is wrong, and nothing is done. A result has at most 64 KiB of text; images are scaled to at most 1568 pixels. Nothing is
forbidden: the container is the fence.

Tools of the MCP servers in the setting ` + "`sketch.mcpServers`" + ` come after these, named ` + "`<server>_<tool>`" + `. They run in the container, or are reached from there by HTTP; values in
` + "`env` and `headers` may have `${NAME}`" + `, which is taken from the container's environment. What they write to standard error is in the agent's log.

The browser is a Chromium that the image brings (it may be installed later, too), without a sandbox of its own, or one at the DevTools address in
` + "`sketch.browserUrl`" + `. ripgrep and gopls are used where they are installed; without ripgrep an own search does the same, slower.

The agent reads these files of the repository before it begins: ` + "`%s`" + `.
Those of a folder below (` + "`%s`" + `) it is given once, when it first reads or changes a file there, outer folders first, at most 12 KiB at a time and 32 files;
none of ` + "`%s`" + `.
`

// reference writes the page.
func reference(t *testing.T, tools []Tool) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, intro, strings.Join(guidanceFiles, "`, `"), strings.Join(nestedFiles, "`, `"), strings.Join(foreign, "`, `"))
	for _, tool := range tools {
		spec := tool.Spec()
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", spec.Name, plainText(spec.Description))
		var schema jsonschema.Schema
		if err := json.Unmarshal(spec.Schema, &schema); err != nil {
			t.Fatal(err)
		}
		if len(schema.Properties) == 0 {
			continue
		}
		b.WriteString("\n| input | type | |\n|---|---|---|\n")
		fields(t, &b, "", &schema)
	}
	return b.String()
}

// fields writes a row for each property, those of nested objects after them.
func fields(t *testing.T, b *strings.Builder, prefix string, schema *jsonschema.Schema) {
	t.Helper()
	required := make(map[string]bool)
	for _, name := range schema.Required {
		required[name] = true
	}
	names := slices.Sorted(maps.Keys(schema.Properties))
	slices.SortStableFunc(names, func(a, b string) int { return compareBool(required[b], required[a]) }) // what has to be there first
	for _, name := range names {
		property := schema.Properties[name]
		if property.Description == "" {
			t.Errorf("%s%s has no description", prefix, name)
		}
		text := property.Description
		if !required[name] {
			text = "Optional. " + text
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, name, typeName(property), plainText(text))
		if property.Items != nil && property.Items.Properties != nil {
			fields(t, b, prefix+name+"[].", property.Items)
		}
	}
}

// plainText is what Markdown shows as it is.
func plainText(text string) string {
	return strings.NewReplacer("*", `\*`, "|", `\|`, "<", "&lt;").Replace(text)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func typeName(s *jsonschema.Schema) string {
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(values, ", ")
	}
	if s.Type == "array" && s.Items != nil {
		return "array of " + typeName(s.Items)
	}
	return s.Type
}

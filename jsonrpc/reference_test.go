package jsonrpc

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
)

// referenceIntro is the part of docs/protocol.md that no table knows.
//
//go:embed testdata/reference.md
var referenceIntro string

// reference renders docs/protocol.md.
func reference(t *testing.T, doc *wireDoc) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("<!-- Generated from jsonrpc/wire.go, commands.go, methods.go and testdata/reference.md by `go generate ./jsonrpc`. -->\n\n")
	b.WriteString(referenceIntro)
	writeMethods(&b, "Messages that the server understands", received())
	writeMethods(&b, "Messages that the server sends", sent())
	writeCommandReference(t, &b)
	writeNotificationReference(t, &b)
	writeErrorReference(&b)
	b.WriteString("\n## Types\n\nTimes are RFC 3339. A member marked with `?` may be absent.\n")
	for _, wire := range doc.types {
		writeTypeReference(&b, wire)
	}
	return b.String()
}

func writeMethods(b *strings.Builder, title string, methods []method) {
	fmt.Fprintf(b, "\n## %s\n\n| Method | What it does |\n|---|---|\n", title)
	for _, m := range methods {
		fmt.Fprintf(b, "| `%s` | %s |\n", m.name, m.doc)
	}
}

func writeCommandReference(t *testing.T, b *strings.Builder) {
	t.Helper()
	b.WriteString("\n## Commands\n")
	for _, c := range commands() {
		fmt.Fprintf(b, "\n### %s\n\n%s Argument: %s. Result: %s.\n", c.name, c.doc, linkTo(c.params.Name(), "none"), linkTo(c.result.Name(), "`null`"))
		if len(c.positional) > 0 {
			fmt.Fprintf(b, "Bare arguments: `%s`.\n", strings.Join(c.positional, "`, `"))
		}
		sample, ok := examples()[c.name]
		if !ok {
			t.Errorf("%s has no example", c.name)
		}
		request := executeCommand{Command: c.name}
		if sample.params != nil {
			request.Arguments = []any{sample.params}
		}
		fmt.Fprintf(b, "\n```json\n%s\n```\n", pretty(t, request))
		if sample.result != nil {
			fmt.Fprintf(b, "\n```json\n%s\n```\n", pretty(t, sample.result))
		}
	}
}

func writeNotificationReference(t *testing.T, b *strings.Builder) {
	t.Helper()
	b.WriteString("\n## Notifications to clients that declare `experimental.sketch`\n")
	for _, n := range notifications() {
		fmt.Fprintf(b, "\n### %s\n\n%s Params: %s.\n", n.name, n.doc, linkTo(n.params.Name(), ""))
		fmt.Fprintf(b, "\n```json\n%s\n```\n", pretty(t, examples()[n.name].params))
	}
}

func writeErrorReference(b *strings.Builder) {
	b.WriteString("\n## Errors\n\nAn error has a `code` that never changes its meaning, a `message` of one line, and `data` of type " +
		"[ErrorData](#errordata).\n\n| Kind | Code | Meaning |\n|---|---|---|\n")
	for _, k := range Kinds() {
		fmt.Fprintf(b, "| `%s` | %d | %s |\n", k.Kind, k.Code, k.Doc)
	}
}

func writeTypeReference(b *strings.Builder, wire *wireType) {
	if wire.name == "Kind" {
		return // the table of errors
	}
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n", wire.name, wire.doc)
	if wire.fields == nil {
		b.WriteString("| Value | Meaning |\n|---|---|\n")
		for _, v := range wire.values {
			fmt.Fprintf(b, "| `%q` | %s |\n", v.name, v.doc)
		}
		return
	}
	b.WriteString("| Member | Type | Meaning |\n|---|---|---|\n")
	for _, f := range wire.fields {
		name := f.name
		if f.optional {
			name += "?"
		}
		fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", name, typescriptType(f.goType), f.doc)
	}
}

func linkTo(goName, none string) string {
	if goName == "nothing" {
		return none
	}
	return fmt.Sprintf("[%s](#%s)", goName, strings.ToLower(goName))
}

func pretty(t *testing.T, v any) string {
	t.Helper()
	compact, err := protocol.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

type executeCommand struct {
	Command   string `json:"command"`
	Arguments []any  `json:"arguments,omitzero"`
}

package jsonrpc

import (
	"fmt"
	"strings"
	"unicode"
)

// typescript renders the mirror of the protocol for the VS Code extension.
func typescript(doc *wireDoc) string {
	var b strings.Builder
	b.WriteString("// Code generated from jsonrpc/wire.go and jsonrpc/commands.go by `go generate ./jsonrpc`. DO NOT EDIT.\n\n")
	fmt.Fprintf(&b, "/** Version of the `experimental.sketch` extension that both sides declare. */\nexport const protocolVersion = %d;\n", ProtocolVersion)
	writeCommands(&b)
	writeNotifications(&b)
	writeErrorCodes(&b)
	for _, t := range doc.types {
		if t.fields == nil {
			writeUnion(&b, t)
		} else {
			writeInterface(&b, t)
		}
	}
	return b.String()
}

func writeCommands(b *strings.Builder) {
	b.WriteString("\n/** Commands of `workspace/executeCommand`. */\nexport const Command = {\n")
	for _, c := range commands() {
		fmt.Fprintf(b, "  /** %s */\n  %s: '%s',\n", c.doc, memberName(c.name), c.name)
	}
	b.WriteString("} as const;\n\nexport type CommandName = (typeof Command)[keyof typeof Command];\n")
	b.WriteString("\n/** What each command takes, as its only argument, and answers. */\nexport interface CommandMap {\n")
	for _, c := range commands() {
		fmt.Fprintf(b, "  '%s': { params: %s; result: %s };\n", c.name, paramsType(c.params.Name()), resultType(c.result.Name()))
	}
	b.WriteString("}\n")
}

func writeNotifications(b *strings.Builder) {
	b.WriteString("\n/** Notifications to clients that declare `experimental.sketch`. */\nexport const Notification = {\n")
	for _, n := range notifications() {
		fmt.Fprintf(b, "  /** %s */\n  %s: '%s',\n", n.doc, memberName(n.name), n.name)
	}
	b.WriteString("} as const;\n\nexport type NotificationName = (typeof Notification)[keyof typeof Notification];\n")
	b.WriteString("\n/** What each notification carries. */\nexport interface NotificationMap {\n")
	for _, n := range notifications() {
		fmt.Fprintf(b, "  '%s': %s;\n", n.name, n.params.Name())
	}
	b.WriteString("}\n")
}

func writeErrorCodes(b *strings.Builder) {
	b.WriteString("\n/** The `code` of an error, by its kind. Codes never change their meaning. */\nexport const ErrorCode = {\n")
	for _, k := range Kinds() {
		fmt.Fprintf(b, "  /** %s */\n  %s: %d,\n", sentence(k.Doc), k.Kind, k.Code)
	}
	b.WriteString("} as const satisfies Record<Kind, number>;\n")
}

func writeUnion(b *strings.Builder, t *wireType) {
	fmt.Fprintf(b, "\n/** %s */\nexport type %s =", t.doc, t.name)
	for i, v := range t.values {
		fmt.Fprintf(b, "\n  | '%s'", v.name)
		if i == len(t.values)-1 {
			b.WriteByte(';')
		}
		if v.doc != "" {
			b.WriteString(" // " + v.doc)
		}
	}
	b.WriteByte('\n')
}

func writeInterface(b *strings.Builder, t *wireType) {
	fmt.Fprintf(b, "\n/** %s */\nexport interface %s {\n", t.doc, t.name)
	for _, f := range t.fields {
		mark := ""
		if f.optional {
			mark = "?"
		}
		fmt.Fprintf(b, "  /** %s */\n  %s%s: %s;\n", sentence(f.doc), f.name, mark, typescriptType(f.goType))
	}
	b.WriteString("}\n")
}

func typescriptType(goType string) string {
	if element, ok := strings.CutPrefix(goType, "[]"); ok {
		return typescriptType(element) + "[]"
	}
	switch goType {
	case "int", "int64", "uint64", "float64":
		return "number"
	case "bool":
		return "boolean"
	case "time.Time":
		return "string"
	case "json.RawMessage":
		return "unknown"
	}
	return goType // string, and the names of wire types
}

func paramsType(goName string) string {
	if goName == "nothing" {
		return "undefined"
	}
	return goName
}

func resultType(goName string) string {
	if goName == "nothing" {
		return "null"
	}
	return goName
}

// memberName is the part of a name after its last separator: openPort of sketch.openPort.
func memberName(name string) string { return name[strings.LastIndexAny(name, "./")+1:] }

func sentence(text string) string {
	if text == "" {
		return text
	}
	runes := []rune(text)
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes) + "."
}

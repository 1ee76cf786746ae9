package jsonrpc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// wireDoc is what the generators know about the types in wire*.go and the kinds in error.go: taken from the source, so
// that the comments come along.
type wireDoc struct {
	types []*wireType // in the order of the source
}

type wireType struct {
	name, doc string
	fields    []wireField // of a struct
	values    []wireField // of an enumeration of strings
}

type wireField struct {
	name, doc string // name on the wire, or the value of an enumeration's constant
	goType    string
	optional  bool
}

func (d *wireDoc) find(name string) *wireType {
	for _, t := range d.types {
		if t.name == name {
			return t
		}
	}
	return nil
}

func parseWire(t *testing.T) *wireDoc {
	t.Helper()
	doc := &wireDoc{}
	for _, name := range []string{"wire.go", "wire_branch.go", "wire_agent.go", "error.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if general, ok := decl.(*ast.GenDecl); ok {
				doc.add(general, name == "error.go")
			}
		}
	}
	return doc
}

// add takes one declaration; of error.go only the enumeration of kinds is on the wire.
func (d *wireDoc) add(decl *ast.GenDecl, onlyKinds bool) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if !onlyKinds || spec.Name.Name == "Kind" {
				d.types = append(d.types, newWireType(spec, decl.Doc))
			}
		case *ast.ValueSpec:
			d.addConstant(spec)
		}
	}
}

func newWireType(spec *ast.TypeSpec, doc *ast.CommentGroup) *wireType {
	t := &wireType{name: spec.Name.Name, doc: oneLine(doc.Text())}
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return t
	}
	for _, field := range structure.Fields.List {
		tag, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			panic(err)
		}
		name, options, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(tag, `json:"`), `"`), ",")
		t.fields = append(t.fields, wireField{
			name: name, doc: oneLine(field.Comment.Text()),
			goType: typeText(field.Type), optional: options == "omitzero",
		})
	}
	return t
}

func (d *wireDoc) addConstant(spec *ast.ValueSpec) {
	name, ok := spec.Type.(*ast.Ident)
	if !ok {
		return
	}
	t := d.find(name.Name)
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if t == nil || !ok {
		return
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		panic(err)
	}
	t.values = append(t.values, wireField{name: value, doc: oneLine(spec.Comment.Text())})
}

func typeText(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.StarExpr:
		return typeText(expr.X)
	case *ast.ArrayType:
		return "[]" + typeText(expr.Elt)
	case *ast.SelectorExpr:
		return typeText(expr.X) + "." + expr.Sel.Name
	}
	panic("unsupported type in wire.go")
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

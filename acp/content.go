package acp

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// message makes a message of what the editor sends. Files that the user mentions are brought along by their names in the repository, and by their text
// where the editor sends that.
func (x *session) message(blocks []contentBlock) (jsonrpc.PromptParams, error) {
	x.mu.Lock()
	message := jsonrpc.PromptParams{Session: x.name, Model: x.model}
	x.mu.Unlock()
	var text strings.Builder
	for _, block := range blocks {
		switch {
		case block.Type == "text":
			text.WriteString(block.Text)
		case block.Type == "image":
			message.Images = append(message.Images, jsonrpc.Image{MIMEType: block.MIMEType, Data: block.Data})
		case block.Type == "resource_link":
			x.link(&message, &text, block)
		case block.Type == "resource" && block.Resource != nil:
			if err := x.embed(&message, &text, *block.Resource); err != nil {
				return message, err
			}
		default:
			return message, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "content of the type %.40q is not taken", block.Type)
		}
	}
	message.Text = text.String()
	if strings.TrimSpace(message.Text) == "" && len(message.Images) == 0 && len(message.Context) == 0 {
		return message, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the prompt is empty")
	}
	return message, nil
}

// link mentions a file in the text. Only a name that is one word can be mentioned so; the others, and lines of a file, come along beside it.
func (x *session) link(message *jsonrpc.PromptParams, text *strings.Builder, block contentBlock) {
	file, ok := x.inRepository(block.URI)
	if !ok {
		text.WriteString(block.Name + " (" + block.URI + ")")
		return
	}
	if file.StartLine > 0 || strings.ContainsAny(file.Path, " \t\n\"'`") {
		message.Context = append(message.Context, file)
		text.WriteString(file.Path)
		return
	}
	if said := text.String(); said != "" && !strings.ContainsAny(said[len(said)-1:], " \t\n(\"'`") {
		text.WriteString(" ") // a mention begins a word
	}
	text.WriteString("@" + file.Path)
}

// embed takes what the editor sends of a file: its text, or a picture. Of other bytes the file's name is all that can be told.
func (x *session) embed(message *jsonrpc.PromptParams, text *strings.Builder, r resource) error {
	switch {
	case r.Blob == "":
		file, ok := x.inRepository(r.URI)
		if !ok {
			file.Path = r.URI
		}
		file.Text = r.Text
		message.Context = append(message.Context, file)
	case strings.HasPrefix(r.MIMEType, "image/"):
		message.Images = append(message.Images, jsonrpc.Image{MIMEType: r.MIMEType, Data: r.Blob})
	default:
		if _, ok := x.inRepository(r.URI); !ok {
			return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%.200q is neither text nor a picture, and not in the repository", r.URI)
		}
		x.link(message, text, contentBlock{URI: r.URI})
	}
	return nil
}

// lineRange is how editors name lines in a fragment: "L10", "L10:20", "L10-L20".
var lineRange = regexp.MustCompile(`^L([0-9]{1,9})(?:[:-]L?([0-9]{1,9}))?$`)

// inRepository is a file that the editor names by its URI, as it is called in the repository, and the lines of it that are meant.
func (x *session) inRepository(uri string) (file jsonrpc.PromptContext, ok bool) {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Scheme != "file" {
		return file, false
	}
	relative, err := filepath.Rel(x.folder, filepath.FromSlash(parsed.Path))
	if err != nil || !filepath.IsLocal(relative) {
		return file, false
	}
	file.Path = filepath.ToSlash(relative)
	if lines := lineRange.FindStringSubmatch(parsed.Fragment); lines != nil {
		first, _ := strconv.Atoi(lines[1]) // digits, and few
		last, err := strconv.Atoi(lines[2])
		if err != nil {
			last = first
		}
		if first > 0 && last >= first {
			file.StartLine, file.EndLine = first, last
		}
	}
	return file, true
}

package jsonrpc

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEditorStyle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		want NotificationStyle
	}{
		{"Visual Studio Code", NotifyActions},
		{"Visual Studio Code - Insiders", NotifyActions},
		{"VSCodium", NotifyActions},
		{"code-server", NotifyActions},
		{"Code - OSS", NotifyActions},
		{"Cursor", NotifyActions},
		{"Windsurf - Next", NotifyActions},
		{"Trae", NotifyActions},
		{"Positron", NotifyActions},
		{"Neovim", NotifyMessage},
		{"helix", NotifyMessage},
		{"Eglot", NotifyMessage},
		{"emacs", NotifyMessage},
		{"Sublime Text LSP", NotifyMessage},
		{"", NotifyMessage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := (&editor{name: tt.name}).style(); got != tt.want {
				t.Errorf("style() = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestDecodeEditor checks that a member that a client gets wrong costs that member only.
func TestDecodeEditor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, params string
		want         *editor
	}{
		{"nothing", ``, &editor{}},
		{"list", `[]`, &editor{}},
		{"wrong types", `{"processId":"x","clientInfo":"y","rootUri":7,"workspaceFolders":{},"capabilities":"z"}`, &editor{}},
		{"process", `{"processId":12,"clientInfo":[]}`, &editor{process: 12}},
		{"huge process", `{"processId":99999999999999999999}`, &editor{}},
		{"root path", `{"rootUri":null,"rootPath":"/a/b/"}`, &editor{folders: []string{"/a/b"}}},
		{"root URI wins", `{"rootUri":"file:///c","rootPath":"/a"}`, &editor{folders: []string{"/c"}}},
		{"folders win", `{"workspaceFolders":[{"uri":"file:///a%20b","name":"x"},{"uri":"file:///c"}],"rootUri":"file:///d"}`, &editor{folders: []string{"/a b", "/c"}}},
		{"folders elsewhere", `{"workspaceFolders":[{"uri":"vscode-vfs://github/x/y"},null,7],"rootUri":"file://server/share"}`, &editor{}},
		{"capabilities without their members", `{"capabilities":{"window":{"showMessage":{},"showDocument":{}},"experimental":{}}}`, &editor{}},
		{
			"capabilities", `{"capabilities":{"window":{"workDoneProgress":true,"showDocument":{"support":true}},"experimental":{"sketch":{"version":1,"actions":["preview"]}}}}`,
			&editor{progress: true, showDocument: true, sketch: &SketchClient{Version: 1, Actions: []ClientAction{ClientPreview}}},
		},
		{"extension without version", `{"capabilities":{"experimental":{"sketch":{}}}}`, &editor{}},
		{"extension as a flag", `{"capabilities":{"experimental":{"sketch":true}}}`, &editor{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := decodeEditor(json.RawMessage(tt.params))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(editor{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

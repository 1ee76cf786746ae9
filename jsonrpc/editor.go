package jsonrpc

import (
	"encoding/json"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
)

// editor is what an initialize request says about the other side. Each member is decoded by itself: one that a client
// gets wrong costs that member, not the connection.
type editor struct {
	name           string   // clientInfo.name
	process        int      // processId; 0: none
	folders        []string // absolute paths of the workspace
	settings       json.RawMessage
	progress       bool          // window.workDoneProgress
	showDocument   bool          // window.showDocument.support
	itemProperties bool          // window.showMessage.messageActionItem.additionalPropertiesSupport
	sketch         *SketchClient // experimental.sketch
}

func decodeEditor(params json.RawMessage) *editor {
	e := &editor{settings: member(params, "initializationOptions")}
	e.name = decoded[string](member(member(params, "clientInfo"), "name"))
	e.process = decoded[int](member(params, "processId"))
	e.folders = workspaceFolders(member(params, "workspaceFolders"))
	if len(e.folders) == 0 {
		e.folders = rootFolder(params)
	}
	capabilities := member(params, "capabilities")
	window := decodedLSP[protocol.WindowClientCapabilities](member(capabilities, "window"))
	e.progress = window.WorkDoneProgress != nil && *window.WorkDoneProgress
	e.showDocument = window.ShowDocument != nil && window.ShowDocument.Support
	if show := window.ShowMessage; show != nil && show.MessageActionItem != nil {
		properties := show.MessageActionItem.AdditionalPropertiesSupport
		e.itemProperties = properties != nil && *properties
	}
	if sketch := member(member(capabilities, "experimental"), "sketch"); sketch != nil {
		if declared := decoded[SketchClient](sketch); declared.Version > 0 {
			e.sketch = &declared
		}
	}
	return e
}

// decoded is the value of raw, or as much of it as has the right type.
func decoded[T any](raw json.RawMessage) T {
	var value T
	if err := json.Unmarshal(raw, &value); err != nil {
		return value
	}
	return value
}

// decodedLSP is the same for a type of the protocol package.
func decodedLSP[T any](raw json.RawMessage) T {
	var value T
	if len(raw) == 0 {
		return value
	}
	if err := protocol.Unmarshal(raw, &value); err != nil {
		var zero T
		return zero
	}
	return value
}

// does reports whether the editor declared that it does a toast action by itself.
func (e *editor) does(action ClientAction) bool {
	return e.sketch != nil && slices.Contains(e.sketch.Actions, action)
}

// usersOwn reports whether the editor declared that no repository's files are merged into the settings that it sends. The
// declaration is a capability, which no editor takes from files of a project, as some do initializationOptions.
func (e *editor) usersOwn() bool { return e != nil && e.sketch != nil && e.sketch.UserSettings }

// toastingEditors are the clients that show a window/showMessageRequest as a toast: VS Code and products made of it.
// Elsewhere (Neovim, Emacs, Helix) it is a prompt that takes the keyboard from whoever is typing.
var toastingEditors = []string{
	"visual studio code", "vscode", "vscodium", "code-server", "code - oss", "cursor", "windsurf", "trae", "positron",
	"kiro", "antigravity", "void", "openvscode server", "theia", "eclipse theia",
}

// mute reports whether the editor shows neither what a command answers nor why it failed: Helix writes the latter into its
// log file, and drops the former.
func (e *editor) mute() bool { return e.sketch == nil && strings.EqualFold(e.name, "helix") }

// style is how the editor is told about ports when no setting says.
func (e *editor) style() NotificationStyle {
	name := strings.ToLower(strings.TrimSpace(e.name))
	name = strings.TrimSuffix(strings.TrimSuffix(name, " - insiders"), " - next")
	if slices.Contains(toastingEditors, name) {
		return NotifyActions
	}
	return NotifyMessage
}

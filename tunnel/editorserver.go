package tunnel

import (
	"path"
	"strings"

	"github.com/sketch-ide/sketch-ide/ports"
)

// editors are the folders, in the home directory, of the servers that windows of Remote-SSH bring along, and whose they are.
var editors = []struct{ folder, name string }{
	{".vscode-server-insiders", "VS Code Insiders"},
	{".vscode-server-oss", "Code - OSS"},
	{".vscodium-server", "VSCodium"},
	{".cursor-server", "Cursor"},
	{".windsurf-server", "Windsurf"},
	{".vscode-server", "VS Code"},
}

// EditorServer tells whose server for Remote-SSH a port's process is, or "". Such a port is the way of an editor's window and nobody's to open. A VS Code
// server that serves browsers (code-server, `code serve-web`) is none: it is a program like others.
func EditorServer(p ports.Port) string {
	if !strings.Contains(p.Command, "server-main.js") && !strings.Contains(p.Command, "command-shell") || !serves(strings.Fields(p.Command)) {
		return ""
	}
	for _, e := range editors {
		if strings.Contains(p.Command, "/"+e.folder+"/") || strings.Contains(p.Command, " "+e.folder+"/") {
			return e.name
		}
	}
	return "VS Code"
}

// serves tells the two ways in which a window is served: the server itself (`node …/out/server-main.js --start-server`), and the command line tool that
// stands before it in newer versions (`code-<commit> command-shell --on-port`).
func serves(words []string) bool {
	main, start, shell := false, false, false
	for i, word := range words {
		main = main || path.Base(word) == "server-main.js"
		start = start || word == "--start-server"
		shell = shell || word == "command-shell" && i > 0 && strings.HasPrefix(path.Base(words[i-1]), "code")
	}
	return main && start || shell
}

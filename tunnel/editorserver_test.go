package tunnel_test

import (
	"testing"

	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestEditorServer(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"/root/.vscode-server/cli/servers/Stable-0f0d/server/node /root/.vscode-server/cli/servers/Stable-0f0d/server/out/server-main.js --connection-token=remotessh --accept-server-license-terms --start-server --enable-remote-auto-shutdown": "VS Code",
		"/root/.vscode-server-insiders/bin/0f0d/node /root/.vscode-server-insiders/bin/0f0d/out/server-main.js --start-server --host=127.0.0.1 --port=0":                                                                                          "VS Code Insiders",
		"/home/u/.vscode-server/code-0f0d command-shell --cli-data-dir /home/u/.vscode-server/cli --parent-process-id 7 --on-host=127.0.0.1 --on-port":                                                                                            "VS Code",
		"/home/u/.cursor-server/bin/0f0d/node /home/u/.cursor-server/bin/0f0d/out/server-main.js --start-server --host=127.0.0.1 --port 0":                                                                                                        "Cursor",
		"/home/u/.windsurf-server/bin/0f0d/node /home/u/.windsurf-server/bin/0f0d/out/server-main.js --start-server":                                                                                                                              "Windsurf",
		"/home/u/.vscodium-server/bin/0f0d/node /home/u/.vscodium-server/bin/0f0d/out/server-main.js --start-server":                                                                                                                              "VSCodium",
		"./node out/server-main.js --start-server --host=127.0.0.1 --port=0":                                                                                                                                                                      "VS Code",

		"":                                "",
		"node server.js":                  "",
		"node server-main.js --port 3000": "",
		"/usr/lib/code-server/lib/node /usr/lib/code-server --bind-addr 127.0.0.1:8080":                                  "",
		"./node ./out/server-main.js --port 3000 --without-connection-token":                                             "",
		"/root/.vscode-server/bin/0f0d/node /root/.vscode-server/bin/0f0d/out/bootstrap-fork --type=extensionHost":       "",
		"/root/.vscode-server/bin/0f0d/node /root/.vscode-server/extensions/ritwickdey.liveserver/server.js --port=5500": "",
		"python3 -m http.server command-shell":                                                                           "",
	} {
		if got := tunnel.EditorServer(ports.Port{Number: 40000, Command: command}); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

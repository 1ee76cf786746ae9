# Run by sh: turns off the port forwarding of a Remote-SSH window, for the servers of VS Code and its kin, where the user has not set anything there.
for server in .vscode-server .vscode-server-insiders .vscodium-server .cursor-server .windsurf-server; do
  settings=$HOME/$server/data/Machine/settings.json
  if [ -e "$settings" ]; then
    grep -q '"remote.autoForwardPorts"[[:space:]]*:[[:space:]]*false' "$settings" || echo other
    continue
  fi
  mkdir -p "${settings%/*}" && printf '{\n\t"remote.autoForwardPorts": false\n}\n' >"$settings"
done

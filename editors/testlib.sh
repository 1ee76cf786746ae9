# Sourced by the editors' tests: how they count, wait, look into a terminal (tmux, whose socket is $socket), and tidy up.

passed=0 failed=0

mux() { tmux -S "$socket" -f /dev/null "$@"; }
screen() { mux capture-pane -p -t editor 2>&1; }

# result STATUS NAME: a line of TAP; below a failed one stands what explain has to say.
result() {
  if [ "$1" = 0 ]; then
    passed=$((passed + 1))
    echo "ok $((passed + failed)) - $2"
  else
    failed=$((failed + 1))
    echo "not ok $((passed + failed)) - $2"
    explain
  fi
}
explain() { screen | sed 's/^/  | /' || true; }

# within SECONDS COMMAND...: until it succeeds, or the time is over.
within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || return 1
    read -rt 0.05 <> <(:) || true
  done
}

# remove_sessions BACKEND: of this run, which alone the state directory knows; only a failed test leaves one.
remove_sessions() {
  local session
  for session in "$XDG_STATE_HOME"/sketch-ide/sessions/*/; do
    [ ! -d "$session" ] || "$1" rm "$(basename "$session")" || true
  done
}

# shellcheck shell=bash
# Starting and stopping eddyd.

# start_eddyd NAME [FLAG...]: on a free port of 127.0.0.1. Sets eddyd (its id), log, base (its URL)
# and port.
start_eddyd() {
  log=$dir/$1.log
  : >"$log"
  shift
  "$EDDYD" --port 0 "$@" 2>"$log" &
  eddyd=$!
  remember "$eddyd"
  if ! eventually 10 is_listening; then
    not_ok "eddyd starts" "$(cat "$log")"
    exit 1
  fi
  base=$(listening_at)
  port=${base##*:}
}

listening_at() { sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$log" | head -n 1; }

is_listening() { [ -n "$(listening_at)" ]; }

# stop_eddyd [SIGNAL]: and sets exit_status.
stop_eddyd() {
  kill "-${1:-TERM}" "$eddyd" 2>/dev/null
  wait "$eddyd"
  exit_status=$?
}

# A job id is a key to a result: it does not belong into a log.
ids_are_short() { ! grep -E '[0-9a-f]{32}' "$log"; }

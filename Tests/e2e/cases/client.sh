#!/usr/bin/env bash
# The C client's ledger: nothing lost, nothing misdelivered, while it drops connections.
source "$E2E/lib/case.sh" "$1"
source "$E2E/lib/client.sh"

if [ ! -x "$CLIENT" ]; then
  skip 'eddy-client' 'it is not built'
  exit 0
fi
jobs=$JOBS

# run_and_check NAME FLAG...
run_and_check() {
  local name=$1
  check "$name" run_client "$name" --jobs "$jobs" "${@:2}"
  is "$name: received" "$(reported "$name" received)" "$jobs"
  is "$name: lost" "$(reported "$name" lost)" 0
  is "$name: misdelivered" "$(reported "$name" misdelivered)" 0
  echo "# $(tr -d '\n' <"$dir/$name.json")"
}

cat >"$dir/tasks.json" <<END
{"tasks": {"sum": {"command": ["sha256sum"], "concurrency": 4, "queueLimit": 10000}}}
END
start_eddyd eddyd --config "$dir/tasks.json" --listen "unix:$dir/s"
run_and_check whole --connections 200
run_and_check dropped --connections 200 --drop 30%
run_and_check pipelined --connections 50 --pipeline 8 --drop 10%
tcp=$base
base=unix:$dir/s
run_and_check unix --connections 200 --drop 30%
base=$tcp
jobs=200
run_and_check command --connections 50 --drop 30% --task sum
check 'eddyd has no child left' eventually 3 has_no_children "$eddyd"
check 'and serves on' serves after
stop_eddyd
is 'and stops with 0' "$exit_status" 0
check 'no id is whole in the log' ids_are_short

# Shared by the benchmarks: servers on loopback, their CPU time, medians.
# shellcheck shell=bash

set -euo pipefail
# shellcheck disable=SC2034  # for those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
pids=()

cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

die() {
  echo "$1" >&2
  exit 1
}

# wait_for PATTERN FILE: until a server has said so, 10 s at most.
wait_for() {
  for _ in $(seq 200); do
    grep -q "$1" "$2" 2>/dev/null && return
    sleep 0.05
  done
  cat "$2" >&2
  die "the server did not start"
}

# cpu_ticks PID: user and system time of a process and its children so far, in clock ticks (proc(5)).
cpu_ticks() {
  local total=0 pid
  for pid in "$1" $(pgrep -P "$1" || true); do
    total=$((total + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{print $12 + $13}')))
  done
  echo "$total"
}

# median NUMBER…
median() {
  printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

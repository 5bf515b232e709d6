# shellcheck shell=bash
# Processes: what a case starts is remembered, and ended with the case.

started=()

# Remembers a process that was just started.
remember() {
  started+=("$1")
  printf '%s %s\n' "$1" "$(cut -d' ' -f22 "/proc/$1/stat" 2>/dev/null)" >>"$dir/started"
}

end_started() {
  local pid
  for pid in "${started[@]}"; do
    # Still a child of this shell, so its id can't be another's.
    if kill -0 "$pid" 2>/dev/null; then
      kill -KILL "$pid" 2>/dev/null
      wait "$pid" 2>/dev/null
    fi
  done
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# eventually SECONDS COMMAND...: tries until it works, or the time is over.
eventually() {
  local end=$(($(milliseconds) + $1 * 1000))
  shift
  until "$@"; do
    [ "$(milliseconds)" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# The ids of the processes that have a text among their arguments. No process but this shell takes
# part in the search, so that none finds itself.
processes_with() {
  local file arguments
  for file in /proc/[0-9]*/cmdline; do
    mapfile -d '' arguments 2>/dev/null <"$file" || continue
    if [[ ${arguments[*]} == *"$1"* ]]; then
      file=${file#/proc/}
      echo "${file%/cmdline}"
    fi
  done 2>/dev/null
}

no_process_with() { [ -z "$(processes_with "$1")" ]; }

# The children of a process, zombies among them (proc(5)).
children_of() { cat "/proc/$1"/task/*/children 2>/dev/null; }

has_no_children() { [ -z "$(children_of "$1")" ]; }

# CPU time that a process has used, in milliseconds.
cpu_of() {
  local stat
  read -r stat <"/proc/$1/stat" || return
  # The name may have spaces; after it, the fields 14 and 15 are the 12th and 13th.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

# memory_of PID FIELD: VmRSS or VmHWM, in KiB (proc(5)).
memory_of() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"; }

#!/usr/bin/env bash
# Commands as tasks: on real files, and those that fail, hang, flood, or are killed.
source "$E2E/lib/case.sh" "$1"

# $0 of each script is the marker, so that whatever a script starts can be found.
cat >"$dir/tasks.json" <<END
{
  "tasks": {
    "sort": {"command": ["sort", "-n"], "contentType": "text/plain; charset=utf-8"},
    "gzip": {"command": ["gzip", "-c"], "contentType": "application/gzip",
      "bodyLimit": 20000000, "outputLimit": 30000000},
    "where": {"command": ["bash", "-c", "pwd; echo \$COLOUR \$HOME"], "directory": "/usr",
      "environment": {"COLOUR": "green"}, "inheritEnvironment": false},
    "fail": {"command": ["bash", "-c",
      "head -c 100000 /dev/zero | tr '\\\\0' x >&2; echo 'line 7 of the input is wrong' >&2; exit 3"]},
    "deaf": {"command": ["true"], "bodyLimit": 10000000},
    "stubborn": {"command": ["bash", "-c", "trap '' TERM; while :; do sleep 0.1; done", "$marker"],
      "timeLimit": 1, "graceTime": 0.5},
    "flood": {"command": ["bash", "-c", "exec -a \$0 head -c 1073741824 /dev/zero", "$marker"],
      "timeLimit": 60, "graceTime": 0.5, "outputLimit": 1000000},
    "floodError": {"command": ["bash", "-c", "head -c 300000000 /dev/zero >&2; echo whole", "$marker"],
      "timeLimit": 60},
    "mute": {"command": ["bash", "-c", "exec >&- 2>&-; exec -a \$0 sleep 300", "$marker"],
      "timeLimit": 1, "graceTime": 0.5},
    "parent": {"command": ["bash", "-c", "(exec -a \$0 sleep 300) & echo ended", "$marker"],
      "timeLimit": 60},
    "victim": {"command": ["bash", "-c", "exec -a \$0 sleep 300", "$marker"], "timeLimit": 60},
    "family": {"command": ["bash", "-c", "for i in 1 2 3; do (exec -a \$0 sleep 300) & done; wait",
      "$marker"], "timeLimit": 60, "graceTime": 0.5}
  }
}
END
start_eddyd eddyd --config "$dir/tasks.json"

# What must hold after each: nothing is left, not even a zombie.
is_clean() {
  check "$1 leaves no process" eventually 3 no_process_with "$marker"
  check "$1 leaves no child of eddyd" eventually 3 has_no_children "$eddyd"
}

# timed COMMAND...: and sets took, in ms.
timed() {
  local begin
  begin=$(milliseconds)
  "$@"
  took=$(($(milliseconds) - begin))
}

seq 20000 | shuf >"$dir/numbers"
run_task sort --data-binary "@$dir/numbers"
is 'sort answers 200' "$status" 200
check 'sort sorts a real file' cmp "$body_file" <(seq 20000)
is 'the content type is the configured one' "$(field Content-Type)" 'text/plain; charset=utf-8'

# Larger than any buffer, and not to be compressed: it comes in and goes out in many pieces.
head -c 20000000 /dev/urandom >"$dir/large"
run_task gzip --data-binary "@$dir/large"
check 'gzip compresses a real file, and bytes come through as they are' \
  cmp "$dir/large" <(gunzip -c "$body_file")
is 'with its content type' "$(field Content-Type)" application/gzip

run_task where -d x
is 'directory and environment are as configured' "$(cat "$body_file")" $'/usr\ngreen'

run_task fail -d x
is_problem 'an exit status is a failed job' 500 '"exitStatus":3'
is_problem 'with the end of standard error' 500 'line 7 of the input is wrong'
between 'and only the end of it, in bytes' "$(wc -c <"$body_file")" 100 20000
request GET "$job"
is 'its state is failed' "$status:$(state)" 200:failed
is_clean 'a command that fails'

head -c 5000000 /dev/zero >"$dir/zeros"
run_task deaf --data-binary "@$dir/zeros"
is 'a command that reads nothing is no failure' "$status:$(wc -c <"$body_file")" 200:0

timed run_task stubborn -d x
is_problem 'a command that ignores TERM fails at its time limit' 500 '[Tt]ime limit'
between 'after time limit and grace, in ms' "$took" 1400 5000
is_clean 'a command that ignores TERM'

timed run_task flood -d x
is_problem 'a command that writes 1 GB fails at its output limit' 500 '[Oo]utput'
between 'soon, in ms' "$took" 0 8000
is_clean 'a command that writes 1 GB'

timed run_task floodError -d x
is 'much on standard error does not hold a command up' "$status:$(cat "$body_file")" 200:whole
between 'and does not stay in memory, in KiB' "$(memory_of "$eddyd" VmHWM)" 1 150000

timed run_task mute -d x
is_problem 'a command that closes its output and sleeps fails at its time limit' 500 '[Tt]ime limit'
between 'within its limits, in ms' "$took" 950 5000
is_clean 'a command that closes its output and sleeps'

timed run_task parent -d x
is 'a child that holds the output open does not delay the result' \
  "$status:$(cat "$body_file")" 200:ended
between 'which comes when the command ends, in ms' "$took" 0 5000
is_clean 'a command with a child that stays'

submit victim -d x
victim_runs() { [ -n "$(processes_with "$marker")" ]; }
check 'a command runs' eventually 5 victim_runs
kill -KILL -- "-$(processes_with "$marker" | head -n 1)"
timed request GET "$job/result?wait=30"
is_problem 'a command whose group is killed from outside is a failed job' 500 '[Ss]ignal'
between 'at once, in ms' "$took" 0 3000
is_clean 'a command that was killed'

submit family -d x
family_runs() { [ "$(processes_with "$marker" | wc -l)" -ge 4 ]; }
check 'a command and its children run' eventually 5 family_runs
request DELETE "$job"
like 'a running command can be cancelled' "$status" '^(200|202)$'
request GET "$job?wait=10"
is 'and is cancelled then' "$(state)" cancelled
is_clean 'a cancelled command with children'

check 'the server serves on' serves after
stop_eddyd
is 'eddyd stops with 0' "$exit_status" 0
check 'no id is whole in the log' ids_are_short

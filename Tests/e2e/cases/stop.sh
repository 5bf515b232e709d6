#!/usr/bin/env bash
# SIGTERM, SIGINT and SIGHUP: held polls are answered at once, what runs is finished, nothing is left.
source "$E2E/lib/case.sh" "$1"

cat >"$dir/tasks.json" <<END
{
  "tasks": {
    "write": {"command": ["bash", "-c", "exec 0<&-; sleep 1; echo whole >$dir/written", "$marker"]},
    "forever": {"command": ["bash", "-c", "exec -a \$0 sleep 300", "$marker"], "graceTime": 0.5},
    "stubborn": {"command": ["bash", "-c", "trap '' TERM; while :; do sleep 0.1; done", "$marker"],
      "graceTime": 0.5}
  }
}
END

# stop_while_polls_are_held SIGNAL
stop_while_polls_are_held() {
  local begin i
  start_eddyd "$1" --config "$dir/tasks.json" --drain 10
  submit sleep -d 300
  for i in $(seq 20); do
    curl -s --max-time 60 -o "$dir/poll.$i" -w '%{http_code}\n' "$base$job?wait=60" >"$dir/code.$i" &
    polls[i]=$!
  done
  submit write -d x
  sleep 0.5
  begin=$(milliseconds)
  kill "-$1" "$eddyd"
  wait "${polls[@]}"
  between "$1: held polls are answered at once, in ms" $(($(milliseconds) - begin)) 0 2500
  is "$1: with 200" "$(sort "$dir"/code.* | uniq -c | tr -s ' ')" ' 20 200'
  is "$1: and the present state" "$(grep -l '"state":"running"' "$dir"/poll.* | wc -l)" 20
  check "$1: no new connection is taken" refuses
  # The sleeping job does not end within the time; it is given back.
  wait "$eddyd"
  is "$1: eddyd exits with 0" $? 0
  between "$1: when the time is over, in ms" $(($(milliseconds) - begin)) 9000 14000
  is "$1: a command that ran was finished" "$(cat "$dir/written")" whole
  rm -f "$dir/written"
}

refuses() { ! curl -s --max-time 2 "$base/"; }

stop_while_polls_are_held TERM

start_eddyd quick --config "$dir/tasks.json" --drain 30
submit write -d x
sleep 0.3
begin=$(milliseconds)
stop_eddyd INT
is 'INT: eddyd exits with 0' "$exit_status" 0
between 'INT: as soon as what runs has ended, in ms' $(($(milliseconds) - begin)) 300 5000
is 'INT: and it has' "$(cat "$dir/written")" whole

start_eddyd idle
begin=$(milliseconds)
stop_eddyd
is 'with nothing to do, eddyd exits with 0' "$exit_status" 0
between 'at once, in ms' $(($(milliseconds) - begin)) 0 3000

# A keep-alive connection that is idle does not hold the stop up.
start_eddyd keepalive
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /jobs/0 HTTP/1.1\r\nHost: a\r\n\r\n' >&3
read -r -t 5 line <&3
begin=$(milliseconds)
stop_eddyd
exec 3>&-
between 'an idle connection does not hold it up, in ms' $(($(milliseconds) - begin)) 0 3000
is 'and it exits with 0' "$exit_status" 0

# A submission that comes in the middle of the stop, on a connection from before.
start_eddyd busy --config "$dir/tasks.json" --drain 10
submit write -d x
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /tasks/sha256 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na' >&3
sleep 0.3
kill -TERM "$eddyd"
sleep 0.2
printf 'bc' >&3
read -r -t 5 line <&3
exec 3>&-
like 'a submission in the middle of a stop is refused' "$line" '^HTTP/1.1 503 '
wait "$eddyd"
is 'and eddyd exits with 0' $? 0

start_eddyd late --config "$dir/tasks.json" --drain 0.5
submit forever -d x
submit stubborn -d x
both_run() { [ "$(processes_with "$marker" | wc -l)" -ge 2 ]; }
check 'two commands run' eventually 5 both_run
begin=$(milliseconds)
stop_eddyd
is 'with commands that do not end, eddyd exits with 0' "$exit_status" 0
between 'after --drain and their grace, in ms' $(($(milliseconds) - begin)) 900 5000
check 'and they are gone' eventually 3 no_process_with "$marker"

start_eddyd twice --config "$dir/tasks.json" --drain 60
submit forever -d x
submit stubborn -d x
check 'two commands run again' eventually 5 both_run
kill -TERM "$eddyd"
sleep 0.3
begin=$(milliseconds)
stop_eddyd
is 'a second signal ends eddyd with 1' "$exit_status" 1
between 'at once, in ms' $(($(milliseconds) - begin)) 0 3000
check 'and the commands with it' eventually 3 no_process_with "$marker"

# SIGHUP comes twice when a terminal goes: from the kernel, and from the shell.
start_eddyd hangup --config "$dir/tasks.json" --drain 1
submit forever -d x
forever_runs() { ! no_process_with "$marker"; }
check 'a command runs' eventually 5 forever_runs
kill -HUP "$eddyd"
sleep 0.2
stop_eddyd HUP
is 'HUP: eddyd exits with 0' "$exit_status" 0
check 'HUP: and its commands are gone' eventually 3 no_process_with "$marker"

# As nohup(1) starts a program.
trap '' HUP
start_eddyd nohup
trap - HUP
kill -HUP "$eddyd"
sleep 0.3
check 'an ignored HUP stops nothing' serves on
stop_eddyd
is 'and eddyd exits with 0' "$exit_status" 0

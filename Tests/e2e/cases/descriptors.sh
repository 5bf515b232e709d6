#!/usr/bin/env bash
# A full descriptor table: no spinning, no crash, and service when there is room again.
source "$E2E/lib/case.sh" "$1"

cat >"$dir/tasks.json" <<END
{"limits": {"connections": 0}, "tasks": {"sort": {"command": ["sort"]}}}
END
cat >"$dir/bounded.json" <<END
{"tasks": {"sort": {"command": ["sort"]}}}
END

# start_limited NAME: with 40 descriptors. The hard limit too, or eddyd would raise it.
start_limited() {
  log=$dir/$1.log
  : >"$log"
  (
    ulimit -n 40
    exec "$EDDYD" --port 0 --config "$dir/$1.json" 2>"$log"
  ) &
  eddyd=$!
  remember "$eddyd"
  check "$1: eddyd starts with 40 descriptors" eventually 10 is_listening
  base=$(listening_at)
  port=${base##*:}
}

# Connections that say nothing.
crowd() {
  connections=()
  for _ in $(seq 60); do
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    connections+=("$fd")
  done
}

disperse() {
  for fd in "${connections[@]}"; do exec {fd}>&-; done
}

start_limited tasks

# A connection from before the table is full.
exec 9<>"/dev/tcp/127.0.0.1/$port"
ask() {
  printf 'POST /tasks/sha256 HTTP/1.1\r\nHost: a\r\nPrefer: wait=5\r\nContent-Length: 1\r\n\r\n1' >&9
  line=
  read -r -t 8 line <&9
}
ask
like 'an early connection is served' "$line" '^HTTP/1.1 200 '
while IFS= read -r -t 1 -u 9 rest && [ "$rest" != $'\r' ]; do :; done
read -r -t 1 -N 64 -u 9 rest

crowd
is_full() { [ "$(find "/proc/$eddyd/fd" -mindepth 1 2>/dev/null | wc -l)" -ge 35 ]; }
check 'its table becomes full' eventually 5 is_full
sleep 0.3
before=$(cpu_of "$eddyd")
sleep 2
between 'then it does not spin, in ms of CPU time in 2 s' $(($(cpu_of "$eddyd") - before)) 0 400
check 'the log says that accepting failed' grep -qiE 'accept.*descriptors' "$log"
check 'it still runs' kill -0 "$eddyd"
ask
like 'and serves who is connected' "$line" '^HTTP/1.1 200 '
while IFS= read -r -t 1 -u 9 rest && [ "$rest" != $'\r' ]; do :; done
read -r -t 1 -N 64 -u 9 rest
printf 'POST /tasks/sort HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nb\na\n' >&9
job=
while IFS= read -r -t 2 -u 9 line && [ "$line" != $'\r' ]; do
  line=${line%$'\r'}
  case $line in 'Location: '*) job=${line#Location: } ;; esac
done
like 'and takes a command that it cannot start yet' "$job" '^/jobs/'
exec 9>&-

disperse
request GET "$job/result?wait=20"
is 'which runs when there is room' "$status:$(cat "$body_file")" $'200:a\nb'
check 'when there is room again it serves everybody' eventually 5 serves again
submit sort --data-binary $'b\na\n'
request GET "$job/result?wait=10"
is 'commands too' "$status:$(cat "$body_file")" $'200:a\nb'
stop_eddyd
is 'and it stops with 0' "$exit_status" 0

# Without "connections": 0, some descriptors are kept back for commands.
start_limited bounded
exec 9<>"/dev/tcp/127.0.0.1/$port"
crowd
is_paused() { [ "$(find "/proc/$eddyd/fd" -mindepth 1 | wc -l)" -ge 20 ]; }
check 'clients come until their bound' eventually 5 is_paused
sleep 0.3
printf 'POST /tasks/sort HTTP/1.1\r\nHost: a\r\nPrefer: wait=5\r\nContent-Length: 4\r\n\r\nb\na\n' >&9
answer=
while IFS= read -r -t 3 -u 9 line; do answer+=${line%$'\r'}$'\n'; done
like 'and a command can be run all the same' "$answer" $'^HTTP/1.1 200 .*\n\na\nb\n$'
exec 9>&-
disperse
stop_eddyd
is 'eddyd stops with 0' "$exit_status" 0

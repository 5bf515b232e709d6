#!/usr/bin/env bash
# What the program finds around it: closed descriptors, a log that nobody reads, IPv6, names.
source "$E2E/lib/case.sh" "$1"

# Without standard descriptors, a connection could get their numbers, and the log.
start_closed() {
  exec "$EDDYD" --port 0 --log-level trace 0<&- 1>&- 2>"$log"
}
log=$dir/closed.log
start_closed &
eddyd=$!
remember "$eddyd"
check 'eddyd starts with closed standard descriptors' eventually 10 is_listening
base=$(listening_at)
is 'they lead nowhere then' "$(readlink "/proc/$eddyd/fd/0" "/proc/$eddyd/fd/1" | uniq)" /dev/null
check 'and it serves' serves something
stop_eddyd
is 'and stops with 0' "$exit_status" 0

# A log reader that goes away: SIGPIPE must not end the server.
log=$dir/pipe.log
: >"$log"
read_until_listening() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    case $line in *listening*) break ;; esac
  done
}
"$EDDYD" --port 0 --log-level trace 2> >(read_until_listening) &
eddyd=$!
remember "$eddyd"
check 'eddyd starts with a log that is read' eventually 10 is_listening
base=$(listening_at)
port=${base##*:}
check 'it serves without a reader of its log' serves something
submit nonesuch -d x
is_problem 'errors too' 404 nonesuch
stop_eddyd
is 'and stops with 0 all the same' "$exit_status" 0

# A client that goes away in the middle of a long answer.
start_eddyd gone
for _ in 1 2 3; do
  curl -s --max-time 5 -X POST -d x "$base/tasks/sha256" | head -c 1 >"$dir/piece"
done
check 'a client that reads half an answer hurts nobody' serves something
stop_eddyd

start_eddyd names --host localhost
check 'a name can be listened on' serves something
stop_eddyd
is 'and eddyd stops with 0' "$exit_status" 0

if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
  start_eddyd six --host ::1
  check 'an IPv6 address too' serves something
  stop_eddyd
else
  skip 'an IPv6 address too' 'there is no IPv6 here'
fi

printf '%s\n' '{"listen": ["127.0.0.1:0", "unix:s"], "drain": 1}' >"$dir/listen.json"
cd "$dir" || exit 1
log=$dir/file.log
"$EDDYD" --config listen.json 2>"$log" &
eddyd=$!
remember "$eddyd"
check 'the addresses of a file are listened on' eventually 10 is_listening
base=$(listening_at)
check 'the first of them' serves something
check 'the last of them' eventually 5 test -S s
is 'and it answers' "$(curl -s -o body --max-time 5 --unix-socket s -w '%{http_code}' http://a/)" 404
{
  kill -KILL "$eddyd"
  wait "$eddyd"
} 2>/dev/null
check 'after a kill its socket is left' test -S s
"$EDDYD" --config listen.json 2>"$log" &
eddyd=$!
remember "$eddyd"
check 'and does not keep it from starting again' eventually 10 grep -q 'listening on unix:' "$log"
stop_eddyd

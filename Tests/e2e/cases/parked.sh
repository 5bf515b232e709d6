#!/usr/bin/env bash
# Many polls held at once: all are answered, and each costs little memory.
source "$E2E/lib/case.sh" "$1"
source "$E2E/lib/client.sh"

if [ ! -x "$CLIENT" ]; then
  skip 'held polls' 'eddy-client is not built'
  exit 0
fi
# Each poll is a descriptor of the client and one of eddyd.
polls=$JOBS
ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt $((polls + 100)) ]; then
  polls=$(($(ulimit -n) - 100))
  echo "# as ulimit -Hn is $(ulimit -Hn), $polls polls instead of $JOBS"
fi

start_eddyd eddyd
check 'eddyd serves' serves before
before=$(memory_of "$eddyd" VmRSS)
# Long enough for all to be parked, on a busy machine and a debug build too.
seconds=$((4 + polls / 500))
run_client shared --park "$polls" --jobs 10 --sleep "$seconds" &
client=$!
remember "$client"
are_parked() { [ "$(find "/proc/$eddyd/fd" -mindepth 1 2>/dev/null | wc -l)" -ge "$polls" ]; }
check "$polls polls are held" eventually 10 are_parked
is_quiet() {
  local before
  before=$(cpu_of "$eddyd")
  sleep 0.5
  [ $(($(cpu_of "$eddyd") - before)) -le 50 ]
}
check 'and cost no CPU time' eventually "$seconds" is_quiet
during=$(memory_of "$eddyd" VmRSS)
bytes=$(((during - before) * 1024 / polls))
if grep -q __asan_init "$EDDYD"; then
  skip 'and little memory' 'AddressSanitizer takes more'
else
  between 'and little memory, in bytes a poll with its connection' "$bytes" 0 8192
fi
wait "$client"
is "$polls polls on 10 jobs are answered" $? 0
is 'all were held at once' "$(reported shared parked_at_once)" "$polls"
is 'and all answered' "$(reported shared received)" "$polls"
echo "# memory with $polls held polls: $during KiB, $bytes bytes a poll with its connection"

check "$polls polls on as many jobs are answered" run_client own --park "$polls" --sleep "$seconds"
is 'all were held at once' "$(reported own parked_at_once)" "$polls"
is 'and all answered' "$(reported own received)" "$polls"
is 'and none with the result of another' "$(reported own misdelivered)" 0

check 'and the server serves on' serves after
stop_eddyd
is 'eddyd stops with 0' "$exit_status" 0

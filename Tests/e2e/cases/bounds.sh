#!/usr/bin/env bash
# Every bound: jobs that wait, bodies, outputs, how many run at once, how long a result stays.
source "$E2E/lib/case.sh" "$1"

cat >"$dir/tasks.json" <<END
{
  "limits": {"body": 100000},
  "tasks": {
    "one": {"command": ["sleep", "3"], "concurrency": 1, "queueLimit": 2, "graceTime": 0.5},
    "none": {"command": ["sleep", "3"], "concurrency": 1, "queueLimit": 0, "graceTime": 0.5},
    "small": {"command": ["cat"], "bodyLimit": 1000},
    "large": {"command": ["cat"], "bodyLimit": 100000},
    "short": {"command": ["cat"], "outputLimit": 1000, "bodyLimit": 2000},
    "log": {"command": ["bash", "-c",
      "echo begin >>$dir/order; sleep 0.3; echo end >>$dir/order"], "concurrency": 1}
  }
}
END
start_eddyd eddyd --config "$dir/tasks.json"

for i in 1 2 3; do
  submit one -d x
  is "of a task that runs one and lets two wait, number $i is taken" "$status" 202
done
submit one -d x
is_problem 'and number 4 is refused' 429 "'one'"
like 'with the time to try again' "$(field Retry-After)" '^[0-9]+$'
submit none -d x
is 'a task whose queue is 0 takes what can run at once' "$status" 202
submit none -d x
is_problem 'and nothing more' 429 "'none'"
submit sleep -d 0.1
is 'the queue of one task is not that of another' "$status" 202

head -c 1000 /dev/zero >"$dir/1000"
head -c 1001 /dev/zero >"$dir/1001"
head -c 100000 /dev/zero >"$dir/100000"
head -c 100001 /dev/zero >"$dir/100001"
run_task small --data-binary "@$dir/1000"
is 'a body as long as its task allows is taken' "$status" 200
submit small --data-binary "@$dir/1001"
is_problem 'a longer one is refused' 413 1000
submit small -H 'Transfer-Encoding: chunked' --data-binary "@$dir/1001"
is_problem 'also a chunked one' 413 1000
run_task large --data-binary "@$dir/100000"
is 'a body as long as the server allows is taken' "$status" 200
submit sha256 --data-binary "@$dir/100001"
is_problem "a longer one is refused, whatever the task" 413 100000
submit sha256 -H 'Expect: 100-continue' --data-binary "@$dir/100001"
is_problem 'also to a client that asks before it sends' 413 100000

run_task short --data-binary "@$dir/1000"
is 'an output as long as its task allows is a result' "$status" 200
run_task short --data-binary "@$dir/1001"
is_problem 'a longer one fails the job' 500 1000

for i in 1 2 3; do submit log -d x; done
request GET "$job/result?wait=30"
is 'a task runs as many at once as it is said' "$(tr '\n' ' ' <"$dir/order")" \
  'begin end begin end begin end '

check 'the server serves on' serves after
stop_eddyd

start_eddyd few --max-queued 3 --result-ttl 1 --config "$dir/tasks.json"
for i in 1 2 3 4; do submit log -d x; done
is 'over all tasks, as many may wait as --max-queued says' "$status" 202
submit log -d x
is_problem 'and no more' 429 '3'
submit sleep -d 0
is 'a job that need not wait is taken' "$status" 202

submit sleep -d 0
request GET "$job/result?wait=5"
is 'a result is there' "$status" 200
is_expired() {
  request GET "$job/result"
  [ "$status" = 410 ]
}
check 'until its time to live is over' eventually 5 is_expired
is_expired
is_problem 'and says so' 410 expired
stop_eddyd

printf '%s\n' '{"jobs": {"memory": 50000}, "tasks": {"cat": {"command": ["cat"]}}}' >"$dir/memory.json"
start_eddyd memory --config "$dir/memory.json"
head -c 40000 /dev/zero >"$dir/40000"
run_task cat --data-binary "@$dir/40000"
first=$job
is 'a job that fits into the memory for jobs is run' "$status" 200
submit cat --data-binary "@$dir/40000"
is_problem 'one that does not is refused' 503 ''
like 'with the time to try again' "$(field Retry-After)" '^[0-9]+$'
request DELETE "$first/result"
run_task cat --data-binary "@$dir/40000"
is 'until there is room again' "$status" 200
stop_eddyd
is 'and eddyd stops with 0' "$exit_status" 0

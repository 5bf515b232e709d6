#!/usr/bin/env bash
# Submit, be held, be answered; lose the connection, and find the result from another.
source "$E2E/lib/case.sh" "$1"

start_eddyd eddyd

begin=$(milliseconds)
submit sleep -d 1
is 'a submission is answered 202' "$status" 202
like 'with the place to ask' "$job" '^/jobs/[0-9a-f]{32}$'
like 'and when to ask' "$(field Retry-After)" '^[0-9]+$'
is 'which no cache may store' "$(field Cache-Control)" no-store
between 'at once, in ms' $(($(milliseconds) - begin)) 0 900

request GET "$job?wait=30"
is 'a poll is answered 200' "$status" 200
is 'with the final state' "$(state)" succeeded
between 'when the job has ended, in ms' $(($(milliseconds) - begin)) 950 6000
request GET "$job/result"
is 'the result is there' "$status:$(cat "$body_file")" '200:slept 1 s'
is 'with its content type' "$(field Content-Type)" 'text/plain; charset=utf-8'
request GET "$job/result"
is 'reading does not consume it' "$status:$(cat "$body_file")" '200:slept 1 s'

# Cut off in the middle of the wait.
submit sleep -d 2
begin=$(milliseconds)
curl -s --max-time 60 "$base$job?wait=30" >"$dir/cut.out" &
poll=$!
sleep 0.7
kill -TERM "$poll"
wait "$poll" 2>/dev/null
is 'the poll was held until it was cut off' "$(wc -c <"$dir/cut.out")" 0
request GET "$job/result?wait=30"
is 'the same poll again, from another connection, has the result' \
  "$status:$(cat "$body_file")" '200:slept 2 s'
between 'the job went on meanwhile, in ms' $(($(milliseconds) - begin)) 1500 8000

# Many wait for one.
submit sleep -d 1
for i in 1 2 3 4 5; do
  curl -s --max-time 60 "$base$job/result?wait=30" >"$dir/many.$i" &
  pids[i]=$!
done
wait "${pids[@]}"
is 'all that wait for a job are answered' "$(cat "$dir"/many.* | grep -c 'slept 1 s')" 5

submit sleep -d 30
request GET "$job?wait=0.5"
is 'a wait that is over is answered 200' "$status:$(state)" 200:running
tag=$(field ETag)
begin=$(milliseconds)
request GET "$job?wait=0.5" -H "If-None-Match: $tag"
is 'and 304 to one who knows the state' "$status" 304
between 'after the wait, in ms' $(($(milliseconds) - begin)) 400 3000
request GET "$job/result?wait=0"
is 'a result that is not there yet is 202' "$status" 202
request DELETE "$job"
like 'a job can be cancelled' "$status" '^(200|202)$'
request GET "$job?wait=10"
is 'and is cancelled then' "$status:$(state)" 200:cancelled
request GET "$job/result"
is_problem 'and has no result' 409 cancel

printf 'The quick brown fox' >"$dir/input"
request POST /tasks/sha256 -H 'Prefer: respond-async, wait=10' --data-binary "@$dir/input"
is 'with Prefer: wait, the result comes with the submission' \
  "$status:$(cat "$body_file")" "200:$(sha256sum <"$dir/input" | cut -d' ' -f1)"
like 'and says where else it is' "$(field Content-Location)" '^/jobs/[0-9a-f]{32}/result$'
like 'and that the preference counted' "$(field Preference-Applied)" 'wait=10'
result=$(field Content-Location)
request DELETE "$result"
is 'a result is acknowledged' "$status" 204
request DELETE "$result"
is 'twice, if need be' "$status" 204
request GET "$result"
is_problem 'and is gone then' 410 acknowledged

submit sleep -H 'Idempotency-Key: "key-1"' -d 0.2
first=$job
submit sleep -H 'Idempotency-Key: "key-1"' -d 0.2
is 'the same key and body name the same job' "$job" "$first"
submit sleep -H 'Idempotency-Key: "key-1"' -d 0.3
is_problem 'the same key with another body is refused' 422 Idempotency-Key

stop_eddyd
is 'eddyd stops with 0' "$exit_status" 0
check 'no id is whole in the log' ids_are_short

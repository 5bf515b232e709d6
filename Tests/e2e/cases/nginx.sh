#!/usr/bin/env bash
# Through a real nginx: the seed's first configuration, and the one in deploy/.
source "$E2E/lib/case.sh" "$1"
source "$E2E/lib/client.sh"

if [ ! -x "$NGINX" ]; then
  skip 'through nginx' 'there is no nginx (apt-get install nginx-light)'
  exit 0
fi

printf '%s\n' '{"tasks": {"sort": {"command": ["sort", "-n"], "bodyLimit": 5000000}}}' >"$dir/tasks.json"
start_eddyd eddyd --config "$dir/tasks.json"
direct=$base
jobs=$JOBS

# through NAME FILE: a file of /etc/nginx/conf.d with other ports, and its own root.
through() {
  local name=$1 front
  front=$(free_port)
  sed -E "s/listen 80;/listen 127.0.0.1:$front;/; s/(localhost|127\.0\.0\.1):8888/\1:${direct##*:}/
    s#root /var/www/eddy;##" "$2" >"$dir/$name.site.conf"
  start_nginx "$name"
  base=http://127.0.0.1:$front
  if ! eventually 10 answers "$base/"; then
    not_ok "$name: nginx starts" "$(cat "$dir/$name"/*.log)"
    return
  fi

  is "$name: a file is nginx's" "$(curl -s --max-time 10 "$base/file.txt")" 'a file'
  begin=$(milliseconds)
  submit sleep -d 1
  is "$name: a submission is answered 202" "$status" 202
  like "$name: with a path" "$job" '^/jobs/[0-9a-f]{32}$'
  request GET "$job?wait=30"
  is "$name: a poll is held" "$status:$(state)" 200:succeeded
  between "$name: until the job ends, in ms" $(($(milliseconds) - begin)) 950 6000

  submit sleep -d 2
  curl -s --max-time 60 "$base$job?wait=30" >"$dir/cut.out" &
  poll=$!
  sleep 0.7
  kill -TERM "$poll"
  wait "$poll" 2>/dev/null
  request GET "$job/result?wait=30"
  is "$name: a poll that was cut off is repeated" "$status:$(cat "$body_file")" '200:slept 2 s'

  seq 50000 | shuf >"$dir/numbers"
  run_task sort --data-binary "@$dir/numbers"
  check "$name: a command sorts a real file" cmp "$body_file" <(seq 50000)
  request GET /jobs/00000000000000000000000000000000
  is_problem "$name: a problem document comes through" 404 job
  request POST /tasks/sort --data-binary @/dev/null
  is "$name: an empty body too" "$status" 202
  request GET '/jobs/00000000000000000000000000000000?wait=abc'
  is_problem "$name: wait=abc" 400 abc

  if [ -x "$CLIENT" ]; then
    check "$name: eddy-client, $jobs jobs, 30% dropped" \
      run_client "$name" --jobs "$jobs" --connections 200 --drop 30%
    is "$name: received" "$(reported "$name" received)" "$jobs"
    is "$name: lost" "$(reported "$name" lost)" 0
    is "$name: misdelivered" "$(reported "$name" misdelivered)" 0
    echo "# $(tr -d '\n' <"$dir/$name.json")"
  else
    skip "$name: eddy-client" 'it is not built'
  fi
  is "$name: nginx has nothing serious to report" \
    "$(grep -cE '\[(alert|crit|emerg)\]' "$dir/$name/error.log")" 0
  stop_nginx
}

through seed "$E2E/seed.nginx.conf"
through deploy "$E2E/../../deploy/nginx.conf"

base=$direct
check 'eddyd serves on' serves after
stop_eddyd
is 'and stops with 0' "$exit_status" 0

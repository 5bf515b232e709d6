# shellcheck shell=bash
# Requests with curl. Each sets status, and leaves the head and the body in files.

head_file=$dir/head
body_file=$dir/body

# request METHOD PATH [CURL-ARGUMENT...]
request() {
  local method=$1 path=$2
  shift 2
  : >"$head_file"
  : >"$body_file"
  status=$(curl -sS --max-time 100 -D "$head_file" -o "$body_file" -w '%{http_code}' \
    -X "$method" "$@" "$base$path" 2>"$dir/curl.err")
}

# The value of a field of the last answer's head.
field() {
  awk -v name="$1:" 'tolower($1) == tolower(name) { sub(/^[^:]*: */, ""); sub(/\r$/, ""); print; exit }' \
    "$head_file"
}

# submit TASK [CURL-ARGUMENT...]: and sets job, the path of the new job.
submit() {
  local task=$1
  shift
  request POST "/tasks/$task" "$@"
  job=$(field Location)
}

# run_task TASK [CURL-ARGUMENT...]: submits, and waits for the result.
run_task() {
  submit "$@"
  if [ "$status" = 202 ]; then request GET "$job/result?wait=60"; fi
}

# is_problem DESCRIPTION STATUS REGEX: the last answer is a problem document of this status whose
# text says this.
is_problem() {
  local body type
  body=$(cat "$body_file")
  type=$(field Content-Type)
  if [ "$status" = "$2" ] && [ "$type" = application/problem+json ] \
    && [[ $body == *"\"status\":$2"* ]] && [[ $body =~ $3 ]]; then
    ok "$1"
  else
    not_ok "$1" "got  $status, $type: $body $(cat "$dir/curl.err")
want $2, application/problem+json, a text with '$3'"
  fi
}

# The state in the last answer.
state() { sed -n 's/.*"state":"\([a-z]*\)".*/\1/p' "$body_file"; }

# The server still serves: a job from its input to its result.
serves() {
  local hash
  hash=$(curl -sS --max-time 20 -H 'Prefer: wait=10' --data-binary "$1" "$base/tasks/sha256")
  [ "$hash" = "$(printf %s "$1" | sha256sum | cut -d' ' -f1)" ]
}

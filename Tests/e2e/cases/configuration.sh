#!/usr/bin/env bash
# Flags and configuration files: what is wrong is said, with where and what would be right.
source "$E2E/lib/case.sh" "$1"

# try FLAG...: sets status and text.
try() {
  text=$(timeout 10 "$EDDYD" "$@" 2>&1)
  status=$?
}

# refuses_flags REGEX FLAG...
refuses_flags() {
  try "${@:2}"
  like "${*:2}" "$status: $text" "^64: .*$1"
}

# refuses_file REGEX JSON
refuses_file() {
  printf '%s\n' "$2" >"$dir/c.json"
  try --config "$dir/c.json" --check
  like "$2" "$status: $text" "^78: eddyd: $dir/c\.json(:[0-9]+)?: .*$1"
}

try --help
like '--help shows the requests to try' "$status: $text" '^0: .*curl -i -X POST .*/tasks/sleep.*--config'
try --version
like '--version' "$status: $text" '^0: eddyd [0-9]+\.[0-9]+\.[0-9]+$'

refuses_flags 'abc' --port abc
refuses_flags '65536' --port 65536
refuses_flags '127.0.0.1:8888' --listen nowhere
refuses_flags "no port" --listen 127.0.0.1:x
refuses_flags 'brackets' --listen ::1:80
refuses_flags '--host' --hots 127.0.0.1
refuses_flags 'loud' --log-level loud
refuses_flags 'decimal' --drain soon
refuses_flags '50M' --max-body many
refuses_flags '1 to 1024' --threads 0
refuses_flags 'above 0' --result-ttl 0
refuses_flags 'ere' somewhere

try --config "$dir/none.json"
like 'a file that is not there' "$status: $text" '^78: eddyd: .*none.json: .*No such file'
try --config "$dir"
like 'a directory as a file' "$status: $text" '^78: eddyd: .*directory'
mkfifo "$dir/pipe"
try --config "$dir/pipe"
like 'a pipe as a file' "$status: $text" '^78: eddyd: .*/pipe: is a pipe'

refuses_file 'holds an array' '[]'
refuses_file 'value should be' ''
refuses_file "comma before '}'" '{"tasks": {},}'
refuses_file 'comments' '{"tasks": /* none */ {}}'
refuses_file 'ends on its line' '{"tasks": "abc'
refuses_file 'tasks.a.*twice|"a" is there twice' '{"tasks": {"a": {"command": ["sort"]}, "a": {"command": ["sort"]}}}'
refuses_file 'unknown key; did you mean "tasks"' '{"taks": {}}'
refuses_file 'tasks holds an array' '{"tasks": [{"name": "a"}]}'
refuses_file 'tasks.a has no "command"' '{"tasks": {"a": {}}}'
refuses_file 'did you mean "command"' '{"tasks": {"a": {"comand": ["sort"]}}}'
refuses_file 'did you mean "timeLimit"' '{"tasks": {"a": {"command": ["sort"], "timelimit": 3}}}'
refuses_file 'array of strings' '{"tasks": {"a": {"command": "sort -n"}}}'
refuses_file 'command\[1\] is 1' '{"tasks": {"a": {"command": ["sort", 1]}}}'
refuses_file 'there is no program; write' '{"tasks": {"a": {"command": []}}}'
refuses_file "no program 'no-such-program'" '{"tasks": {"a": {"command": ["no-such-program"]}}}'
refuses_file "'/nonexistent/sort' does not exist" '{"tasks": {"a": {"command": ["/nonexistent/sort"]}}}'
refuses_file 'not executable' '{"tasks": {"a": {"command": ["/etc/passwd"]}}}'
refuses_file "'/usr' is no program" '{"tasks": {"a": {"command": ["/usr"]}}}'
refuses_file 'letters, digits' '{"tasks": {"a/b": {"command": ["sort"]}}}'
refuses_file 'built-in task of this name' '{"tasks": {"sleep": {"command": ["sort"]}}}'
refuses_file 'is "10s", a string; write seconds' '{"tasks": {"a": {"command": ["sort"], "timeLimit": "10s"}}}'
refuses_file 'is true, a boolean; write seconds' '{"tasks": {"a": {"command": ["sort"], "timeLimit": true}}}'
refuses_file 'is 0, a number; write seconds above 0' '{"tasks": {"a": {"command": ["sort"], "timeLimit": 0}}}'
refuses_file 'is 1.5, a number' '{"tasks": {"a": {"command": ["sort"], "concurrency": 1.5}}}'
refuses_file 'is -1, a number' '{"tasks": {"a": {"command": ["sort"], "outputLimit": -1}}}'
refuses_file 'max-body' '{"tasks": {"a": {"command": ["sort"], "bodyLimit": 52428801}}}'
refuses_file 'media type' '{"tasks": {"a": {"command": ["sort"], "contentType": "text"}}}'
refuses_file 'media type' '{"tasks": {"a": {"command": ["sort"], "contentType": "a/b\r\nX: y"}}}'
refuses_file 'existing directory' '{"tasks": {"a": {"command": ["sort"], "directory": "/nonexistent"}}}'
refuses_file 'as a string' '{"tasks": {"a": {"command": ["sort"], "environment": {"A": 1}}}}'
refuses_file 'no variable' '{"tasks": {"a": {"command": ["sort"], "environment": {"A=B": "c"}}}}'
refuses_file 'did you mean "sha256"' '{"builtins": ["sha255"]}'
refuses_file 'there is no task' '{"builtins": []}'
refuses_file 'maximumWait' '{"jobs": {"defaultWait": 999}}'
refuses_file 'one of .*info' '{"logLevel": "loud"}'
refuses_file 'no port' '{"listen": ["localhost"]}'
refuses_file 'listen: it is empty' '{"listen": []}'
refuses_file 'null' '{"drain": null}'

printf '{\n  "tasks": {\n    "a": {\n      "command": ["sort"],\n      "timelimit": 3\n    }\n  }\n}\n' >"$dir/c.json"
try --config "$dir/c.json" --check
like 'the line is named' "$text" 'c.json:5: '

printf '%s\n' '{"builtins": ["sha256"], "tasks": {"a": {"command": ["no-such-program"], "optional": true},
  "b.c": {"command": ["cat"]}}}' >"$dir/c.json"
try --config "$dir/c.json" --check
like 'an optional program may be absent' "$status: $text" "^0: .*'a' is left out"
start_eddyd optional --config "$dir/c.json" --listen "unix:$dir/s"
check 'the log says so' grep -q "'a' is left out" "$log"
submit a -d x
is_problem 'its task is unknown then' 404 "'a'"
submit sleep -d 1
is_problem 'a built-in task that is not kept is unknown' 404 "'sleep'"
run_task b.c -d dotted
is 'a name may have a dot' "$status:$(cat "$body_file")" 200:dotted
is 'a Unix socket is listened on too' "$(curl -s --unix-socket "$dir/s" -X POST -d x \
  -H 'Prefer: wait=5' http://localhost/tasks/b.c)" x

try --port "$port"
like 'a port in use' "$status: $text" "^69: eddyd: cannot listen on 127.0.0.1:$port: .*in use"
stop_eddyd
check 'the Unix socket is removed at the end' test ! -e "$dir/s"
try --host 203.0.113.1 --port 0
like 'an address that is not ours' "$status: $text" '^69: eddyd: cannot listen on 203.0.113.1:0: '
try --host no-such-host.invalid --port 0
like 'a host that is none' "$status: $text" "^69: eddyd: cannot listen on .*'no-such-host.invalid' is unknown"
printf 'mine\n' >"$dir/file"
try --listen "unix:$dir/file"
like 'a file that is no socket' "$status: $text" "^69: eddyd: cannot listen on unix:$dir/file: .*no socket"
is 'and it is left alone' "$(cat "$dir/file")" mine
try --listen "unix:$dir/none/s"
like 'a path that is none' "$status: $text" "^69: eddyd: cannot listen on unix:$dir/none/s: "

try --config "$E2E/../../examples/tasks.json" --check
like 'the example is right' "$status: $text" '^0: .*sort.*gzip'

#!/usr/bin/env bash
# The access log: who asked for what, behind a real nginx and without; rotation, full disk.
source "$E2E/lib/case.sh" "$1"

access=$dir/access.log

lines_of() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }
has_lines() { [ "$(lines_of "$1")" -ge "$2" ]; }

# untimed LINE: without what is another each time.
untimed() { sed -E 's/\[[^]]*\]/[]/; s/ [0-9]+ "/ N "/' <<<"$1"; }

# line NUMBER: of the access log, once it is there.
line() {
  eventually 5 has_lines "$access" "$1"
  sed -n "$1p" "$access"
}

printf '%s\n' "{\"accessLog\": {\"path\": \"$access\"}}" >"$dir/c.json"
start_eddyd eddyd --config "$dir/c.json" --listen "unix:$dir/s"
direct=$base

curl -s -o /dev/null -A 'a"b\c' -e "$(printf 'x\ty')" "$base/jobs/0123456789abcdef0123456789abcdef?a=b"
is 'a line is nginx'"'"'s, escaped, and without the whole id' "$(untimed "$(line 1)")" \
  '127.0.0.1 - - [] "GET /jobs/01234567...?a=b HTTP/1.1" 404 N "x\x09y" "a\x22b\x5Cc"'
curl -s -o /dev/null -A - -H 'X-Forwarded-For: 203.0.113.9, 192.0.2.7' "$base/a"
is 'a proxy of this machine is believed' "$(untimed "$(line 2)")" \
  '192.0.2.7 - - [] "GET /a HTTP/1.1" 404 N "-" "-"'

curl -s -o /dev/null -A - --unix-socket "$dir/s" http://host/u
is 'who connects through a Unix socket has no address' "$(untimed "$(line 3)")" \
  'unix: - - [] "GET /u HTTP/1.1" 404 N "-" "-"'
curl -s -o /dev/null -A - --unix-socket "$dir/s" -H 'Forwarded: for="[2001:db8::7]:4711"' http://host/u
is 'and is believed as a proxy' "$(untimed "$(line 4)")" \
  '2001:db8::7 - - [] "GET /u HTTP/1.1" 404 N "-" "-"'

if [ -x "$NGINX" ]; then
  front=$(free_port)
  sed -E "s/listen 80;/listen 127.0.0.2:$front;/; s/(localhost|127\.0\.0\.1):8888/\1:${direct##*:}/
    s#root /var/www/eddy;##" "$E2E/../../deploy/nginx.conf" >"$dir/deploy.site.conf"
  start_nginx deploy
  eventually 10 answers "http://127.0.0.2:$front/file.txt"
  # From another address than nginx's, which is trusted as well: nothing of the claims may remain.
  curl -s -o /dev/null -A - --interface 127.0.0.3 -H 'Forwarded: for=203.0.113.9;proto=https' \
    -H 'X-Real-IP: 203.0.113.9' -H 'X-Forwarded-Proto: https' "http://127.0.0.2:$front/b"
  is 'through nginx the client has its own address' "$(untimed "$(line 5)")" \
    '127.0.0.3 - - [] "GET /b HTTP/1.1" 404 N "-" "-"'
  stop_nginx
else
  skip 'through nginx' 'there is no nginx (apt-get install nginx-light)'
  curl -s -o /dev/null "$base/b"
fi

mv "$access" "$access.1"
kill -USR1 "$eddyd"
check 'SIGUSR1 makes a new file' eventually 5 test -e "$access"
curl -s -o /dev/null -A - "$base/c"
is 'which gets the next line' "$(untimed "$(line 1)")" '127.0.0.1 - - [] "GET /c HTTP/1.1" 404 N "-" "-"'
is 'the old one keeps its own' "$(lines_of "$access.1")" 5

rm "$access"
ln -s /dev/full "$access"
kill -USR1 "$eddyd"
full() { grep -q 'make room' "$log"; }
curl -s -o /dev/null "$base/d"
check 'a full disk is reported' eventually 5 full
check 'and eddyd serves on' serves full
is 'once' "$(grep -c 'make room' "$log")" 1
rm "$access"
kill -USR1 "$eddyd"
check 'it recovers' eventually 5 has_lines "$access" 2
like 'with the lines of the meantime' "$(line 1)" 'GET /d HTTP'

curl -s -o /dev/null "$base/last"
stop_eddyd
is 'it stops with 0' "$exit_status" 0
like 'and has written the last line' "$(tail -n 1 "$access")" 'GET /last HTTP'

printf '%s\n' '{"accessLog": {"path": "-", "format": "json"}, "trustedProxies": []}' >"$dir/c.json"
start_eddyd strangers --config "$dir/c.json" >"$dir/stdout"
curl -s -o /dev/null -H 'X-Real-IP: 203.0.113.9' "$base/"
# Whoever rotates the logs of all eddyd must not end one that has none.
kill -USR1 "$eddyd"
stop_eddyd
is 'SIGUSR1 does not end it' "$exit_status" 0
like 'JSON on standard output; a stranger is not believed' "$(cat "$dir/stdout")" \
  '^\{"time":"20.*Z","client":"127.0.0.1","method":"GET","target":"/",.*"duration":0\.[0-9]{6},.*\}$'
check 'each line is JSON' python3 -c 'import json, sys; [json.loads(l) for l in sys.stdin]' <"$dir/stdout"

printf '%s\n' "{\"accessLog\": {\"path\": \"$dir/none/access.log\"}}" >"$dir/c.json"
text=$(timeout 10 "$EDDYD" --port 0 --config "$dir/c.json" 2>&1)
like 'a directory that is not there' "$?: $text" '^73: .*none/access.log.*make its directory'

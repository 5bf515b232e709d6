#!/usr/bin/env bash
# Static files, as curl gets them: ranges, conditions, codings, and what must not be served.
source "$E2E/lib/case.sh" "$1"

www=$dir/www
mkdir -p "$www/docs" "$www/.git" "$dir/media"
printf 'secret\n' >"$dir/secret"
printf 'secret\n' >"$www/.git/config"
printf '<h1>Eddy</h1>\n' >"$www/index.html"
printf '<h1>Docs</h1>\n' >"$www/docs/index.html"
printf 'body { margin: 0 }\n' >"$www/site.css"
gzip -k "$www/site.css"
printf 'X%03dXXXXXX' {0..99} >"$www/t.txt"
ln -s ../secret "$www/out"
ln -s / "$www/root"
head -c 20000000 /dev/urandom >"$dir/media/large.bin"

cat >"$dir/c.json" <<END
{"builtins": ["sha256"], "static": {"/": "$www", "/media/": "$dir/media"}}
END
start_eddyd eddyd --config "$dir/c.json"

# A path goes as it is: curl would resolve the dots by itself.
get() { request GET "$1" --path-as-is "${@:2}"; }

none_is_open() { [ -z "$(find "/proc/$eddyd/fd" -lname '*/large.bin')" ]; }

get /t.txt
is 'a file is served' "$status:$(cat "$body_file")" "200:$(cat "$www/t.txt")"
is 'with its media type' "$(field Content-Type)" 'text/plain; charset=utf-8'
is 'and its time' "$(field Last-Modified)" "$(LC_ALL=C date -u -r "$www/t.txt" '+%a, %d %b %Y %H:%M:%S GMT')"
tag=$(field ETag)
modified=$(field Last-Modified)
like 'and a strong tag' "$tag" '^"[^"]+"$'
is 'without a query it is to be asked for again' "$(field Cache-Control)" ''
get '/t.txt?v=5'
is 'with one it is kept' "$(field Cache-Control)" max-age=315360000
get /
is 'a folder has its index' "$status:$(cat "$body_file")" '200:<h1>Eddy</h1>'
get /docs
is 'a folder without its slash is redirected' "$status:$(field Location)" 301:/docs/
get /docs -L
is 'to the one with it' "$(cat "$body_file")" '<h1>Docs</h1>'

get /t.txt -H "If-None-Match: $tag"
is 'If-None-Match' "$status" 304
get /t.txt -H "If-None-Match: \"x\", W/$tag"
is 'If-None-Match with a list and a weak tag' "$status" 304
get /t.txt -z "$modified"
is 'If-Modified-Since' "$status" 304
get /t.txt -H 'If-Match: "x"'
is_problem 'If-Match' 412 'conditions'
get /t.txt -H "If-Unmodified-Since: $modified"
is 'If-Unmodified-Since' "$status" 200

get /t.txt -r 0-8
is 'a range' "$status:$(field Content-Range):$(cat "$body_file")" '206:bytes 0-8/1000:X000XXXXX'
get /t.txt -r -10
is 'a suffix' "$status:$(field Content-Range):$(cat "$body_file")" '206:bytes 990-999/1000:X099XXXXXX'
get /t.txt -r 0-9,-10
like 'two ranges' "$status:$(field Content-Type):$(tr -d '\r\n' <"$body_file")" \
  '^206:multipart/byteranges; boundary=.*:.*0-9/1000X000XXXXXX--.*990-999/1000X099XXXXXX--.*--$'
get /t.txt -r 1000-
is_problem 'a range outside' 416 'range'
is 'and how long the file is' "$(field Content-Range)" 'bytes */1000'
get /t.txt -r 0-8 -H "If-Range: $tag"
is 'If-Range that matches' "$status" 206
get /t.txt -r 0-8 -H 'If-Range: "x"'
is 'If-Range that does not' "$status" 200

get /site.css -H 'Accept-Encoding: br;q=1, gzip;q=0.5'
is 'a coded file' "$status:$(field Content-Encoding):$(field Vary):$(gunzip <"$body_file")" \
  '200:gzip:Accept-Encoding:body { margin: 0 }'
get /site.css
is 'and the plain one for the others' "$(field Content-Encoding):$(field Vary):$(cat "$body_file")" \
  ':Accept-Encoding:body { margin: 0 }'

for path in /none /../secret /docs/../../secret /%2e%2e/secret /..%2fsecret /docs/..%2f..%2fsecret \
  /out /root/etc/passwd //etc/passwd /.git/config /%2egit/config '/t.txt%00' /t.txt/ /..%5csecret \
  /media/../www/t.txt /proc/self/environ; do
  get "$path"
  is_problem "$path is not served" 404 'no such file'
done
get /%zz
is_problem 'a path that cannot be decoded' 400 'hexadecimal'

request HEAD /t.txt -I
is 'HEAD' "$status:$(field Content-Length)" 200:1000
request POST /t.txt -d x
is_problem 'another method' 405 'GET, HEAD, OPTIONS'
is 'and which are allowed' "$(field Allow)" 'GET, HEAD, OPTIONS'
request OPTIONS /t.txt
is 'OPTIONS' "$status:$(field Allow)" '204:GET, HEAD, OPTIONS'

hash=$(sha256sum <"$dir/media/large.bin")
is 'a large file is whole' "$(curl -s "$base/media/large.bin" | sha256sum)" "$hash"
is 'and so by a slow client, over one connection' \
  "$(curl -s --limit-rate 20M "$base/media/large.bin" "$base/t.txt" | sha256sum)" \
  "$(cat "$dir/media/large.bin" "$www/t.txt" | sha256sum)"
is 'and so in parts' "$({
  curl -s -r 0-9999999 "$base/media/large.bin"
  curl -s -r 10000000- "$base/media/large.bin"
} | sha256sum)" "$hash"
for _ in {1..20}; do
  curl -s --max-time 0.1 --limit-rate 1K "$base/media/large.bin" -o /dev/null
done
check 'clients that went leave no file open' eventually 5 none_is_open
between 'and no memory: MiB' "$(($(awk '/VmRSS/ { print $2 }' "/proc/$eddyd/status") / 1024))" 1 64
check 'jobs run beside it' serves beside

stop_eddyd
is 'it stops' "$exit_status" 0

printf '{"builtins": [], "static": {"/": "%s"}}' "$www" >"$dir/c.json"
start_eddyd only --config "$dir/c.json"
get /t.txt
is 'without tasks it only serves files' "$status" 200
stop_eddyd

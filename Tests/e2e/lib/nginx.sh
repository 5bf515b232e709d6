# shellcheck shell=bash
# A real nginx on an unprivileged port, with a prefix of its own.

# A port that nobody listens on now. The system gives it to a listener that is closed again.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_nginx NAME: with $dir/NAME.site.conf as what stands in its http block. Sets nginx (its id).
start_nginx() {
  local prefix=$dir/$1 site=$dir/$1.site.conf user=
  mkdir -p "$prefix/temp" "$prefix/root"
  printf 'a file\n' >"$prefix/root/file.txt"
  # Root's workers would run as "nobody", which need not be able to reach this directory.
  if [ "$(id -u)" = 0 ]; then user='user root;'; fi
  cat >"$prefix/nginx.conf" <<END
$user
worker_processes 1;
daemon off;
pid $prefix/nginx.pid;
error_log $prefix/error.log notice;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log $prefix/access.log;
  client_body_temp_path $prefix/temp/body;
  proxy_temp_path $prefix/temp/proxy;
  fastcgi_temp_path $prefix/temp/fastcgi;
  uwsgi_temp_path $prefix/temp/uwsgi;
  scgi_temp_path $prefix/temp/scgi;
  root $prefix/root;
  include $site;
}
END
  # NGINX in the environment would be sockets to take over.
  env -u NGINX "$NGINX" -p "$prefix" -c "$prefix/nginx.conf" -e "$prefix/error.log" 2>"$prefix/stderr.log" &
  nginx=$!
  remember "$nginx"
}

# QUIT lets the workers end what they do; without its master a worker would stay.
stop_nginx() {
  kill -QUIT "$nginx" 2>/dev/null
  wait "$nginx"
}

answers() { [ "$(curl -s -o /dev/null --max-time 2 -w '%{http_code}' "$1")" != 000 ]; }

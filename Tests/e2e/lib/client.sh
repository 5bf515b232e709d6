# shellcheck shell=bash
# The C test client.

# run_client NAME FLAG...: against base. Leaves its report in $dir/NAME.json; fails as it does.
run_client() {
  local report=$dir/$1.json
  shift
  "$CLIENT" --url "$base" --json "$@" >"$report" 2>"$report.err"
}

# reported NAME KEY: a number of a report.
reported() { sed -n "s/.*\"$2\": *\([0-9.]*\).*/\1/p" "$dir/$1.json" | head -n 1; }

# shellcheck shell=bash
# Results, as TAP without numbers: the runner gives those.

ok() { printf 'ok - %s: %s\n' "$case_name" "$1"; }

# not_ok DESCRIPTION [EXPLANATION]
not_ok() {
  printf 'not ok - %s: %s\n' "$case_name" "$1"
  if [ $# -gt 1 ]; then printf '%s\n' "${2:0:2000}" | sed 's/^/#   /'; fi
}

skip() { printf 'ok - %s: %s # SKIP %s\n' "$case_name" "$1" "$2"; }

# is DESCRIPTION GOT WANT
is() {
  if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got  '$2'
want '$3'"; fi
}

# like DESCRIPTION GOT REGEX
like() {
  if [[ $2 =~ $3 ]]; then ok "$1"; else not_ok "$1" "got '$2'
which does not match '$3'"; fi
}

# check DESCRIPTION COMMAND...
check() {
  local description=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$description"; else not_ok "$description" "$* failed: $output"; fi
}

# between DESCRIPTION NUMBER LEAST MOST
between() {
  if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then ok "$1"; else not_ok "$1" "got $2, want $3 to $4"; fi
}

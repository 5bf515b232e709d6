# shellcheck shell=bash
# Results in the Test Anything Protocol; sourced by the scripts that check something.

tap_number=0
tap_failures=0

pass() {
  tap_number=$((tap_number + 1))
  echo "ok $tap_number - $*"
}

fail() {
  tap_number=$((tap_number + 1))
  tap_failures=$((tap_failures + 1))
  echo "not ok $tap_number - $*"
}

skip() { # skip WHAT WHY
  tap_number=$((tap_number + 1))
  echo "ok $tap_number - $1 # SKIP $2"
}

# try WHAT COMMAND...: one result; what the command says is shown when it fails.
try() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    pass "$what"
  else
    fail "$what"
    printf '%s\n' "$output" | sed 's/^/# /'
  fi
}

# expect WHAT ACTUAL EXPECTED: one result; both texts are shown when they differ.
expect() {
  if [ "$2" = "$3" ]; then
    pass "$1"
  else
    fail "$1"
    diff --unchanged-line-format='#   %L' --old-line-format='# - %L' --new-line-format='# + %L' \
      <(printf '%s\n' "$3") <(printf '%s\n' "$2")
  fi
}

# The plan, and the script's exit status.
finish() {
  echo "1..$tap_number"
  [ "$tap_failures" = 0 ]
  exit
}

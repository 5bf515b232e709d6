# shellcheck shell=bash
# What the scripts here share; sourced, not run. Every script works from the repository's root.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Says why a script ends, and ends it.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# The library's version, from the one place that holds it: include/eddy/version.h.
eddy_version() {
  awk '$1 == "#define" && $2 ~ /^EDDY_VERSION_(MAJOR|MINOR|PATCH)$/ { v = v "." $3 }
       END { print substr(v, 2) }' include/eddy/version.h
}

# swift_target_value KEY: a string of swiftc's description of its target (JSON, one member a line).
swift_target_value() {
  swiftc -print-target-info | sed -n "s/^ *\"$1\": \"\(.*\)\".*/\1/p" | head -n 1
}

# shellcheck shell=bash
# What every case begins with: `source "$E2E/lib/case.sh" DIRECTORY`.
set -u -o pipefail

# Logs and files of this case.
dir=$1
case_name=$(basename "$dir")
# An argument of this case's commands that no other process has.
marker=eddy-e2e-$case_name-$$
LC_ALL=C.UTF-8
export LC_ALL

for part in tap process eddyd http nginx; do
  source "$E2E/lib/$part.sh"
done

# TERM lets nginx's master end its workers; the rest can be killed.
finish_case() {
  if [ -n "${nginx:-}" ]; then kill -TERM "$nginx" 2>/dev/null && wait "$nginx" 2>/dev/null; fi
  end_started
}
trap finish_case EXIT
trap 'exit 1' INT TERM

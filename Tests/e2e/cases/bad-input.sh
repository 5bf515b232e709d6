#!/usr/bin/env bash
# Malformed, oversized and slow requests: each has its status and a problem document.
source "$E2E/lib/case.sh" "$1"

# Short times, so that slow clients need not be slow for long.
cat >"$dir/eddyd.json" <<END
{"limits": {"headTimeout": 1.5, "bodyRateWindow": 1, "minimumBodyRate": 100, "body": 100000}}
END
start_eddyd eddyd --config "$dir/eddyd.json"
python3 "$E2E/bad_input.py" 127.0.0.1 "$port" | sed "s/ - / - $case_name: /"
is 'the table of bad input was gone through' "${PIPESTATUS[0]}" 0
check 'eddyd is still there' kill -0 "$eddyd"
stop_eddyd
is 'and stops with 0' "$exit_status" 0

#!/usr/bin/env python3
"""Runs the example programs with real clients, and checks what they answer. Prints TAP.

    Tests/examples/run.py LABEL DIRECTORY        the programs are in DIRECTORY

The C examples and the Swift ones are the same programs, so the same checks hold for both.
"""

import sys

import programs
import servers
from harness import label

number = 0
failures = 0


def check(test):
    global number, failures
    number += 1
    try:
        test()
        result = "ok"
    except Exception as error:  # any: what failed is what counts
        result = "not ok"
        failures += 1
        print(f"# {type(error).__name__}: {error}".replace("\n", "\n# "))
    print(f"{result} {number} - {label}: {test.__name__.replace('_', ' ')}", flush=True)


EXAMPLES = ("echo_", "chat_", "forward_", "timer_wheel_", "command_", "ping_", "watch_", "resolve_",
            "send_file_", "host_loop_", "digest_")
for module in (servers, programs):
    for name, value in vars(module).items():
        if name.startswith(EXAMPLES):
            check(value)
print(f"1..{number}")
sys.exit(failures != 0)

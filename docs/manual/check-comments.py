#!/usr/bin/env python3
"""Prints what the doc comments of the headers lack: a "Since" for each function, and a @param for
each parameter that is not plain."""
import re
import sys

# What the rules at the top of eddy.h say for every function, or the function's own sentence does.
PLAIN_TYPES = re.compile(
    r"^(const )?eddy_\w+ \*\*?$"  # the handle itself, its loop, its configuration, the new handle
    r"|^eddy_\w+_cb$"  # a callback, whose type has a comment of its own
)
PLAIN_NAMES = {
    "context",  # given to the callback
    "size", "length",  # of the buffer or data before it
    "error", "status",  # a code of eddy/error.h
    "signal_number",
}
DECLARATION = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\n((?:typedef )?[a-z][^;{}#/]*\([^;{}#]*\));", re.S)


def parameters(declaration):
    """(type, name) of each parameter of a function or of a callback's type."""
    start = declaration.index("(*", 0) if declaration.startswith("typedef") else 0
    inside = declaration[declaration.index("(", start + 1) + 1 : declaration.rindex(")")]
    for text in " ".join(inside.split()).split(", "):
        match = re.match(r"(.*?)(\w+)(\[\d*\])?$", text)
        if text not in ("void", "") and match:
            yield match.group(1).strip(), match.group(2)


for path in sys.argv[1:]:
    for comment, declaration in DECLARATION.findall(open(path, encoding="utf-8").read()):
        declaration = " ".join(declaration.split())
        name = re.search(r"(eddy_\w+)\)?\s*\(", declaration).group(1)
        if not declaration.startswith("typedef") and not re.search(r"Since[\s*]+\d+\.\d+\.", comment):
            print(f"{path}: {name} does not say since when")
        described = set(re.findall(r"@param\s+(\w+)", comment))
        for kind, parameter in parameters(declaration):
            if parameter in described or parameter in PLAIN_NAMES or PLAIN_TYPES.match(kind):
                continue
            print(f"{path}: {name}: its parameter {parameter} is not described")

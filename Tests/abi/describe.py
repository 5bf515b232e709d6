#!/usr/bin/env python3
"""Prints what a program that is compiled against the headers relies on: the layout of each struct,
the value of each enumerator and constant, the errors, and the types of functions and callbacks.

  describe.py INCLUDE    where eddy.h is

Names and types are read from the preprocessed headers, numbers from a C program that is generated
from them. A declaration of a form that is not known here is an error, so that none is left out.
"""
import os
import re
import subprocess
import sys
import tempfile

COMPILER = os.environ.get("CC", "cc")
# Macros that are no constants: versions change, and the others are syntax or an initial value.
NO_CONSTANT = re.compile(r"EDDY_(\w+_H|H|VERSION_\w+|BEGIN_DECLS|END_DECLS|\w+_INIT)$")
ERROR = re.compile(r"EDDY_E[A-Z0-9]+$")  # printed with its message, from the table of errors


def preprocess(include, *flags):
    command = [COMPILER, "-E", *flags, f"-I{include}", f"{include}/eddy.h"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def own_text(include):
    """{header: its text without comments and directives}, without the system's headers."""
    texts, header = {}, None
    for line in preprocess(include).splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            path = marker.group(1)
            header = os.path.basename(path) if path.startswith(include) else None
        elif header:
            texts[header] = texts.get(header, "") + line + "\n"
    return texts


def declarations(text):
    """The declarations of a header, each on one line and without its semicolon."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == ";" and depth == 0:
            yield " ".join(text[start:index].split())
            start = index + 1
    if text[start:].strip():
        sys.exit(f"describe.py: no end of: {' '.join(text[start:].split())}")


def declared_name(member):
    """The name in "int (*f)(void)", "char *a[4]" or "int i"."""
    return re.search(r"\(\*(\w+)\)|(\w+)(?:\[\w*\])*$", member).group(1, 2)


def parameter_types(parameters):
    """Without the names, which a program does not depend on."""
    types = []
    for parameter in parameters.split(","):
        parameter = parameter.strip()
        match = re.match(r"(.*[ *])\w+((?:\[\w*\])*)$", parameter)
        types.append(match.group(1).strip() + match.group(2) if match else parameter)
    return ", ".join(types)


def member_lines(name, body):
    """C statements that print the members of a struct."""
    for member in body.split(";"):
        member = member.strip()
        if not member:
            continue
        field = next(filter(None, declared_name(member)))
        yield (
            f'printf("  %zu: {member}, %zu bytes\\n", offsetof({name}, {field}), '
            f"sizeof((({name} *)0)->{field}));"
        )


def statements(header, declaration):
    """C statements that print one declaration."""
    match = re.match(r"typedef struct (\w+) \1$", declaration)
    if match:
        return [f'puts("handle {match.group(1)}");']
    match = re.match(r"typedef struct (\w+) \{(.*)\} \1$", declaration)
    if match:
        name, body = match.groups()
        return [
            f'printf("struct {name}: %zu bytes, aligned to %zu\\n", sizeof({name}), '
            f"offsetof(struct {{ char c; {name} s; }}, s));",
            *member_lines(name, body),
        ]
    match = re.match(r"enum(?: \w+)? \{(.*)\}$", declaration)
    if match:
        names = [item.split("=")[0].strip() for item in match.group(1).split(",")]
        return [f'puts("enum of {header}");'] + [
            f'printf("  {name} = %lld\\n", (long long){name});'
            for name in names
            if name and not ERROR.match(name)
        ]
    match = re.match(r"typedef (.*)\(\*(\w+)\)\((.*)\)$", declaration)
    if match:
        result, name, parameters = match.groups()
        return [f'puts("callback {name}: {result.strip()} ({parameter_types(parameters)})");']
    match = re.match(r"([^(]*?)(\w+)\(([^()]*)\)$", declaration)
    if match:
        result, name, parameters = match.groups()
        return [f'puts("function {name}: {result.strip()} ({parameter_types(parameters)})");']
    sys.exit(f"describe.py: {header}: this declaration can't be read: {declaration}")


def constants(include):
    for line in preprocess(include, "-dM").splitlines():
        match = re.match(r"#define (EDDY_\w+) (.+)$", line)
        if match and not NO_CONSTANT.match(match.group(1)):
            yield match.group(1)


def program(include):
    lines = ["#include <eddy.h>", "#include <stdio.h>", "int main(void) {"]
    lines += [
        f'printf("constant {name} = %llu\\n", (unsigned long long){name});'
        for name in sorted(constants(include))
    ]
    lines += [
        'puts("errors");',
        '#define PRINT(name, number, message) printf("  %d: %s, %s\\n", name, #name, message);',
        "EDDY_ERRORS(PRINT)",
    ]
    for header, text in sorted(own_text(include).items()):
        for declaration in declarations(text):
            lines += statements(header, declaration)
    return "\n".join([*lines, "return 0;", "}", ""])


def describe(include):
    with tempfile.TemporaryDirectory() as directory:
        source, executable = f"{directory}/describe.c", f"{directory}/describe"
        with open(source, "w", encoding="utf-8") as file:
            file.write(program(include))
        subprocess.run([COMPILER, f"-I{include}", "-o", executable, source], check=True)
        return subprocess.run([executable], check=True, capture_output=True, text=True).stdout


if len(sys.argv) != 2:
    sys.exit(__doc__)
print(describe(sys.argv[1].rstrip("/")), end="")

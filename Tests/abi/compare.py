#!/usr/bin/env python3
"""Says what of an interface, as describe.py prints it, would break a program that was compiled
against an older one. Prints nothing and exits with 0 if nothing would.

  compare.py OLD NEW

What may be added: functions, callbacks, structs, handles, constants and enumerations; an enumerator
or error whose number lies beyond all others of its enumeration; a member behind the end of a struct
that begins with its size, by which the library can tell an older program's struct from a newer one's.
"""
import re
import sys


def read(path):
    """[(first line, [indented lines])]"""
    blocks = []
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("  "):
                blocks[-1][1].append(line.strip())
            else:
                blocks.append((line, []))
    return blocks


def by_name(blocks):
    """{"struct eddy_loop_config": its block}, for the blocks that have a name."""
    named = {}
    for head, lines in blocks:
        words = re.match(r"(\w+ \w+|errors)", head).group(1)
        if not head.startswith("enum "):
            named[words] = (head, lines)
    return named


def compare_structs(name, old, new):
    old_size, new_size = (int(re.search(r": (\d+) bytes", head).group(1)) for head, _ in (old, new))
    old_members, new_members = old[1], new[1]
    for index, member in enumerate(old_members):
        present = new_members[index] if index < len(new_members) else "nothing"
        if present != member:
            yield f'{name}: where "{member}" was, there is "{present}"'
            return
    added = new_members[len(old_members) :]
    if added and not re.match(r"0: size_t size,", old_members[0]):
        yield f'{name} does not begin with its size, and so can\'t grow: "{added[0]}" is new'
    elif added and int(added[0].split(":")[0]) < old_size:
        yield (
            f'{name}: "{added[0]}" lies in what was padding, below the old size of {old_size} bytes:'
            " an older program's struct has no value there"
        )
    elif not added and new_size != old_size:
        yield f"{name} had {old_size} bytes, and has {new_size}"
    if old[0].split(", ")[1] != new[0].split(", ")[1]:
        yield f'{name} was {old[0].split(", ")[1]}, and is {new[0].split(", ")[1]}'


def enumerators(blocks):
    """[{name: number}]"""
    return [
        {name: int(number) for name, number in (line.split(" = ") for line in lines)}
        for head, lines in blocks
        if head.startswith("enum ")
    ]


def compare_numbers(what, old, new):
    for name, number in old.items():
        if name not in new:
            yield f"{what} {name} is gone"
        elif new[name] != number:
            yield f"{what} {name} was {number}, and is {new[name]}"
    for name, number in new.items():
        if name not in old and min(old.values()) <= number <= max(old.values()):
            yield f"{what} {name} is new and has the number {number}, which lies among older ones"


def errors(block):
    """({name: number}, {name: message})"""
    found = [re.match(r"(-?\d+): (\w+), (.*)", line).groups() for line in block[1]]
    return {name: int(number) for number, name, _ in found}, {name: text for _, name, text in found}


def compare(old_blocks, new_blocks):
    old, new = by_name(old_blocks), by_name(new_blocks)
    for name, block in old.items():
        if name not in new:
            yield f"{name} is gone"
        elif name.startswith("struct "):
            yield from compare_structs(name, block, new[name])
        elif name == "errors":
            (old_numbers, old_texts), (numbers, texts) = errors(block), errors(new[name])
            yield from compare_numbers("error", old_numbers, numbers)
            for error, text in old_texts.items():
                if texts.get(error, text) != text:
                    yield f'error {error} said "{text}", and says "{texts[error]}"'
        elif new[name] != block:
            yield f'"{block[0]}" is now "{new[name][0]}"'
    for numbers in enumerators(old_blocks):
        same = [other for other in enumerators(new_blocks) if numbers.keys() & other.keys()]
        present = {name: number for other in same for name, number in other.items()}
        yield from compare_numbers("enumerator", numbers, present)


if len(sys.argv) != 3:
    sys.exit(__doc__)
breaks = list(compare(read(sys.argv[1]), read(sys.argv[2])))
print("\n".join(breaks), end="\n" if breaks else "")
sys.exit(bool(breaks))

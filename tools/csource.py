# SPDX-License-Identifier: Apache-2.0
"""How the checks in this directory read C: blanked text, functions, tokens.

The tree is laid out by clang-format, and this reader leans on that: a
function body opens with a `{` alone in column 0 and closes with a `}` there.
"""

import os
import re
import subprocess
import sys
from collections import namedtuple

sys.dont_write_bytecode = True

Function = namedtuple("Function", "name line params body body_line lines")

LITERAL = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S
)
HEAD = re.compile(r"^[A-Za-z_][^;={}]*?\b(\w+)\(", re.S)
NOT_A_FUNCTION = {"if", "for", "while", "switch", "return", "sizeof"}


def blank(text, keep_strings=False):
    """Text with comments and literals blanked; every line stays in place."""

    def blanked(match):
        found = match.group(0)
        if found[0] == "/" or not keep_strings:
            return re.sub(r"[^\n]", " ", found)
        return found

    return LITERAL.sub(blanked, text)


def without_preprocessor(text):
    """Blanked text with directives and their continuations blanked too."""
    return re.sub(
        r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*",
        lambda match: re.sub(r"[^\n]", " ", match.group(0)),
        text,
        flags=re.M,
    )


def closing(text, at):
    """Index of the bracket that closes the one at `at`."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    opener, closer, depth = text[at], pairs[text[at]], 0
    for i in range(at, len(text)):
        if text[i] == opener:
            depth += 1
        elif text[i] == closer:
            depth -= 1
            if depth == 0:
                return i
    return len(text) - 1


def count_parameters(inside):
    """Number of parameters in the text between a function's parentheses."""
    inside = inside.strip()
    if inside in ("", "void"):
        return 0
    depth, commas = 0, 0
    for char in inside:
        depth += char in "(["
        depth -= char in ")]"
        commas += char == "," and depth == 0
    return commas + 1


def functions(text):
    """Every function defined in `text` (raw C)."""
    code = without_preprocessor(blank(text))
    for match in re.finditer(r"^\{$", code, re.M):
        before = code[: match.start()]
        start = max(before.rfind(";"), before.rfind("}")) + 1
        head = before[start:]
        lead = len(head) - len(head.lstrip())
        found = HEAD.match(head[lead:])
        if not found or found.group(1) in NOT_A_FUNCTION:
            continue
        opener = start + lead + found.end() - 1
        inside = code[opener + 1 : closing(code, opener)]
        end = closing(code, match.start())
        name = found.group(1)
        if name == "TEST":  # TEST(name) { ... } of test/lib/tap.h
            name = inside.strip()
        first = code.count("\n", 0, start + lead) + 1
        body_line = code.count("\n", 0, match.start()) + 1
        last = code.count("\n", 0, end) + 1
        yield Function(
            name,
            first,
            count_parameters(inside),
            code[match.start() + 1 : end],
            body_line,
            last - body_line - 1,
        )


def tracked(*patterns):
    """Files of the tree, committed or not, that match the git pathspecs."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
         "--", *patterns],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    return sorted({name for name in listing.split("\0")
                   if os.path.isfile(name)})


def read(path):
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read()


def report(tool, findings, summary):
    """Print the findings, then one closing line; returns the exit status."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{tool}: {len(findings)} findings")
        return 1
    print(f"{tool}: {summary}")
    return 0

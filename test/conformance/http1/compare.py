#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what two readers saw: ours may refuse more, never take more.

usage: compare.py PEER CASES OURS THEIRS DIFFERENCES

A whole message that we took, and the peer did not or read otherwise, is a
failure unless DIFFERENCES knows it: lines `PEER NAME`, where NAME is one of
EXCUSES below, which say how such a difference is recognised.
"""

import json
import re
import sys

FAILURES_SHOWN = 10


def frames(path):
    with open(path, "rb") as stream:
        while size := stream.read(4):
            yield stream.read(int.from_bytes(size, "big"))


def lines(path):
    with open(path, encoding="ascii") as stream:
        return [json.loads(line) for line in stream]


def plain(message):
    """A message in the words in which two readers must agree."""
    headers = []
    for header in message["headers"]:
        name = bytes.fromhex(header["name"]).lower()
        value = bytes.fromhex(header["value"])
        if name == b"transfer-encoding":
            value = value.lower()  # h11 hands out its own spelling
        headers.append((name, value))
    fields = ("method", "target", "body")
    return headers, [bytes.fromhex(message[field]) for field in fields]


def values(message, name):
    return [value for key, value in plain(message)[0] if key == name]


def connection_options(message):
    options = b",".join(values(message, b"connection")).lower()
    return [option.strip() for option in options.split(b",")]


# How a difference in the list is recognised: from the case, our message, and
# what the peer said.
EXCUSES = {
    "unknown method": lambda case, ours, theirs: theirs.get("reason")
    == "HPE_INVALID_METHOD",
    "upgrade": lambda case, ours, theirs: theirs["verdict"] == "upgrade"
    and b"upgrade" in connection_options(ours),
    "framing in trailers": lambda case, ours, theirs: theirs["verdict"] == "refused"
    and re.search(rb"\n0+(;[^\r]*)?\r\n([^\r]+\r\n)*(content-length|transfer-encoding):",
                  case, re.I),
    "tab behind a length": lambda case, ours, theirs: theirs["verdict"] == "refused"
    and re.search(rb"\n(transfer-encoding:[ \t]*chunked|content-length:[ \t]*[0-9]+)"
                  rb"[ \t]*\t[ \t]*\r", case, re.I),
}


def compare(case, ours, theirs, excuses):
    """None, or why the two may not differ so; the excuse used."""
    for at, message in enumerate(ours["messages"]):
        if at < len(theirs["messages"]):
            if plain(message) == plain(theirs["messages"][at]):
                continue
            what = f"message {at} is read otherwise"
        else:
            what = f"message {at} is taken"
            for name in excuses:
                if EXCUSES[name](case, message, theirs):
                    return None, name
        return f"{what}; {theirs['verdict']} {theirs.get('reason', '')}: {case!r}", None
    return None, None


def main():
    peer, cases, ours, theirs, differences = sys.argv[1:]
    with open(differences, encoding="ascii") as stream:
        known = re.findall(rf"^{peer} (.+)$", stream.read(), re.M)
    failures, used, taken, refused = [], {}, 0, 0
    rows = list(zip(frames(cases), lines(ours), lines(theirs), strict=True))
    for case, our, their in rows:
        why, excuse = compare(case, our, their, known)
        taken += len(our["messages"])
        refused += len(our["messages"]) < len(their["messages"])
        if excuse:
            used[excuse] = used.get(excuse, 0) + 1
        if why:
            failures.append(why)
    for why in failures[:FAILURES_SHOWN]:
        print(why)
    print(f"{len(rows)} connections, {taken} messages taken by us, in {refused} more"
          f" by {peer}; known differences {used}; failures {len(failures)}")
    return 1 if failures or taken == 0 else 0


sys.exit(main())

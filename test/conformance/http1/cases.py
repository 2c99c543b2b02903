#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the cases of the differential test: what a client sends on one
connection, each behind 4 bytes of big-endian length.

usage: cases.py COUNT SEED        (mutated cases; the written ones come first)
"""

import random
import sys

HOST = b"Host: a\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
TE = b"Transfer-Encoding: "
CL = b"Content-Length: "
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


def get(lines=b"", first=b"GET / HTTP/1.1"):
    return first + b"\r\n" + HOST + lines + b"\r\n"


def post(lines, body=b"", first=b"POST / HTTP/1.1"):
    return get(lines, first) + body + NEXT


def smuggled():
    """Lengths in doubt: every pair of framing lines."""
    framings = [
        CL + b"5", CL + b"6", CL + b"0", CL + b"+5", CL + b"-5", CL + b"05",
        CL + b"5, 5", CL + b"5,6", CL + b"0x5", CL + b"5 ", CL + b"\t5", CL + b"",
        CL + b"5\x0b", CL + b"1_0", CL + b"\xb2", CL + b"18446744073709551621",
        CL + b"9223372036854775808", b"Content-Length : 5", b"Content-Length\t: 5",
        b"content-length:5", b"Content_Length: 5", b" Content-Length: 5",
        b"X: y\n" + CL + b"5", b"X: y\r" + CL + b"5", b"X:\x00y\r\n" + CL + b"5",
        TE + b"chunked", TE + b"CHUNKED", TE + b"chunked, chunked",
        TE + b"chunked,", TE + b",chunked", TE + b"gzip, chunked",
        TE + b"chunked, gzip", TE + b"identity", TE + b"identity, chunked",
        TE + b"xchunked", TE + b"chunkedx", TE + b"chunked;a=b", TE + b"\"chunked\"",
        TE + b"'chunked'", TE + b"", TE + b" chunked\t", TE + b"\x0bchunked",
        TE + b"chunked\x00", TE + b"\xa0chunked", b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\x00: chunked", b"Transfer_Encoding: chunked",
        b"Transfer-Encoding:\n chunked", b"Transfer-Encoding:\r\n chunked",
        b"X: y\r\n " + TE + b"chunked", b"X: y\n" + TE + b"chunked",
        b"Transfer-Encoding\r\n: chunked", b"Connection: Transfer-Encoding",
        b"Expect: 100-continue", b"Connection: close", b"Upgrade: h2c",
        b"TE: chunked", b"Trailer: Content-Length",
    ]
    for a in framings:
        for body in (b"hello", CHUNKS, b""):
            yield post(a + b"\r\n", body)
            yield post(a + b"\r\n", body, b"POST / HTTP/1.0")
            yield post(a + b"\r\n", body, b"GET / HTTP/1.1")
        for b in framings:
            yield post(a + b"\r\n" + b + b"\r\n", CHUNKS)


def chunked():
    """Broken and odd chunks."""
    sizes = [
        b"5", b"05", b"0005", b"5;a", b"5;a=b", b"5;a=\"b;c\"", b"5;a=\"b\\\"c\"",
        b"5 ", b" 5", b"5\t", b"5 ;a", b"5; a", b"5;", b"5;a=", b"5;=b", b"5;a=\"b",
        b"+5", b"-5", b"0x5", b"5g", b"5_", b"", b"g", b"5;a\x00", b"5;a\nb",
        b"5;a\rb", b"5\x00", b"5\x0b", b"5\xa0", b"10000000000000005",
        b"fffffffffffffffb", b"8000000000000000", b"5;a=b\xff", b"5;a b",
        b"5;" + b"a" * 200, b"5;" + b"a" * 20000, b"0" * 40 + b"5",
    ]
    ends = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\r\n\r\n", b""]
    last = [
        b"0\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"0\r\r\n\r\n", b"00\r\n\r\n",
        b"0;a=b\r\n\r\n", b"0 \r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0\r\nA : b\r\n\r\n",
        b"0\r\nA\r\n\r\n", b"0\r\nA: b\n\r\n", b"0\r\nA: b\r\n c\r\n\r\n",
        b"0\r\n: b\r\n\r\n", b"0\r\nA: \x00\r\n\r\n", b"0\r\n" + CL + b"5\r\n\r\n",
        b"0\r\n" + TE + b"chunked\r\n\r\n", b"0\r\nA: b\r\n\r", b"0\r\n",
    ]
    head = TE + b"chunked\r\n"
    for size in sizes:
        yield post(head, size + b"\r\nhello\r\n0\r\n\r\n")
    for end in ends:
        yield post(head, b"5" + end + b"hello\r\n0\r\n\r\n")
        yield post(head, b"5\r\nhello" + end + b"0\r\n\r\n")
        yield post(head, b"5\r\nhell" + end + b"0\r\n\r\n")
    for end in last:
        yield post(head, b"5\r\nhello\r\n" + end)
        yield post(head, end)


def heads():
    """Request lines and header lines."""
    firsts = [
        b"GET / HTTP/1.1", b"GET / HTTP/1.0", b"GET / HTTP/0.9", b"GET / HTTP/1.2",
        b"GET / HTTP/2.0", b"GET / HTTP/1.10", b"GET / HTTP/01.1", b"GET / http/1.1",
        b"GET / HTTP/1.1 ", b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b" GET / HTTP/1.1",
        b"GET\t/ HTTP/1.1", b"GET /\tHTTP/1.1", b"GET /", b"GET", b"", b"\r\nGET / HTTP/1.1",
        b"\nGET / HTTP/1.1", b"\rGET / HTTP/1.1", b"G\x00T / HTTP/1.1", b"get / HTTP/1.1",
        b"FOO / HTTP/1.1", b"G(T / HTTP/1.1", b"GET /a b HTTP/1.1", b"GET /\x00 HTTP/1.1",
        b"GET /\x7f HTTP/1.1", b"GET /\xe9 HTTP/1.1", b"GET /#a HTTP/1.1",
        b"GET /{|}^[]\\`<>\" HTTP/1.1", b"GET http://b/ HTTP/1.1", b"GET //b/c HTTP/1.1",
        b"GET * HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
        b"CONNECT / HTTP/1.1", b"GET a HTTP/1.1", b"GET ?a HTTP/1.1", b"GET / HTTP/1.1\r",
        b"HEAD / HTTP/1.1", b"DELETE /a?b=c HTTP/1.1", b"PRI * HTTP/2.0",
        b"GET / ICE/1.0", b"GET / HTTP/1.1\r\n ", b"GET / HTTP/1.1\n", b"SOURCE / HTTP/1.1",
    ]
    lines = [
        b"A: b\r\n", b"A:b\r\n", b"A:\r\n", b"A: \t b \t \r\n", b"A : b\r\n", b"A\t: b\r\n",
        b"A\r\n", b": b\r\n", b"A(: b\r\n", b"A\xe9: b\r\n", b"A: \xe9\r\n", b"A: b\r\n c\r\n",
        b"A: b\r\n\tc\r\n", b" A: b\r\n", b"A: b\nC: d\r\n", b"A: b\rC: d\r\n", b"A: b\x00\r\n",
        b"A: b\x01\r\n", b"A: \x7f\r\n", b"A: b\r\r\n", b"A: b\n", b"A: b\x0b\r\n", b"\x00: b\r\n",
        HOST, b"Host: b\r\n", b"HOST : b\r\n", b"A: b: c\r\n", b"A B: c\r\n", b"A: b\r\n\r",
        b"Connection: close\r\n", b"Connection: keep-alive, close\r\n", b"Connection: x\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"A: " + b"x" * 15000 + b"\r\n",
        b"A: b\r\n" * 62, b"A: b\r\n" * 64, b"A: b\r\n" * 101, b"\"A\": b\r\n", b"A@: b\r\n",
    ]
    hosts = [
        b"", b"Host:\r\n", b"Host: a/b\r\n", b"Host: a b\r\n", b"Host: a@b\r\n", b"Host: a,b\r\n",
        b"Host: [::1]:80\r\n", b"Host: \xe9\r\n", b"Host: a#b\r\n", b"host: A\r\n", b"Host : a\r\n",
        b"Host: a\r\nHost: a\r\n", b"Host: a\\b\r\n", b"Host: a\x00\r\n",
    ]
    for first in firsts:
        yield get(first=first) + NEXT
    for line in lines:
        yield get(line) + NEXT
        yield get(line, b"GET / HTTP/1.0") + NEXT
    for host in hosts:
        yield b"GET / HTTP/1.1\r\n" + host + b"\r\n" + NEXT
        yield b"GET / HTTP/1.0\r\n" + host + b"\r\n"
    for cut in range(len(NEXT)):
        yield NEXT[:cut]


def good():
    """What everybody takes: most of what is mutated, for it goes deepest."""
    yield get(b"A: b\r\nC: d\r\n") + NEXT
    yield post(CL + b"5\r\n", b"hello")
    yield post(TE + b"chunked\r\n", CHUNKS)
    yield post(TE + b"chunked\r\n", b"5;a=b;c=\"d\"\r\nhello\r\n0;e\r\nA: b\r\n\r\n")
    yield post(b"Connection: keep-alive\r\n" + CL + b"0\r\n")
    yield get(b"Connection: close\r\n" + CL + b"5\r\n") + b"hello"
    yield get(CL + b"5\r\n", b"POST /a?b=c HTTP/1.0") + b"hello"


def written():
    for part in (good(), heads(), chunked(), smuggled()):
        yield from part


BITS = [
    b"\r\n", b"\r", b"\n", b"\0", b" ", b"\t", b":", b";", b",", b"\"", b"\\", b"0", b"5",
    b"\x0b", b"\xa0", b"\x7f", b"\xff", b"+", b"-", b"=", b"chunked", b"close", CL + b"5\r\n",
    TE + b"chunked\r\n", HOST, b"0\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1", b"GET / HTTP/1.1\r\n",
]


def mutate(rng, seed):
    bytes_ = bytearray(seed)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(bytes_))
        what = rng.randrange(5)
        if what == 0:
            del bytes_[at:at + rng.randint(1, 3)]
        elif what == 1 and at < len(bytes_):
            bytes_[at] = rng.randrange(256)
        elif what == 2:
            start = rng.randint(0, len(bytes_))
            bytes_[at:at] = bytes_[start:start + rng.randint(1, 30)]
        else:
            bytes_[at:at] = rng.choice(BITS)
    return bytes(bytes_)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    seeds = list(written())
    small = [case for case in seeds if len(case) < 500]
    best = list(good())
    for _ in range(count):
        seeds.append(mutate(rng, rng.choice(rng.choice((best, best, small)))))
    for case in seeds:
        sys.stdout.buffer.write(len(case).to_bytes(4, "big") + case)


main()

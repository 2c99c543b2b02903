#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bombs inside hurt only their own sandbox; what was asked for is what is got.
# timeout: 400
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
plan 12

run()
{
	"$CAPONIER" run --quiet --no-stdin "$@"
}

# shellcheck disable=SC2016 # for the shell inside
run --json -- python3 -c 'b = []
while True:
    b.append(bytearray(1 << 22))' >/dev/null 2>"$TAP_DIR/json" &&
	status=0 || status=$?
is "$status $(json_field "$TAP_DIR/json" cause)" "137 memory" \
	"eating all memory ends the command, cause memory"

is "$(run -- python3 -c 'import threading
gate = threading.Event(); n = 0
try:
    while n < 100000:
        threading.Thread(target=gate.wait, daemon=True).start(); n += 1
    print("no limit")
except RuntimeError:
    print("limit")
gate.set()' 2>&1)" limit "threads without end meet a limit"

out=$(run -- sh -c 'fallocate -l 20G big 2>&1; rm -f big; echo well')
like "$out" 'No space left' "a full disk says so inside"
like "$out" 'well' "and the sandbox goes on"
# shellcheck disable=SC2016 # for the shell inside
size=$(run --disk 20G -- sh -c 'df -BG --output=size / | tail -n 1 | tr -d " G"')
ok "--disk 20G gives about that (${size}G)" \
	test "$size" -ge 18 -a "$size" -le 20

# shellcheck disable=SC2016 # for awk inside
mem=$(run --mem 256M -- awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
ok "--mem 256M gives no more than that (${mem}M)" \
	test "$mem" -gt 150 -a "$mem" -le 256
is "$(run --cpu 2 -- nproc)" 2 "--cpu 2 gives two"
is "$(run -- nproc)" 1 "one is the default"

# A clock that the guest sets is its own.
before=$(date +%s)
run --user root -- date -s '2001-01-01' >/dev/null
after=$(date +%s)
ok "setting the clock inside sets no clock outside" \
	test $((after - before)) -ge 0 -a $((after - before)) -lt 100

# Output through a reader that is slow at first.
bytes=$(run -- sh -c 'head -c 50M /dev/zero' | { sleep 1; wc -c; })
is "$bytes" 52428800 "50 MB of output arrive whole, however slow the reader"

is "$(run --cpu 0.5 -- nproc)" 1 "--cpu 0.5 runs under a quota"
ok "nothing is left" wait_for 5 nothing_left

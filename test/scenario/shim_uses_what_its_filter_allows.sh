#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Each system call that the caged shim is allowed is one that it makes. (A call
# that is not allowed kills it, which every other test would show.)
. "$(dirname "$0")/../lib/tap.sh"

command -v strace >/dev/null || skip_all "strace is not installed"
[ "$(id -u)" = 0 ] || skip_all "needs root: the tests make control groups"
plan 2

SHIM_STUB=$CAPONIER_BUILD/test/shim/caponier-shim-stub
HOSTILE_AGENT=$CAPONIER_BUILD/test/shim/hostile_agent
AGENT=$CAPONIER_BUILD/caponier-agent
export SHIM_STUB HOSTILE_AGENT AGENT

# What a process called after its filter was in place.
caged_calls()
{
	awk '
	{ pid = $1; call = $2; sub(/\(.*/, "", call) }
	caged[pid] && call ~ /^[a-z_0-9]+$/ { print call }
	/ seccomp\(SECCOMP_SET_MODE_FILTER/ { caged[pid] = 1 }' "$@" | sort -u
}

for name in life output; do
	strace -f -qq -o "$TAP_DIR/$name" \
		"$CAPONIER_BUILD/test/shim/test_shim_$name" \
		>"$TAP_DIR/$name.tap" 2>&1
done
caged_calls "$TAP_DIR/life" "$TAP_DIR/output" >"$TAP_DIR/used"
sed 's/#.*//; /^[ \t]*$/d' "$TAP_ROOT/src/shim/shim.seccomp.tbl" |
	awk '{ print $1 }' | sort -u >"$TAP_DIR/allowed"

ok "some calls were seen" grep -q epoll_wait "$TAP_DIR/used"
# Not reached here: the vdso tells the time, sendmsg is for QEMU's state, and
# whether a buffer over 128 KiB grows by mremap depends on what was freed before.
unused=$(comm -13 "$TAP_DIR/used" "$TAP_DIR/allowed" |
	grep -vx -e clock_gettime -e mremap -e sendmsg | tr '\n' ' ')
is "$unused" "" "no call is allowed that is not made"

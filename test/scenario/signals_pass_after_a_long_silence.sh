#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shim closes a connection that rests for a minute; signals pass after that.
# timeout: 240
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
plan 3

background "$CAPONIER" run --quiet --no-stdin -- \
	sh -c 'trap "echo got it; exit 5" TERM; echo ready
		while :; do sleep 0.1; done' \
	>"$TAP_DIR/out" 2>"$TAP_DIR/err"
cli=$!
wait_line 60 "$TAP_DIR/out" ready || bail "no sandbox: $(cat "$TAP_DIR/err")"
keeper=$(children "$cli" | head -n 1)
shim=$(children "$keeper" | head -n 1)

# sockets AT_MOST: the shim has no more of them.
sockets()
{
	[ "$(find "/proc/$shim/fd" -lname 'socket:*' | wc -l)" -le "$1" ]
}

many=$(find "/proc/$shim/fd" -lname 'socket:*' | wc -l)
ok "the connection for small calls is closed when it rests" \
	wait_for 120 sockets $((many - 1))
kill -TERM "$cli"
wait_gone 20 "$cli" || kill -KILL "$cli"
wait "$cli" && status=0 || status=$?
is "$status" 5 "SIGTERM is passed to the command afterwards"
is "$(tail -n 1 "$TAP_DIR/out")" "got it" "which handled it"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What goes into `caponier run` reaches the command, and what it does comes out.
# timeout: 300
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
plan 20

run()
{
	"$CAPONIER" run --quiet "$@"
}

nonce=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
is "$(run -- python3 -c \
	'import hashlib,sys; print(hashlib.sha256(sys.argv[1].encode()).hexdigest())' \
	"$nonce")" \
	"$(printf %s "$nonce" | sha256sum | cut -d ' ' -f 1)" \
	"python inside hashes a nonce from the command line"

head -c 10000000 /dev/urandom >"$TAP_DIR/random"
run -- cat <"$TAP_DIR/random" >"$TAP_DIR/back"
ok "10 MB of stdin come back through cat unchanged" \
	cmp "$TAP_DIR/random" "$TAP_DIR/back"

for status in 0 7 137; do
	exits "$status" "exit status $status passes" \
		run -- sh -c "exit $status"
done
# shellcheck disable=SC2016 # for the shell inside
exits 143 "a command killed by a signal gives 128 + its number" \
	run -- sh -c 'kill -TERM $$'

kernel=$("$CAPONIER" template ls --json |
	python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["kernel"])')
is "$(run -- uname -r)" "$kernel" "the kernel is the template's"
differs "$(uname -r)" "$kernel" "and not the host's"

# shellcheck disable=SC2016 # for the shell inside
run -- sh -c 'for i in $(seq 200); do echo out $i; echo err $i >&2; done' \
	>"$TAP_DIR/out" 2>"$TAP_DIR/err"
seq 200 | sed 's/^/out /' >"$TAP_DIR/want"
ok "stdout is apart and in order" cmp "$TAP_DIR/out" "$TAP_DIR/want"
seq 200 | sed 's/^/err /' >"$TAP_DIR/want"
ok "stderr is apart and in order" cmp "$TAP_DIR/err" "$TAP_DIR/want"

# shellcheck disable=SC2016 # for the shell inside
is "$(run --env GREETING='hello you' -- sh -c 'echo $GREETING')" "hello you" \
	"a variable reaches the command"
is "$(run -- sh -c 'id -un; pwd')" "user
/home/user" "it runs as user in /home/user"
is "$(run --user root --workdir /tmp -- sh -c 'id -un; pwd')" "root
/tmp" "or as whom and where it was asked to"

echo "a file of the host" >"$TAP_DIR/note.txt"
is "$(run --file "$TAP_DIR/note.txt" --file "$TAP_DIR/note.txt:/tmp/x/y.txt" \
	-- cat note.txt /tmp/x/y.txt)" "a file of the host
a file of the host" "files are copied in, with and without a place"

exits 124 "--timeout ends a sandbox with status 124" \
	run --timeout 2 -- sleep 60
run --timeout 2 --json -- sleep 60 2>"$TAP_DIR/json" >/dev/null
is "$(json_field "$TAP_DIR/json" cause)" timeout "and the cause is named"

mkfifo "$TAP_DIR/fifo"
"$CAPONIER" run --quiet -- sh -c \
	'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.1; done' \
	</dev/null >"$TAP_DIR/out" 2>"$TAP_DIR/err" &
pid=$!
wait_line 60 "$TAP_DIR/out" ready
kill -TERM "$pid"
wait "$pid" && status=0 || status=$?
is "$status" 5 "SIGTERM is passed to the command"
like "$(cat "$TAP_DIR/out")" "got it" "which handled it"

run --json -- true 2>"$TAP_DIR/json"
is "$(json_field "$TAP_DIR/json" exit_code) $(json_field "$TAP_DIR/json" cause)" \
	"0 exited" "--json tells the outcome"
ok "nothing is left" wait_for 5 nothing_left

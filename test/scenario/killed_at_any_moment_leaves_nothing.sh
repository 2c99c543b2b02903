#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the command line, keeper, shim or QEMU at random moments: nothing
# is left, and who is left alive names the cause.
# timeout: 600
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
rounds=${ROUNDS:-52}
plan 6

"$CAPONIER" run --quiet -- true || bail "no sandbox came up"
ok "nothing is there before" wait_for 5 nothing_left

# pid_of WHO CLI: the process of that role below the command line, if it is
# there yet.
pid_of()
{
	found=$2
	case $1 in
	cli) ;;
	keeper) found=$(children "$2" | head -n 1) ;;
	shim) found=$(children "$(pid_of keeper "$2")" | head -n 1) ;;
	qemu) found=$(children "$(pid_of shim "$2")" | head -n 1) ;;
	esac
	echo "${found:-}"
}

seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
diag "seed $seed"
i=0
causes=
unnamed=
while [ "$i" -lt "$rounds" ]; do
	set -- cli keeper shim qemu
	shift $((i % 4))
	who=$1
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	pause=$(awk "BEGIN { print ($seed % 700) / 1000 }")
	"$CAPONIER" run --json -- sleep 30 </dev/null >/dev/null \
		2>"$TAP_DIR/json" &
	cli=$!
	# A random moment is the point here, not a wait for something.
	sleep "$pause"
	pid=$(pid_of "$who" "$cli")
	[ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
	[ -n "$pid" ] || kill -KILL "$cli"
	wait "$cli" 2>/dev/null
	if [ "$who" != cli ] && [ -n "$pid" ]; then
		cause=$(json_field "$TAP_DIR/json" cause)
		case $cause in
		host | engine_failed | killed) causes="$causes $who:$cause" ;;
		*) unnamed="$unnamed $who:$cause:$(head -c 200 "$TAP_DIR/json")" ;;
		esac
	fi
	if ! wait_for 10 nothing_left; then
		nothing_left | sed "s/^/# round $i, $who after $pause s: /"
		break
	fi
	i=$((i + 1))
done
is "$i" "$rounds" "after each of $rounds kills nothing is left"
is "$unnamed" "" "every cause is named"
like "$causes" "qemu:engine_failed" "a killed QEMU is engine_failed"
like "$causes" "shim:host" "a killed shim is host"
like "$causes" "keeper:host" "a killed keeper is host"

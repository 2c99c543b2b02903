#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A running sandbox: the round trip of an exec, and files in and out, by one
# client that stays; beside it `runsc exec`, which starts a client each time.
. "$(dirname "$0")/../lib/bench.sh"

FILE_BYTES=100000000
EXECS=10 # in a round, for one is short

# order WORD...: to our client; its answer is the sample.
order()
{
	echo "$*" >"$BENCH_DIR/orders"
	read -r number why <"$BENCH_DIR/answers"
	case $number in
	failed)
		echo "$why" >>"$STOPWATCH_LOG"
		return 1
		;;
	esac
	echo "$number"
}

sample_exec()
{
	execs=0
	while [ "$execs" -lt "$EXECS" ]; do
		order exec || return 1
		execs=$((execs + 1))
	done
}

sample_put()
{
	order put "$FILE_BYTES"
}

sample_get()
{
	order get "$FILE_BYTES"
}

sample_runsc()
{
	"$STOPWATCH" end "$RUNSC" --root "$BENCH_DIR/runsc" exec "exec-$$" \
		/bin/true
}

# The directory of the sandbox that process keeps: its keeper's argument.
directory_of()
{
	keeper=$(cat /proc/"$1"/task/*/children | cut -d ' ' -f 1)
	tr '\0' '\n' <"/proc/$keeper/cmdline" | sed -n 2p
}

begin_ours()
{
	mkfifo "$BENCH_DIR/orders" "$BENCH_DIR/answers" "$BENCH_DIR/up"
	"$CAPONIER" run --quiet --no-stdin -- sh -c 'echo up; exec sleep 1000000' \
		>"$BENCH_DIR/up" 2>"$BENCH_DIR/log" &
	ours=$!
	on_exit "kill $ours; wait $ours"
	read -r word <"$BENCH_DIR/up" || word=nothing
	[ "$word" = up ] || refuse "start a sandbox" "it said $word" \
		"run caponier run -- echo up"
	"$BENCH_ROOT/test/bench/api" "$(directory_of "$ours")" \
		<"$BENCH_DIR/orders" >"$BENCH_DIR/answers" &
	on_exit "kill $!"
	# Held open, so that an order is one line each way.
	sleep 1000000 >"$BENCH_DIR/orders" &
	on_exit "kill $!"
	# shellcheck disable=SC2217 # it only holds it
	sleep 1000000 <"$BENCH_DIR/answers" &
	on_exit "kill $!"
}

begin_runsc()
{
	runsc_bundle sleep 1000000
	runsc_run "exec-$$" >"$BENCH_DIR/log" 2>&1 &
	on_exit "'$RUNSC' --root '$BENCH_DIR/runsc' kill exec-$$ KILL"
	tries=0
	until sample_runsc >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || refuse "start gVisor" \
			"it takes no exec" "run it by hand"
		sleep 0.1
	done
}

need_caponier
find_runsc
begin_ours
contenders="exec put get"
[ -z "$RUNSC" ] || {
	begin_runsc
	contenders="$contenders runsc"
}
# shellcheck disable=SC2086 # one word a contender
alternate "$ROUNDS" $contenders

title "In a running sandbox" "n=$ROUNDS; exec n=$((ROUNDS * EXECS))"
table_head "what" "median" "min" "max"
table_row "exec of /bin/true, asked → ended, ms" "$(spread exec)"
if [ -n "$RUNSC" ]; then
	table_row "\`runsc exec\` of it, client's start included, ms" \
		"$(spread runsc)"
else
	table_row "\`runsc exec\`" "not measured" "" ""
fi
table_row "a file of 100 MB in, MB/s" "$(spread put)"
table_row "the same out, MB/s" "$(spread get)"
finish

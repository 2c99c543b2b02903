#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Host memory per clone: idle, alone and eight at once, and after work.
. "$(dirname "$0")/../lib/bench.sh"

SETTLE_SECONDS=2 # what was begun before the last line has ended by then
# shellcheck disable=SC2016 # for the shell inside
WORK='python3 -c "import json, re, subprocess; print(len(json.dumps(
	list(range(100000)))))"; i=0; while [ $i -lt 50 ]; do /bin/true
	i=$((i + 1)); done'

# start_clones COUNT: each says `up`, works at the first line, ends at the next.
start_clones()
{
	clones=
	i=0
	while [ "$i" -lt "$1" ]; do
		i=$((i + 1))
		: >"$BENCH_DIR/clone.$i"
		mkfifo "$BENCH_DIR/orders.$i"
		# shellcheck disable=SC2016 # for the shell inside
		"$CAPONIER" run --quiet -- bash -c '
			echo up; read -r go; eval "$1"; echo done; read -r go' \
			bash "$WORK" <"$BENCH_DIR/orders.$i" \
			>"$BENCH_DIR/clone.$i" 2>"$BENCH_DIR/clone.$i.err" &
		clones="$clones $!"
		sleep 1000000 >"$BENCH_DIR/orders.$i" & # holds it open
		holders="$holders $!"
	done
}

end_clones()
{
	for pid in $clones $holders; do
		kill "$pid"
	done 2>/dev/null
	for pid in $clones $holders; do
		wait "$pid"
	done 2>/dev/null
	clones=
	holders=
	rm -f "$BENCH_DIR"/orders* "$BENCH_DIR"/clone.*
}
clones=
holders=
on_exit end_clones

# await WORD COUNT: until so many clones have said it.
await()
{
	tries=0
	until [ "$(cat "$BENCH_DIR"/clone.? | grep -c "^$1\$")" = "$2" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || {
			tail -n 3 "$BENCH_DIR"/clone.*.err >&2
			refuse "wait for $2 clones" "not all said $1" \
				"run it by hand"
		}
		sleep 0.1
	done
	sleep "$SETTLE_SECONDS"
}

order_all()
{
	for orders in "$BENCH_DIR"/orders.*; do
		echo go >"$orders"
	done
}

# descendants PID: all below it, one a line.
descendants()
{
	# shellcheck disable=SC2013 # words, on one line
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		echo "$child"
		descendants "$child"
	done
}

# mib PID FIELD: Pss divides shared pages among those who share them, Private_
# is what would not be there without the process.
mib()
{
	awk -v field="$2" 'index($1, field) == 1 { kib += $2 }
		END { printf "%.2f\n", kib / 1024 }' "/proc/$1/smaps_rollup"
}

# weigh NAME: a sample of each process of every clone, and of their sum. Of the
# two called caponier-shim the elder is the keeper.
weigh()
{
	for role in command keeper shim engine sum private; do
		: >"$BENCH_DIR/$1.$role.samples"
	done
	for pid in $clones; do
		add "$1.command" "$(mib "$pid" Pss:)"
		role=keeper
		sum=0
		private=0
		for child in $(descendants "$pid"); do
			pss=$(mib "$child" Pss:)
			case $(cat "/proc/$child/comm") in
			caponier-shim) ;;
			qemu*) role=engine ;;
			*) continue ;;
			esac
			add "$1.$role" "$pss"
			role=shim
			private=$(echo "$private $(mib "$child" Private_)" |
				awk '{ print $1 + $2 }')
			sum=$(echo "$sum $pss" | awk '{ print $1 + $2 }')
		done
		add "$1.sum" "$sum"
		add "$1.private" "$private"
	done
}

# What the host can still give, MiB.
available()
{
	awk '/^MemAvailable:/ { print $2 / 1024 }' /proc/meminfo
}

# measure COUNT
measure()
{
	note "$1 clones"
	before=$(available)
	start_clones "$1"
	await up "$1"
	weigh "idle$1"
	taken_idle=$(echo "$before $(available) $1" |
		awk '{ print ($1 - $2) / $3 }')
	order_all
	await "done" "$1"
	weigh "work$1"
	taken_work=$(echo "$before $(available) $1" |
		awk '{ print ($1 - $2) / $3 }')
	row "idle" "idle$1" "$1" "$taken_idle"
	row "after work" "work$1" "$1" "$taken_work"
	order_all
	end_clones
}

row()
{
	table_row "$1, $3 at once" "$(median "$2.engine")" \
		"$(median "$2.shim")" "$(median "$2.keeper")" \
		"$(median "$2.sum")" "$(median "$2.private")" "$(tidy "$4")" "$(median "$2.command")"
}

need_caponier
title "Host memory of one clone" \
	"MiB of PSS, median of those running; guest of 512 MiB"
table_head "clones" "QEMU" "shim" "keeper" "together" \
	"of that its own" "MemAvailable less by" "the waiting command"
measure 1
measure 8
echo
echo "Work: python3 with three modules and 100,000 numbers, then 50 × fork+exec."
echo "MemAvailable is the whole machine's and moves with its other work."
finish

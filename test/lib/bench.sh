# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the measures of test/bench share. A measure is a POSIX sh script:
#
#	#!/bin/sh
#	. "$(dirname "$0")/../lib/bench.sh"
#	sample_ours() { "$STOPWATCH" end "$CAPONIER" run --quiet -- true; }
#	sample_peer() { "$STOPWATCH" end bwrap true; }
#	title "Create to end" "ms, n=$ROUNDS"
#	alternate "$ROUNDS" ours peer
#	table_head "what" "median" "min" "max"
#	table_row "ours" "$(spread ours)"
#	bar ours peer 0.35 "ours against the peer"
#	finish
#
# A sample_NAME prints one number and fails if it got none. What is measured
# goes to stdout as Markdown, progress to stderr. $BENCH_DIR is a directory of
# the script's own. BENCH_ROUNDS shortens every measure, for a try.

set -u

BENCH_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BENCH_MISSED=0
BENCH_CLEANUP=
: "${CAPONIER_BUILD:=$BENCH_ROOT/build}"
: "${CAPONIER:=$CAPONIER_BUILD/caponier}"
if [ "$(id -u)" = 0 ]; then
	: "${CAPONIER_HOME:=/var/lib/caponier}"
else
	: "${CAPONIER_HOME:=${XDG_STATE_HOME:-$HOME/.local/state}/caponier}"
fi
export CAPONIER_HOME
export STOPWATCH="$BENCH_ROOT/test/bench/stopwatch"
ROOTFS=$(readlink -f "$CAPONIER_HOME/images/base/current/rootfs")
BENCH_DIR=$(mktemp -d)
chmod 755 "$BENCH_DIR" # gVisor's processes are nobody
export STOPWATCH_LOG="$BENCH_DIR/log"
trap bench_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# note TEXT...: progress.
note()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# refuse ASKED OBSTACLE MEND: nothing can be measured.
refuse()
{
	printf '%s: %s: %s; %s\n' "${0##*/}" "$1" "$2" "$3" >&2
	exit 1
}

# on_exit COMMAND-LINE: run in the end, last one first, whatever happens.
on_exit()
{
	BENCH_CLEANUP="$1
$BENCH_CLEANUP"
}

bench_end()
{
	bench_status=$?
	trap - EXIT
	eval "$BENCH_CLEANUP"
	umount "$BENCH_DIR/runsc/null-netns" 2>/dev/null # gVisor leaves it
	rm -rf "$BENCH_DIR"
	exit "$bench_status"
}

### Who is measured

# need_caponier: ours must run; the size the measures use is made ready.
need_caponier()
{
	[ -x "$CAPONIER" ] || refuse "measure caponier" \
		"$CAPONIER is not built" "run ./dev build"
	[ -d "$ROOTFS" ] || refuse "measure caponier" \
		"there is no root tree in $CAPONIER_HOME" "run ./dev images"
	"$CAPONIER" run --quiet --no-stdin -- true 2>"$BENCH_DIR/log" || {
		tail -n 3 "$BENCH_DIR/log" >&2
		refuse "measure caponier" "it does not run here, see above" \
			"run ./dev run"
	}
}

# find_runsc: sets RUNSC, or leaves it empty and says why in RUNSC_MISSING.
find_runsc()
{
	RUNSC_MISSING=
	RUNSC=$("$BENCH_ROOT/tools/get-runsc" 2>"$BENCH_DIR/log") || {
		RUNSC=
		RUNSC_MISSING=$(tail -n 1 "$BENCH_DIR/log")
		note "without gVisor: $RUNSC_MISSING"
		return 0
	}
	runsc_bundle true
	runsc_run probe >"$BENCH_DIR/log" 2>&1 || {
		RUNSC=
		RUNSC_MISSING="it does not run here: $(grep . "$BENCH_DIR/log" |
			tail -n 1)"
		note "without gVisor: $RUNSC_MISSING"
	}
}

json_words()
{
	python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@"
}

# runsc_bundle COMMAND...: an OCI bundle of the template's root tree and the
# command, as the template's user, in $BENCH_DIR/bundle. gVisor's own overlay,
# in memory, takes what it writes. $BENCH_DIR/share is its /mnt.
runsc_bundle()
{
	mkdir -p "$BENCH_DIR/bundle" "$BENCH_DIR/share"
	cat >"$BENCH_DIR/bundle/config.json" <<-END
		{"ociVersion": "1.0.0",
		 "process": {"user": {"uid": 1000, "gid": 1000},
		  "args": $(json_words "$@"), "cwd": "/home/user",
		  "env": ["HOME=/home/user", "USER=user", "LANG=C.UTF-8",
		   "PATH=/usr/local/bin:/usr/bin:/bin"]},
		 "root": {"path": "$ROOTFS"},
		 "hostname": "peer",
		 "mounts": [
		  {"destination": "/proc", "type": "proc"},
		  {"destination": "/tmp", "type": "tmpfs"},
		  {"destination": "/mnt", "type": "bind", "options": ["ro"],
		   "source": "$BENCH_DIR/share"}],
		 "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"},
		  {"type": "uts"}, {"type": "mount"}, {"type": "network"}]}}
	END
}

# runsc_run ID: without the cgroup, which flatters it.
runsc_run()
{
	# shellcheck disable=SC2086 # one word an option
	"$RUNSC" $RUNSC_OPTIONS run --bundle "$BENCH_DIR/bundle" "$1"
}
RUNSC_OPTIONS="--root $BENCH_DIR/runsc --network none --ignore-cgroups
	--overlay2 root:memory"
[ "$(id -u)" = 0 ] || RUNSC_OPTIONS="$RUNSC_OPTIONS --rootless"

### Samples

: "${ROUNDS:=${BENCH_ROUNDS:-14}}"

# alternate ROUNDS NAME...: each round takes one sample of each; one more round
# goes before them and is not counted.
alternate()
{
	bench_rounds=$1
	shift
	bench_round=0
	for bench_name in "$@"; do
		: >"$BENCH_DIR/$bench_name.samples"
	done
	while [ "$bench_round" -le "$bench_rounds" ]; do
		note "round $bench_round of $bench_rounds"
		for bench_name in "$@"; do
			bench_sample=$("sample_$bench_name") || {
				tail -n 3 "$STOPWATCH_LOG" >&2
				refuse "sample $bench_name" \
					"it failed, see above" \
					"run it by hand"
			}
			[ "$bench_round" = 0 ] || echo "$bench_sample" \
				>>"$BENCH_DIR/$bench_name.samples"
		done
		bench_round=$((bench_round + 1))
	done
}

# add NAME NUMBER: one more sample, taken elsewhere.
add()
{
	echo "$2" >>"$BENCH_DIR/$1.samples"
}

has_samples()
{
	[ -s "$BENCH_DIR/$1.samples" ]
}

# quantile NAME MIN|MEDIAN|MAX
quantile()
{
	sort -n "$BENCH_DIR/$1.samples" | awk -v which="$2" '
		{ x[NR] = $1 }
		END {
			if (which == "MIN") print x[1]
			else if (which == "MAX") print x[NR]
			else if (NR % 2) print x[(NR + 1) / 2]
			else print (x[NR / 2] + x[NR / 2 + 1]) / 2
		}'
}

# tidy NUMBER: three digits that matter.
tidy()
{
	echo "$1" | awk '{
		a = $1 < 0 ? -$1 : $1
		if (a >= 100) printf "%.0f\n", $1
		else if (a >= 10) printf "%.1f\n", $1
		else printf "%.2f\n", $1
	}'
}

# spread NAME: `MEDIAN | MIN | MAX` for a table.
spread()
{
	echo "$(tidy "$(quantile "$1" MEDIAN)") |" \
		"$(tidy "$(quantile "$1" MIN)") |" \
		"$(tidy "$(quantile "$1" MAX)")"
}

median()
{
	tidy "$(quantile "$1" MEDIAN)"
}

# ratio NAME OTHER: of their medians.
ratio()
{
	echo "$(quantile "$1" MEDIAN) $(quantile "$2" MEDIAN)" |
		awk '{ printf "%.2f\n", $1 / $2 }'
}

### Words

# title TEXT UNIT: what is measured.
title()
{
	printf '**%s** (%s)\n\n' "$1" "$2"
}

# table_head COLUMN...
table_head()
{
	bench_line=
	for bench_column in "$@"; do
		printf '| %s ' "$bench_column"
		bench_line="$bench_line|---"
	done
	printf '|\n%s|\n' "$bench_line"
}

# table_row CELL...: a cell may hold several, with | between.
table_row()
{
	for bench_column in "$@"; do
		printf '| %s ' "$bench_column"
	done
	echo '|'
}

# bar NAME OTHER LIMIT TEXT: a promise; finish fails if it is missed.
bar()
{
	bench_ratio=$(ratio "$1" "$2")
	bench_word=$(echo "$bench_ratio $3" |
		awk '{ print $1 <= $2 ? "held" : "MISSED" }')
	[ "$bench_word" = held ] || BENCH_MISSED=1
	printf '%s: %s (bar: at most %s, %s)\n' "$4" "$bench_ratio" "$3" \
		"$bench_word"
}

# machine: where this was measured, and what.
machine()
{
	bench_cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo |
		head -n 1)
	bench_guest=$(readlink "$CAPONIER_HOME/kernels/current")
	echo "$(nproc) × $bench_cpu, Linux $(uname -r);" \
		"$("$CAPONIER" version)" \
		"$(git -C "$BENCH_ROOT" describe --always --dirty 2>/dev/null)" \
		"($(engine_evidence))," \
		"guest ${bench_guest##*/}," \
		"$(gvisor_version); $(date -u +%Y-%m-%d)."
}

engine_evidence()
{
	"$CAPONIER" run --json --no-stdin -- true 2>&1 >/dev/null | python3 -c '
import json, sys
for line in sys.stdin:
    if line.startswith("{"):
        outcome = json.loads(line)
        print("tier", outcome["tier"] + ":", outcome["evidence"])'
}

gvisor_version()
{
	if [ -n "${RUNSC_MISSING:-}" ]; then
		echo "gVisor not measured ($RUNSC_MISSING)"
	elif [ -n "${RUNSC:-}" ]; then
		"$RUNSC" --version | sed -n 's/^runsc version /gVisor /p'
	else
		echo "gVisor not asked for"
	fi
}

# finish: the machine's line, and the verdict.
finish()
{
	printf '\n%s\n\n' "$(machine)"
	[ "$BENCH_MISSED" = 0 ] || refuse "keep what was promised" \
		"a bar was missed, see above" "find out what became slower"
}

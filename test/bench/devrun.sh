#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./dev run by phase: once more on this machine, and with CAPONIER_BENCH_FIRST=1
# the first one of a fresh clone into an empty CAPONIER_HOME (some minutes).
. "$(dirname "$0")/../lib/bench.sh"

# measure TITLE DIRECTORY: a table of what `./dev run` says there.
measure()
{
	note "./dev run in $2"
	# shellcheck disable=SC2016 # for the shell inside
	"$STOPWATCH" phases sh -c 'cd "$1" && exec ./dev run' sh "$2" \
		>"$BENCH_DIR/phases" || {
		tail -n 5 "$STOPWATCH_LOG" >&2
		refuse "time ./dev run" "it failed, see above" "run it by hand"
	}
	title "$1" "s, n=1"
	table_head "phase" "seconds"
	while read -r seconds phase; do
		table_row "$phase" "$seconds"
	done <"$BENCH_DIR/phases"
	echo
}

if [ "${CAPONIER_BENCH_FIRST:-}" = 1 ]; then
	git clone -q "$BENCH_ROOT" "$BENCH_DIR/clone" ||
		refuse "clone $BENCH_ROOT" "git failed, see above" "mend that"
	mkdir "$BENCH_DIR/home"
	(CAPONIER_HOME=$BENCH_DIR/home && measure \
		"First \`./dev run\`: fresh clone, empty CAPONIER_HOME" \
		"$BENCH_DIR/clone") || exit 1
fi
measure "Second \`./dev run\`" "$BENCH_ROOT"
[ "${CAPONIER_BENCH_FIRST:-}" = 1 ] ||
	echo "The first run is timed with CAPONIER_BENCH_FIRST=1."
finish

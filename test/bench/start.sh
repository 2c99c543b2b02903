#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From nothing to the first output of `bash -lc 'echo N'`: a clone, a cold boot
# of the same guest, and gVisor running the same program on the same root tree.
. "$(dirname "$0")/../lib/bench.sh"

# $nonce is another each time: nobody can have kept the answer.
fresh()
{
	nonce=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
}

ours()
{
	fresh
	"$STOPWATCH" first "$nonce" "$CAPONIER" run --quiet --no-stdin --json \
		"$@" -- bash -lc "echo $nonce"
}

sample_clone()
{
	ours && outcome_of clone
}

sample_cold()
{
	ours --no-snapshot && outcome_of cold
}

# What caponier says of the same run; a clone that was none is no sample.
outcome_of()
{
	python3 - "$STOPWATCH_LOG" "$1" <<-'END' >>"$BENCH_DIR/$1.outcomes"
		import json, sys
		for line in open(sys.argv[1]):
		    if line.startswith("{"):
		        outcome = json.loads(line)
		if outcome["restored"] != (sys.argv[2] == "clone"):
		    sys.exit("start.sh: caponier did not start it as it was asked")
		print(outcome["create_ms"], outcome["first_output_ms"],
		      outcome["retries"])
	END
}

sample_runsc()
{
	fresh
	runsc_bundle bash -lc "echo $nonce"
	# shellcheck disable=SC2086 # one word an option
	"$STOPWATCH" first "$nonce" "$RUNSC" $RUNSC_OPTIONS run \
		--bundle "$BENCH_DIR/bundle" "peer-$nonce"
}

# column FILE NUMBER NAME: the counted rounds of it, as samples.
column()
{
	tail -n +2 "$BENCH_DIR/$1.outcomes" | cut -d ' ' -f "$2" \
		>"$BENCH_DIR/$3.samples"
}

need_caponier
find_runsc
contenders="clone cold"
[ -z "$RUNSC" ] || contenders="$contenders runsc"
# shellcheck disable=SC2086 # one word a contender
alternate "$ROUNDS" $contenders

title "Create → first output of \`bash -lc 'echo N'\`" "ms, n=$ROUNDS each"
table_head "contender" "median" "min" "max" "clone : it"
table_row "clone of a snapshot" "$(spread clone)" 1
column clone 1 ready
table_row "· of that, until the guest had its identity" "$(spread ready)" ""
table_row "cold boot of the same guest" "$(spread cold)" "$(ratio clone cold)"
if [ -n "$RUNSC" ]; then
	table_row "\`runsc run\`, same program and root tree" \
		"$(spread runsc)" "$(ratio clone runsc)"
else
	table_row "\`runsc run\`" "not measured" "" "" ""
fi
echo
bar clone cold 0.35 "clone : cold boot"
echo "Boots tried twice: $(awk '{ n += $3 } END { print n + 0 }' \
	"$BENCH_DIR/cold.outcomes" "$BENCH_DIR/clone.outcomes")."
finish

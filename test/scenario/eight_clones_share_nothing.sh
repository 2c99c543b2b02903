#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Eight clones of one saved guest at once: no two are alike, and the template
# is as it was.
# timeout: 300
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
plan 9

# The variant is there before its digest is taken.
"$CAPONIER" run --quiet -- true || bail "no sandbox came up"
digest()
{
	find "$CAPONIER_HOME/templates/base" -type f ! -name '*.seen' \
		! -name lock -exec sha256sum {} + | sort -k 2
}
before=$(digest)

# shellcheck disable=SC2016 # for the shell inside
probe='cat /etc/machine-id; hostname; head -c 16 /dev/urandom | od -An -tx1 |
	tr -d " \n"; echo; cat /proc/sys/kernel/random/uuid; date +%s'
for i in 1 2 3 4 5 6 7 8; do
	{
		"$CAPONIER" run --json -- sh -c "$probe" \
			</dev/null >"$TAP_DIR/out.$i" 2>"$TAP_DIR/json.$i"
		date +%s >"$TAP_DIR/host.$i"
	} &
done
wait

distinct()
{
	for out in "$TAP_DIR"/out.?; do
		sed -n "$1p" "$out"
	done | sort -u | grep -c .
}
is "$(cat "$TAP_DIR"/out.? | wc -l)" 40 "eight clones answered"
is "$(distinct 1)" 8 "eight machine-ids"
is "$(distinct 2)" 8 "eight hostnames"
is "$(distinct 3)" 8 "eight streams of random bytes"
is "$(distinct 4)" 8 "eight kernel uuids"
for i in 1 2 3 4 5 6 7 8; do
	inside=$(sed -n 5p "$TAP_DIR/out.$i")
	outside=$(cat "$TAP_DIR/host.$i")
	# The host's time was taken after the command, so it may be later.
	skew=$((outside - ${inside:-0}))
	[ "$skew" -ge -2 ] && [ "$skew" -le 5 ] || echo "clone $i: $skew s"
done >"$TAP_DIR/skews"
is "$(cat "$TAP_DIR/skews")" "" "every clock is right"
is "$(for i in 1 2 3 4 5 6 7 8; do
	json_field "$TAP_DIR/json.$i" restored
done | sort | uniq -c | tr -s ' ')" " 8 True" "all were restored, none booted"
is "$(digest)" "$before" "the template is unchanged, byte for byte"
ok "nothing is left" wait_for 5 nothing_left

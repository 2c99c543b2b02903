# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Progress, failure, locking and cleaning up, alike for every image script.
#
# Protocol: stdout carries only lines "@ PCT SECONDS_LEFT TEXT" (SECONDS_LEFT
# is -1 where unknown) and, when a script fails, as its last line
# "! what was asked | what stood in the way | what to do" with exit status 1.
# Everything else goes to $LOG.
#
# Invariants
#  1. Only one builder works in an OUT_DIR (flock on OUT_DIR/.lock).
#  2. What is not finished lies in OUT_DIR/.stage.*; a result appears by rename.
#  3. A job dies with its script, even after kill -9 (parent-death signal), and
#     takes its whole process tree and its mounts along where the host lets us
#     make namespaces.
#  4. No removal ever crosses a mount.

WORK=             # what is being made, for the failure line
STAGE=            # this run's staging directory
JOB=              # pid of the running job
TICKER=           # pid of the ticker
PHASE_TODO=0      # seconds expected in the phases not yet begun
PHASE_ALL=1       # seconds expected in all phases
PHASE_NAME=
KEPT=             # what serves on if the archive cannot be asked, else empty

say()
{
	printf '@ %d %d %s\n' "$1" "$2" "$3"
}

note()
{
	printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >>"$LOG"
}

# fail OBSTACLE REMEDY: the failure line, then out.
fail()
{
	ticker_stop
	cleanup
	trap - EXIT
	if [ -n "$KEPT" ]; then
		note "$WORK: $1"
		say 100 0 "$KEPT"
		exit 0
	fi
	printf '! %s | %s | %s\n' "$WORK" "$1" "$2" | tee -a "$LOG"
	exit 1
}

# ---- phases -----------------------------------------------------------------

# plan "SECONDS..." : what the phases to come are expected to take.
plan()
{
	PHASE_ALL=0
	for seconds_ in "$@"; do
		PHASE_ALL=$((PHASE_ALL + seconds_))
	done
	PHASE_TODO=$PHASE_ALL
}

# phase SECONDS MEASURE TEXT: a phase begins. MEASURE tells the ticker where
# real progress stands: "time", "apt:FILE" (APT::Status-Fd lines) or
# "lines:COUNT:FILE" (lines of dpkg's about unpacking and setting up).
phase()
{
	phase_end
	PHASE_TODO=$((PHASE_TODO - $1))
	[ "$PHASE_TODO" -ge 0 ] || PHASE_TODO=0
	PHASE_NAME=$3
	PHASE_START=$(date +%s.%N)
	say $(((PHASE_ALL - PHASE_TODO - $1) * 100 / PHASE_ALL)) \
		$((PHASE_TODO + $1)) "$3"
	printf '%s %s %s %s %s %s\n' "$(date +%s)" "$1" "$PHASE_TODO" \
		"$PHASE_ALL" "$2" "$3" >"$STAGE/phase.new"
	mv "$STAGE/phase.new" "$STAGE/phase"
	note "== $3"
}

phase_end()
{
	[ -n "$PHASE_NAME" ] || return 0
	note "== took $(date +%s.%N | awk -v from="$PHASE_START" \
		'{ printf "%.1f", $1 - from }') s: $PHASE_NAME"
	PHASE_NAME=
}

# One line a second while something runs; it dies with the script.
ticker_start()
{
	setpriv --pdeathsig KILL sh "$LIB/ticker.sh" "$STAGE/phase" \
		2>>"$LOG" 9>&- &
	TICKER=$!
}

ticker_stop()
{
	[ -n "$TICKER" ] || return 0
	kill -KILL "$TICKER" 2>/dev/null || :
	wait "$TICKER" 2>/dev/null || :
	TICKER=
}

# ---- jobs -------------------------------------------------------------------

# job COMMAND...: run it, output to the log, killed when this script ends.
job()
{
	setpriv --pdeathsig KILL "$@" >>"$LOG" 2>&1 </dev/null 9>&- &
	JOB=$!
	status_=0
	wait "$JOB" || status_=$?
	JOB=
	return "$status_"
}

# caged COMMAND...: like job, in mount and pid namespaces of its own if the
# host gives them, so that nothing it starts or mounts can outlive it.
caged()
{
	if unshare --mount --pid --fork true 2>/dev/null; then
		job unshare --mount --pid --fork --kill-child=KILL \
			--mount-proc "$@"
	else
		job "$@"
	fi
}

# ---- one builder, nothing left ----------------------------------------------

# unmount TREE: every mount below it, deepest first.
unmount()
{
	awk -v tree="$1/" 'index($5, tree) == 1 { print $5 }' \
		/proc/self/mountinfo | sort -r | while IFS= read -r mount_; do
		umount -l "$(printf '%b' "$mount_")" 2>>"$LOG" || :
	done
}

remove_tree()
{
	[ -e "$1" ] || [ -L "$1" ] || return 0
	unmount "$1"
	rm -rf --one-file-system "$1" 2>/dev/null && return 0
	# Made in a user namespace: its files belong to subordinate ids.
	mmdebstrap --unshare-helper rm -rf --one-file-system "$1" \
		>>"$LOG" 2>&1 || :
	rm -rf --one-file-system "$1" 2>>"$LOG" || :
}

cleanup()
{
	ticker_stop
	if [ -n "$JOB" ]; then
		kill -KILL "$JOB" 2>/dev/null || :
		wait "$JOB" 2>/dev/null || :
		JOB=
	fi
	if [ -n "$STAGE" ]; then
		remove_tree "$STAGE"
		STAGE=
	fi
}

on_exit()
{
	fail_status_=$?
	[ "$fail_status_" -eq 0 ] || fail "a step failed unforeseen; the last \
lines of $LOG say which" "read $LOG, then run it again"
	cleanup
}

on_signal()
{
	trap '' INT TERM HUP
	KEPT=
	fail "it was interrupted by SIG$1; nothing was left behind" \
		"run it again"
}

# begin WHAT OUT_DIR: make OUT_DIR and the log ready.
begin()
{
	WORK=$1
	OUT_DIR=$2
	umask 022
	export LC_ALL=C TZ=UTC
	unset CDPATH
	if ! mkdir -p "$OUT_DIR" 2>/dev/null || ! [ -w "$OUT_DIR" ]; then
		LOG=/dev/null
		fail "$OUT_DIR cannot be written by $(id -un)" \
			"name a directory of yours or set its owner"
	fi
	OUT_DIR=$(cd "$OUT_DIR" && pwd -P)
	LOG=${LOG:-$OUT_DIR/build.log}
	CACHE_DIR=${CACHE_DIR:-$(dirname "$OUT_DIR")/cache}
}

# only_builder: from here on nothing is left behind; wait until no other
# builder works here.
only_builder()
{
	trap on_exit EXIT
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal HUP' HUP
	exec 9>"$OUT_DIR/.lock"
	while ! flock -n 9; do
		say 0 -1 "waiting for another builder of $OUT_DIR"
		sleep 1
	done
}

# stage NEED_MIB: sweep what a killed builder left and open this run's staging
# directory, on a disk with that much room.
stage()
{
	: >"$LOG"
	for left_ in "$OUT_DIR"/.stage.* "$OUT_DIR"/.current.*; do
		remove_tree "$left_"
	done
	need_room "$OUT_DIR" "$1"
	mkdir -p "$CACHE_DIR" || fail "$CACHE_DIR cannot be made" \
		"set CACHE_DIR to a directory of yours"
	STAGE=$OUT_DIR/.stage.$$
	mkdir "$STAGE"
	ticker_start
}

need_room()
{
	free_=$(df --output=avail -B1M "$1" | tail -n 1 | tr -d ' ')
	[ "$free_" -ge "$2" ] || fail \
		"only $free_ MiB are free on the disk of $1; $2 MiB are needed" \
		"free some room or name a directory on another disk"
}

# publish DIR NAME: DIR becomes OUT_DIR/NAME, and OUT_DIR/current points to it.
publish()
{
	if [ -e "$OUT_DIR/$2" ]; then
		mv "$OUT_DIR/$2" "$STAGE/replaced"
	fi
	mv "$1" "$OUT_DIR/$2"
	make_current "$OUT_DIR/$2"
}

# have JSON SUITE: the newest finished result from that suite which these very
# scripts made, or nothing.
have()
{
	for json_ in "$OUT_DIR"/[0-9]*/"$1"; do
		[ "$(json_field "$json_" suite)" = "$2" ] || continue
		[ "$(json_field "$json_" inputs)" = "$INPUTS" ] || continue
		dirname "$json_"
	done | sort -V | tail -n 1
}

# make_current DIR: point OUT_DIR/current to a finished result.
make_current()
{
	[ "$(readlink "$OUT_DIR/current")" != "${1##*/}" ] || return 0
	ln -s "${1##*/}" "$OUT_DIR/.current.$$"
	mv -T "$OUT_DIR/.current.$$" "$OUT_DIR/current"
}

finish()
{
	phase_end
	cleanup
	trap - EXIT
	say 100 0 "$1"
}

# json_field FILE NAME: a string or number of one of our own flat JSON files.
json_field()
{
	sed -n "s/^\t\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" \
		"$1" 2>/dev/null || :
}

# inputs_digest FILE...: what decides whether a result is still the right one.
inputs_digest()
{
	cat "$@" | sha256sum | cut -d ' ' -f 1
}

need_tools()
{
	for tool_ in "$@"; do
		command -v "${tool_%:*}" >/dev/null || fail \
			"the program ${tool_%:*} is not installed" \
			"apt-get install ${tool_#*:}"
	done
}

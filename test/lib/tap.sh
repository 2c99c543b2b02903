# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# TAP for scenario tests. A test is a POSIX sh script:
#
#	#!/bin/sh
#	# timeout: 120
#	. "$(dirname "$0")/../lib/tap.sh"
#	plan 2
#	is "$("$CAPONIER" run -- echo hi)" hi "stdout passes through"
#	ok "the shim is gone" gone "$shim_pid"
#
# Every assertion takes its name last, but for `ok`, whose command is last.
# $TAP_DIR is a directory of the test's own; it is removed in the end, after
# what on_exit was told, and every process in $TAP_PIDS is killed first.

set -u

TAP_POINTS=0
TAP_FAILED=0
TAP_PLAN=
TAP_PIDS=
TAP_CLEANUP=
TAP_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
: "${CAPONIER_BUILD:=$TAP_ROOT/build}"
: "${CAPONIER:=$CAPONIER_BUILD/caponier}"
export CAPONIER CAPONIER_BUILD

# A subshell that gets a signal early runs our traps; the end is not its to make.
read -r TAP_SELF TAP_REST </proc/self/stat
: "$TAP_REST"
TAP_DIR=$(mktemp -d)
trap tap_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# plan COUNT: how many points will come.
plan()
{
	TAP_PLAN=$1
	echo "1..$1"
}

# done_testing: the plan of a test that cannot know it beforehand.
done_testing()
{
	plan "$TAP_POINTS"
}

# skip_all REASON: nothing of this test is possible here.
skip_all()
{
	TAP_PLAN=0
	echo "1..0 # SKIP $*"
	exit 0
}

# bail REASON: going on makes no sense, for this test and for what follows.
bail()
{
	echo "Bail out! $*"
	TAP_FAILED=$((TAP_FAILED + 1))
	TAP_PLAN=$TAP_POINTS
	exit 1
}

# diag TEXT...: a word to whoever reads the failure.
diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass()
{
	TAP_POINTS=$((TAP_POINTS + 1))
	echo "ok $TAP_POINTS - $1"
}

fail()
{
	TAP_POINTS=$((TAP_POINTS + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_POINTS - $1"
	return 1
}

# skip COUNT REASON: that many points are not possible here.
skip()
{
	tap_left=$1
	shift
	while [ "$tap_left" -gt 0 ]; do
		TAP_POINTS=$((TAP_POINTS + 1))
		echo "ok $TAP_POINTS # SKIP $*"
		tap_left=$((tap_left - 1))
	done
}

# ok NAME COMMAND...: COMMAND succeeds; what it says is shown if not.
ok()
{
	tap_name=$1
	shift
	"$@" >"$TAP_DIR/.said" 2>&1 && tap_status=0 || tap_status=$?
	if [ "$tap_status" = 0 ]; then
		pass "$tap_name"
		return 0
	fi
	diag "status $tap_status: $*"
	tail -n 40 "$TAP_DIR/.said" | sed 's/^/#   /'
	fail "$tap_name"
}

# is GOT WANT NAME: the same text.
is()
{
	if [ "$1" = "$2" ]; then
		pass "$3"
		return 0
	fi
	diag "got:  $1"
	diag "want: $2"
	fail "$3"
}

# differs GOT UNWANTED NAME: another text.
differs()
{
	if [ "$1" != "$2" ]; then
		pass "$3"
		return 0
	fi
	diag "got, and should not have: $1"
	fail "$3"
}

# like TEXT PATTERN NAME: a line of TEXT matches the extended PATTERN.
like()
{
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		pass "$3"
		return 0
	fi
	diag "got:  $1"
	diag "want: /$2/"
	fail "$3"
}

# unlike TEXT PATTERN NAME: no line of TEXT matches the extended PATTERN.
unlike()
{
	if ! printf '%s\n' "$1" | grep -Eq -e "$2"; then
		pass "$3"
		return 0
	fi
	diag "got: $1"
	diag "must not match: /$2/"
	fail "$3"
}

# exits STATUS NAME COMMAND...: COMMAND ends with exactly that status.
exits()
{
	tap_want=$1
	tap_name=$2
	shift 2
	"$@" >"$TAP_DIR/.said" 2>&1 && tap_status=0 || tap_status=$?
	if [ "$tap_status" = "$tap_want" ]; then
		pass "$tap_name"
		return 0
	fi
	diag "status $tap_status, want $tap_want: $*"
	tail -n 40 "$TAP_DIR/.said" | sed 's/^/#   /'
	fail "$tap_name"
}

### Processes and waiting

# background PROGRAM...: starts it; $! is its id; it does not outlive the test.
# It returns when the shell's child has become the program: a signal that
# comes earlier would be lost in the shell's own handler.
background()
{
	"$@" &
	TAP_PIDS="$TAP_PIDS $!"
	tap_tries=0
	while [ "$tap_tries" -lt 100 ] &&
		cmp -s /proc/$$/cmdline "/proc/$!/cmdline"; do
		tap_tries=$((tap_tries + 1))
		sleep 0.01
	done
}

# gone PID: no such process, or only its corpse.
gone()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*[ZX]' \
		"/proc/$1/status" 2>/dev/null || [ ! -e "/proc/$1" ]
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; 1 if it never does.
# The condition is asked again every 20 ms, so a test waits for what happens
# and never for how long it usually takes.
wait_for()
{
	tap_deadline=$(($(tap_now_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$(tap_now_ms)" -ge "$tap_deadline" ]; then
			diag "waited in vain for: $*"
			return 1
		fi
		sleep 0.02
	done
}

# wait_line SECONDS FILE PATTERN: until a line of FILE matches.
wait_line()
{
	wait_for "$1" grep -Eqs -e "$3" "$2"
}

# wait_gone SECONDS PID
wait_gone()
{
	wait_for "$1" gone "$2"
}

# Monotonic milliseconds, without a fork.
tap_now_ms()
{
	read -r tap_uptime tap_rest </proc/uptime
	: "$tap_rest"
	tap_cents=${tap_uptime#*.}
	echo "$((${tap_uptime%.*} * 1000 + ${tap_cents#0} * 10))"
}

### The end

# on_exit COMMAND-LINE: run in the end, last one first, whatever happens.
on_exit()
{
	TAP_CLEANUP="$1
$TAP_CLEANUP"
}

tap_end()
{
	tap_status=$?
	trap - EXIT
	read -r tap_self tap_rest </proc/self/stat
	[ "$tap_self" = "$TAP_SELF" ] || exit "$tap_status"
	for tap_pid in $TAP_PIDS; do
		kill -s KILL "$tap_pid"
		wait "$tap_pid"
	done 2>/dev/null
	eval "$TAP_CLEANUP"
	rm -rf "$TAP_DIR"
	if [ "$tap_status" = 0 ] && [ "$TAP_FAILED" != 0 ]; then
		tap_status=1
	fi
	if [ "$tap_status" = 0 ] && [ -z "$TAP_PLAN" ]; then
		diag "no plan was made"
		tap_status=1
	fi
	exit "$tap_status"
}

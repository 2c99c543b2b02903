#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Work inside: one running sandbox of each contender, on the same root tree,
# does the same pieces in turn and times them by its own clock.
. "$(dirname "$0")/../lib/bench.sh"

PIECES='python3 node forks git getpid write'

describe()
{
	case $1 in
	python3) echo "\`python3 -c 1\`, ms" ;;
	node) echo "\`node -e 1\`, ms" ;;
	forks) echo "50 × fork+exec of true, ms" ;;
	git) echo "\`git add\` of 50 files, ms" ;;
	getpid) echo "getpid, µs" ;;
	write) echo "write 64 MiB to the home directory, ms" ;;
	esac
}

# begin NAME COMMAND...: a contender that waits for orders.
begin()
{
	mkfifo "$BENCH_DIR/$1.in" "$BENCH_DIR/$1.out"
	begun=$1
	shift
	"$@" <"$BENCH_DIR/$begun.in" >"$BENCH_DIR/$begun.out" \
		2>"$BENCH_DIR/$begun.err" &
	workers="$workers $!"
	# Held open here, so that a round is one line each way.
	sleep 1000000 >"$BENCH_DIR/$begun.in" &
	holders="$holders $!"
	# shellcheck disable=SC2217 # it only holds it
	sleep 1000000 <"$BENCH_DIR/$begun.out" &
	holders="$holders $!"
	contenders="$contenders $begun"
}

# The end of their input ends them; who does not take it is killed.
end_all()
{
	for pid in $holders; do
		kill "$pid"
	done 2>/dev/null
	tries=0
	for pid in $workers; do
		while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
}
workers=
holders=
contenders=
on_exit end_all

# round NAME: its pieces, as samples NAME.PIECE.
round()
{
	echo go >"$BENCH_DIR/$1.in"
	while read -r piece number _; do
		case $piece in
		end) return 0 ;;
		failed) break ;;
		esac
		[ "$counts" = no ] || add "$1.$piece" "$number"
	done <"$BENCH_DIR/$1.out"
	tail -n 3 "$BENCH_DIR/$1.err" >&2
	refuse "work in $1" "it failed at ${number:-the start}" "run it by hand"
}

# The root tree without any wall worth the name.
begin_native()
{
	mkdir "$BENCH_DIR/home"
	begin native bwrap --ro-bind "$ROOTFS" / --dev /dev --proc /proc \
		--tmpfs /tmp --bind "$BENCH_DIR/share" /mnt \
		--bind "$BENCH_DIR/home" /home/user --chdir /home/user \
		--unshare-user --uid 1000 --gid 1000 --clearenv \
		--setenv HOME /home/user --setenv PATH /usr/bin:/bin /mnt/work
}

begin_runsc()
{
	runsc_bundle /mnt/work
	begin gvisor runsc_run "work-$$"
}

need_caponier
find_runsc
mkdir -p "$BENCH_DIR/share"
"${CC:-cc}" -O2 -static -o "$BENCH_DIR/share/work" \
	"$BENCH_ROOT/test/bench/work.c" ||
	refuse "compile work.c" "${CC:-cc} failed, see above" "./dev deps build"
if command -v bwrap >/dev/null; then
	begin_native
else
	note "without native: there is no bwrap; ./dev deps bench"
fi
[ -z "$RUNSC" ] || begin_runsc
# The program goes in ahead of the orders.
# shellcheck disable=SC2016 # for the shell inside
begin ours "$CAPONIER" run --quiet -- sh -c \
	'head -c "$1" >work && chmod +x work && exec ./work' sh \
	"$(stat -c %s "$BENCH_DIR/share/work")"
cat "$BENCH_DIR/share/work" >"$BENCH_DIR/ours.in"

rounds=0
while [ "$rounds" -le "$ROUNDS" ]; do
	note "round $rounds of $ROUNDS"
	[ "$rounds" = 0 ] && counts=no || counts=yes
	for contender in $contenders; do
		round "$contender"
	done
	rounds=$((rounds + 1))
done

title "Work inside" "median (min … max), n=$ROUNDS"
table_head "work" "native" "gVisor" "ours" "ours : native" "ours : gVisor"

# cell NAME
cell()
{
	if has_samples "$1"; then
		echo "$(median "$1")" "($(tidy "$(quantile "$1" MIN)") …" \
			"$(tidy "$(quantile "$1" MAX)"))"
	else
		echo "not measured"
	fi
}

ratio_or_none()
{
	if has_samples "$2"; then
		ratio "$1" "$2"
	fi
}

for piece in $PIECES; do
	table_row "$(describe "$piece")" "$(cell "native.$piece")" \
		"$(cell "gvisor.$piece")" "$(cell "ours.$piece")" \
		"$(ratio_or_none "ours.$piece" "native.$piece")" \
		"$(ratio_or_none "ours.$piece" "gvisor.$piece")"
done
echo
echo "Native: the root tree in bubblewrap, home on the host's disk; gVisor: home" \
	"in its overlay in memory; ours: home on the sandbox's own disk."
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Seen from outside, a running sandbox's shim and QEMU are caged.
# timeout: 120
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template

"$CAPONIER" run --quiet -- sh -c 'echo ready; sleep 600' </dev/null \
	>"$TAP_DIR/out" 2>&1 &
cli=$!
TAP_PIDS="$TAP_PIDS $cli"
wait_line 60 "$TAP_DIR/out" ready || bail "no sandbox came up"
keeper=$(children "$cli")
shim=$(children "$keeper")
qemu=$(children "$shim")

status_of()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

for process in shim qemu; do
	eval pid=\$$process
	# shellcheck disable=SC2154 # pid is set by eval
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		is "$(status_of "$pid" $set)" 0000000000000000 \
			"$process: $set is empty"
	done
	is "$(status_of "$pid" NoNewPrivs)" 1 "$process: no_new_privs"
	is "$(status_of "$pid" Seccomp)" 2 "$process: a seccomp filter"
	for ns in user mnt pid net ipc uts cgroup; do
		differs "$(readlink /proc/"$pid"/ns/$ns)" \
			"$(readlink /proc/self/ns/$ns)" \
			"$process: a $ns namespace of its own"
	done
	if [ "$(id -u)" = 0 ]; then
		differs "$(status_of "$pid" Uid | cut -f 1)" 0 "$process: not root"
	fi
done
differs "$(readlink /proc/"$shim"/ns/user)" "$(readlink /proc/"$qemu"/ns/user)" \
	"shim and QEMU do not share a user namespace"
if [ "$(id -u)" = 0 ]; then
	differs "$(status_of "$shim" Uid)" "$(status_of "$qemu" Uid)" \
		"shim and QEMU do not share a uid"
fi

is "$(find "/proc/$shim/root/" -mindepth 1 | head -3)" "" \
	"shim: its root is empty"
is "$(find "/proc/$qemu/root/" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort |
	tr '\n' ' ')" "dev initrd kernel lib64 ram tmp usr " \
	"qemu: its root holds nothing but its own"
is "$(find "/proc/$qemu/root/" -writable -type f -newermt '1 hour ago' \
	-not -name ram | head -3)" "" "qemu: nothing of it was written"
# The sixth field is the mount's own; behind it stands its file system's.
for process in shim qemu; do
	eval pid=\$$process
	unlike "$(cut -d ' ' -f 6 "/proc/$pid/mountinfo")" '^rw' \
		"$process: every mount is read-only"
done

# Descriptors: sockets, events, and of files only the listed ones.
files_of()
{
	find "/proc/$1/fd" -mindepth 1 -printf '%l\n' |
		grep -v -e '^socket:' -e '^anon_inode:' -e '^pipe:' \
			-e '^/null$' -e '^/dev/null$' -e '^/memfd:' | sort -u
}
is "$(files_of "$shim" | grep -v -e '/state$')" "" \
	"shim: no file but a template's state"
# Under KVM its door, too; the machine behind it is an anonymous inode.
kvm=
! tr '\0' ' ' <"/proc/$qemu/cmdline" | grep -q -e ' -accel kvm' || kvm='kvm '
is "$(files_of "$qemu" | sed 's|.*/||' | sort -u | tr '\n' ' ')" \
	"${kvm}layer.qcow2 modules.ext4 ram root.ext4 " \
	"qemu: only the disks and the RAM it was handed"

kill -KILL "$cli"
ok "all of it ends with its launcher" wait_for 10 nothing_left
done_testing

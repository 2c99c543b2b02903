#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cgroup_limits.sh where caponier is run by an ordinary user: in the group that
# was delegated to it, or refused.
. "$(dirname "$0")/../lib/tap.sh"
[ "$(id -u)" = 0 ] || skip_all "cgroup_limits.sh ran as this user already"
runner=$TAP_DIR/cgroup_limits
chmod 755 "$TAP_DIR"
cp "$CAPONIER_BUILD/test/escape/cgroup_limits" "$runner"
mkdir "$TAP_DIR/root"
chown 12346:12346 "$TAP_DIR/root"
cd / || exit

# Where version 2 has controllers, delegate a group as systemd would.
group=/sys/fs/cgroup/caponier-test-delegated
enter=
if grep -qs memory /sys/fs/cgroup/cgroup.subtree_control; then
	mkdir -p "$group/own"
	echo "+memory +pids +cpu" >"$group/cgroup.subtree_control"
	chown 12346 "$group" "$group/cgroup.procs" \
		"$group/cgroup.subtree_control" "$group/own" \
		"$group/own/cgroup.procs"
	on_exit "rmdir $group/own $group"
	enter="echo \$\$ >$group/own/cgroup.procs;"
fi
# The points are its own; the plan, too.
TAP_PLAN=0
sh -c "$enter exec setpriv --reuid 12346 --regid 12346 --clear-groups \
	$runner $TAP_DIR/root"

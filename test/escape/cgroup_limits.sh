#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits by cgroup are run into, on the hierarchies that this host has.
. "$(dirname "$0")/../lib/tap.sh"
[ "$(id -u)" = 0 ] || skip_all "root's cgroups; an ordinary user has none"
# The points are its own; the plan, too.
TAP_PLAN=0
"$CAPONIER_BUILD/test/escape/cgroup_limits"

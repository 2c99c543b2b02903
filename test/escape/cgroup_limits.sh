#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits by cgroup are run into, on the hierarchies that this host has.
. "$(dirname "$0")/../lib/tap.sh"
mkdir "$TAP_DIR/root"
# The points are its own; the plan, too.
TAP_PLAN=0
"$CAPONIER_BUILD/test/escape/cgroup_limits" "$TAP_DIR/root"

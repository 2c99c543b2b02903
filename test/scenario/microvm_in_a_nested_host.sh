#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tier microvm, whole: on a host with KVM and version 2 cgroups alone, which
# is itself emulated, so that this runs anywhere (test/host/nested.sh).
# timeout: 900
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template

# The points are made inside, test/host/inside.sh; the plan, too.
TAP_PLAN=0
"$TAP_ROOT/test/host/nested.sh" "$CAPONIER_BUILD" || {
	status=$?
	[ "$status" != 75 ] || echo "# the machine did not boot, twice"
	echo "Bail out! the nested host ended with status $status"
	exit 1
}

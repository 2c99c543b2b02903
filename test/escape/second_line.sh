#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The cages hold without their system-call filter: each attack meets the listed
# refusal; outside any cage it wins.
. "$(dirname "$0")/../lib/tap.sh"
runner=$TAP_DIR/second_line
chmod 755 "$TAP_DIR"
cp "$CAPONIER_BUILD/test/escape/second_line" "$runner"
mkdir "$TAP_DIR/place"
# The points are its own; the plan, too.
TAP_PLAN=0
"$runner" "$TAP_DIR/place"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A cage that cannot be closed is not entered, and the sentence names the step.
. "$(dirname "$0")/../lib/tap.sh"
runner=$TAP_DIR/cage_fails_closed
chmod 755 "$TAP_DIR"
cp "$CAPONIER_BUILD/test/escape/cage_fails_closed" "$runner"
mkdir "$TAP_DIR/place"
# The points are its own; the plan, too.
TAP_PLAN=0
"$runner" "$TAP_DIR/place"

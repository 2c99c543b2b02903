#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cage_fails_closed.sh where caponier is run by an ordinary user.
. "$(dirname "$0")/../lib/tap.sh"
[ "$(id -u)" = 0 ] || skip_all "cage_fails_closed.sh ran as this user already"
runner=$TAP_DIR/cage_fails_closed
chmod 755 "$TAP_DIR"
cp "$CAPONIER_BUILD/test/escape/cage_fails_closed" "$runner"
mkdir "$TAP_DIR/place"
chown 12346:12346 "$TAP_DIR/place"
cd / || exit
# The points are its own; the plan, too.
TAP_PLAN=0
setpriv --reuid 12346 --regid 12346 --clear-groups "$runner" "$TAP_DIR/place"

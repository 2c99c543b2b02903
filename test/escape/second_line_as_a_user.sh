#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# second_line.sh where caponier is run by an ordinary user.
. "$(dirname "$0")/../lib/tap.sh"
runner=$TAP_DIR/second_line
chmod 755 "$TAP_DIR"
cp "$CAPONIER_BUILD/test/escape/second_line" "$runner"
[ "$(id -u)" = 0 ] || skip_all "second_line.sh ran as this user already"
mkdir "$TAP_DIR/place"
chown 12346:12346 "$TAP_DIR/place"
cd / || exit
# The points are its own; the plan, too.
TAP_PLAN=0
setpriv --reuid 12346 --regid 12346 --clear-groups "$runner" "$TAP_DIR/place"

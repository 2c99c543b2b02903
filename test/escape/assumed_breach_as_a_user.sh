#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same attack where caponier is run by an ordinary user.
# timeout: 120
. "$(dirname "$0")/../lib/tap.sh"
[ "$(id -u)" = 0 ] || skip_all "assumed_breach.sh ran as this user already"
place=$TAP_DIR/place
mkdir "$place"
chmod 755 "$TAP_DIR"
cp "$CAPONIER_BUILD/test/escape/assumed_breach" \
	"$CAPONIER_BUILD/test/escape/attack" "$TAP_DIR"
chown 12345:12345 "$place"
cd "$place" || bail "no place to run in"
mkdir inner && chown 12345:12345 inner
setpriv --reuid 12345 --regid 12345 --clear-groups \
	"$TAP_DIR/assumed_breach" "$place/inner" "$TAP_DIR/attack" &&
	status=0 || status=$?
# The points are its own; the plan, too.
TAP_PLAN=0
exit "$status"

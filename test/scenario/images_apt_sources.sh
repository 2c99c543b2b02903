#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The private apt is derived rightly from a machine's own apt settings.
#
# TAP; no network: only reading and choosing is tested.
set -eu

REPO=$(cd "$(dirname "$0")/../.." && pwd)
LIB=$REPO/images/lib
# shellcheck source=images/lib/progress.sh
. "$LIB/progress.sh"
# shellcheck source=images/lib/apt.sh
. "$LIB/apt.sh"

WORKDIR=$(mktemp -d)
trap 'rm -rf "$WORKDIR"' EXIT
CACHE_DIR=$WORKDIR/cache
LOG=$WORKDIR/log
COUNT=0
FAILED=0
TAB=$(printf '\t')

# fresh: an empty /etc/apt, which the real apt-config is made to read.
fresh()
{
	rm -rf "${WORKDIR:?}/etc" "$CACHE_DIR"
	mkdir -p "$WORKDIR/etc/sources.list.d" "$WORKDIR/etc/apt.conf.d" \
		"$CACHE_DIR"
	printf 'Dir::Etc "%s/etc";\n' "$WORKDIR" >"$WORKDIR/apt.conf"
	export APT_CONFIG="$WORKDIR/apt.conf"
}

list() { cat >>"$WORKDIR/etc/sources.list"; }
part() { cat >"$WORKDIR/etc/sources.list.d/$1"; }

# Keyrings are the machine's; what the rule gives is what the test expects.
ring()
{
	key=$(apt_keyring "$1")
	printf '%s' "${key:+ signed-by=$key}"
}

# is NAME EXPECTED ACTUAL
is()
{
	COUNT=$((COUNT + 1))
	if [ "$2" = "$3" ]; then
		printf 'ok %d - %s\n' "$COUNT" "$1"
		return
	fi
	FAILED=$((FAILED + 1))
	printf 'not ok %d - %s\n' "$COUNT" "$1"
	printf '%s\n' "expected:" "$2" "found:" "$3" | sed 's/^/# /'
}

# sources SUITE: what apt_sources makes of the fixture, or "none".
sources()
{
	APT_HOME=$CACHE_DIR/apt
	mkdir -p "$APT_HOME"
	apt_sources "$1" || echo none
}

# three SUITE RING MAIN SECURITY [OPTIONS]: a whole private list.
three()
{
	printf 'deb [arch=amd64%s%s] %s %s main\n' \
		"$2" "${5:-}" "$3" "$1" "$2" "${5:-}" "$3" "$1-updates"
	printf 'deb [arch=amd64%s%s] %s %s main\n' \
		"$2" "${5:-}" "$4" "$1-security"
}

DEBIAN=http://deb.example.test/debian
SECURITY=http://security.example.test/debian-security
ARCHIVE_KEY=/usr/share/keyrings/debian-archive-keyring.gpg

fresh
list <<EOF
# deb http://commented.example.test/debian bookworm main
deb $DEBIAN/ bookworm main contrib # the archive
deb-src $DEBIAN bookworm main
deb	$DEBIAN   bookworm-updates	main
deb $SECURITY bookworm-security main
EOF
is "one-line format, no keyring named" \
	"$(three trixie "$(ring -)" $DEBIAN $SECURITY)" "$(sources trixie)"

fresh
list <<EOF
deb [ arch=amd64,i386 signed-by=$ARCHIVE_KEY ] $DEBIAN bookworm main
deb [signed-by=$ARCHIVE_KEY arch=amd64] $SECURITY bookworm-security main
EOF
is "one-line format, options with and without blanks" \
	"$(three bookworm "$(ring $ARCHIVE_KEY)" $DEBIAN $SECURITY)" \
	"$(sources bookworm)"

fresh
part debian.sources <<EOF
Types: deb deb-src
# a comment inside
URIs: $DEBIAN
Suites: bookworm
  bookworm-updates
Components: main contrib
Signed-By: $ARCHIVE_KEY

types: deb
uris: $SECURITY/
suites: bookworm-security
components: main
signed-by: $ARCHIVE_KEY
EOF
is "deb822 format, continuation, comment, any case" \
	"$(three trixie "$(ring $ARCHIVE_KEY)" $DEBIAN $SECURITY)" \
	"$(sources trixie)"

fresh
part a-node.sources <<EOF
Types: deb
URIs: https://node.example.test/node_20.x
Suites: nodistro
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFdDN1ABEADaNd
 -----END PGP PUBLIC KEY BLOCK-----
EOF
part b-cloud.list <<EOF
deb https://cloud.example.test/apt cloud-sdk-bookworm main
deb https://docker.example.test/linux/debian bookworm stable
deb [signed-by=/etc/apt/keyrings/php.gpg] https://php.example.test/ bookworm main
EOF
part debian.sources <<EOF
Types: deb
URIs: $DEBIAN
Suites: trixie trixie-updates
Components: main
Signed-By: $ARCHIVE_KEY

Types: deb
URIs: $SECURITY
Suites: trixie-security
Components: main
Signed-By: $ARCHIVE_KEY
EOF
is "sources that are not Debian's are passed over" \
	"$(three trixie "$(ring $ARCHIVE_KEY)" $DEBIAN $SECURITY)" \
	"$(sources trixie)"

fresh
part off.sources <<EOF
Enabled: no
Types: deb
URIs: http://off.example.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: $ARCHIVE_KEY
EOF
part on.sources <<EOF
Enabled: yes
Types: deb
URIs: $DEBIAN
Suites: bookworm
Components: main

Types: deb
URIs: $SECURITY
Suites: bookworm-security
Components: main
EOF
part ignored.txt <<EOF
deb http://ignored.example.test/debian bookworm main
EOF
is "a source that is switched off is none" \
	"$(three trixie "$(ring -)" $DEBIAN $SECURITY)" "$(sources trixie)"

fresh
list <<EOF
deb [trusted=yes check-valid-until=no] $DEBIAN bookworm main
deb [trusted=yes check-valid-until=no] $SECURITY bookworm-security main
EOF
is "trust the owner gave a mirror goes along" \
	"$(three trixie "$(ring -)" $DEBIAN $SECURITY \
		" trusted=yes check-valid-until=no")" "$(sources trixie)"

fresh
list <<EOF
deb [signed-by=/etc/apt/keyrings/own.gpg] $DEBIAN bookworm main
deb [signed-by=/etc/apt/keyrings/own.gpg] $SECURITY bookworm/updates main
EOF
is "a mirror signed by its owner keeps its key" \
	"$(three trixie " signed-by=/etc/apt/keyrings/own.gpg" \
		$DEBIAN $SECURITY)" "$(sources trixie)"

fresh
list <<EOF
deb mirror+file:/etc/apt/mirrors/debian.list stable main
deb mirror+file:/etc/apt/mirrors/debian-security.list stable-security main
EOF
is "mirror lists and suites by rank" \
	"$(three trixie "$(ring -)" mirror+file:/etc/apt/mirrors/debian.list \
		mirror+file:/etc/apt/mirrors/debian-security.list)" \
	"$(sources trixie)"

fresh
list <<EOF
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb $DEBIAN bookworm main
EOF
is "without a security source its usual place is guessed, and marked" \
	"$(three trixie "$(ring -)" $DEBIAN $DEBIAN-security |
		sed '3s/$/ # guessed/')" "$(sources trixie)"

fresh
list <<EOF
deb https://cloud.example.test/apt cloud-sdk-bookworm main
EOF
is "a machine without a Debian source has none" none "$(sources trixie)"

fresh
printf 'deb %s bookworm main\r\n' $DEBIAN | part dos.list
is "DOS line ends" "$DEBIAN${TAB}-${TAB}" \
	"$(apt_source_files >"$WORKDIR/f"
		xargs -n 1 <"$WORKDIR/f" | while read -r file; do
			apt_entries "$file"
		done | apt_pick 0 trixie)"

printf '1..%d\n' "$COUNT"
[ "$FAILED" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds a root image from a recipe: one tree, as a directory and as ext4.
#
# usage: root.sh RECIPE_DIR OUT_DIR     environment: LOG CACHE_DIR REFRESH
# Recipe and files made: README.md.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
LIB=$HERE/lib
# shellcheck source=images/lib/progress.sh
. "$LIB/progress.sh"
# shellcheck source=images/lib/apt.sh
. "$LIB/apt.sh"

recipe()
{
	sed -n "s/^$1=//p" "$RECIPE/recipe"
}

# is_current: the current image was made from these very inputs and is whole.
is_current()
{
	[ "$(json_field "$OUT_DIR/current/image.json" recipe_digest)" = \
		"$INPUTS" ] && [ -d "$OUT_DIR/current/rootfs/usr" ] &&
		[ "$(stat -c %s "$OUT_DIR/current/root.ext4" 2>/dev/null)" = \
			"$(json_field "$OUT_DIR/current/image.json" \
				root_ext4_bytes)" ]
}

# is_same DIR NEW: DIR holds what NEW holds; then its files stay, for they may
# be in use and verified.
is_same()
{
	for field_ in root_ext4_sha256 root_ext4_bytes digest; do
		[ "$(json_field "$1/image.json" "$field_")" = \
			"$(json_field "$2/image.json" "$field_")" ] || return 1
	done
	[ -d "$1/rootfs/usr" ] && [ "$(stat -c %s "$1/root.ext4")" = \
		"$(json_field "$1/image.json" root_ext4_bytes)" ]
}

# Root builds as root; a user needs a range of ids to be root over.
choose_mode()
{
	if [ "$(id -u)" -eq 0 ]; then
		MODE=root
		AS_ROOT=
		return
	fi
	MODE=unshare
	AS_ROOT="mmdebstrap --unshare-helper"
	need_tools newuidmap:uidmap
	for file_ in /etc/subuid /etc/subgid; do
		grep -qE "^($(id -un)|$(id -u)):" "$file_" 2>/dev/null || fail \
			"$(id -un) has no subordinate ids in $file_" \
			"as root: usermod --add-subuids 100000-165535 \
--add-subgids 100000-165535 $(id -un)"
	done
	job mmdebstrap --unshare-helper true || fail \
		"this host lets $(id -un) make no user namespace" \
		"as root: sysctl -w kernel.unprivileged_userns_clone=1 \
user.max_user_namespaces=15000, or let root build the image"
}

# repository CLOSURE DIR: a Debian archive of exactly these packages, out of
# files that apt has checked against the signed lists.
repository()
{
	mkdir -p "$2/dists/$SUITE/main/binary-$APT_ARCH" "$2/pool"
	awk -v dir="$DEBS" '{ print dir "/" $2 }' "$1" >"$STAGE/files"
	xargs ln -t "$2/pool" <"$STAGE/files" 2>/dev/null ||
		xargs cp -f -t "$2/pool" <"$STAGE/files"
	index_=$2/dists/$SUITE/main/binary-$APT_ARCH/Packages
	awk '{ print $2 }' "$1" | sed -E \
		's/^([^_]*)_(.*)_([^_]*)\.deb$/\1:\3=\2/; s/%3a/:/' \
		>"$STAGE/names"
	xargs apt-cache -c "$APT_CONF" show --no-all-versions \
		<"$STAGE/names" >"$STAGE/stanzas" 2>>"$LOG"
	awk '
		/^Package: / { name = $2 }
		/^Version: / { version = $2; sub(/:/, "%3a", version) }
		/^Architecture: / { arch = $2 }
		/^Filename: / { next }
		/^$/ {
			print "Filename: pool/" name "_" version "_" arch ".deb"
		}
		{ print }' "$STAGE/stanzas" >"$index_"
	{
		printf 'Origin: Debian\nSuite: %s\nCodename: %s\n' \
			"$SUITE" "$SUITE"
		printf 'Components: main\nArchitectures: %s\nSHA256:\n' \
			"$APT_ARCH"
		printf ' %s %s main/binary-%s/Packages\n' \
			"$(sha256sum <"$index_" | cut -d ' ' -f 1)" \
			"$(stat -c %s "$index_")" "$APT_ARCH"
	} >"$2/dists/$SUITE/Release"
}

# install TREE: mmdebstrap, from the repository above.
install_tree()
{
	# The hooks' "$1" is the tree; they run in a shell of mmdebstrap's.
	# shellcheck disable=SC2016
	caged env SOURCE_DATE_EPOCH="$EPOCH" TMPDIR="$STAGE" \
		CAPONIER_RECIPE="$RECIPE" CAPONIER_LIB="$LIB" \
		mmdebstrap --verbose --mode="$MODE" --variant=minbase \
		--format=directory --skip=output/dev \
		--architectures="$APT_ARCH" \
		--include="$(tr '\n' ',' <"$STAGE/packages")" \
		--aptopt='APT::Install-Recommends "false"' \
		--setup-hook='mkdir -p "$1/etc/dpkg/dpkg.cfg.d"' \
		--setup-hook='cp "$CAPONIER_LIB/dpkg.cfg" \
			"$1/etc/dpkg/dpkg.cfg.d/caponier"' \
		--dpkgopt="$LIB/dpkg.cfg" \
		--customize-hook='rm -f "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"' \
		--customize-hook='sh "$CAPONIER_RECIPE/customize.sh" "$1"' \
		"$SUITE" "$1" \
		"deb [trusted=yes] copy://$STAGE/repository $SUITE main" ||
		fail "mmdebstrap failed: $(grep -E '^E: ' "$LOG" | head -n 1 |
			tr '|' '/')" "look into $LOG"
}

# describe FILE: image.json
describe()
{
	{
		printf '{\n\t"name": "%s",\n' "$NAME"
		printf '\t"digest": "sha256:%s",\n' "$DIGEST"
		printf '\t"suite": "%s",\n' "$SUITE"
		printf '\t"packages": %d,\n' "$COUNT"
		printf '\t"recipe_digest": "%s",\n' "$INPUTS"
		printf '\t"built": "%s",\n' "$(date -u +%FT%TZ)"
		printf '\t"root_ext4_sha256": "%s",\n' \
			"$(cat "$STAGE/sealed/root.ext4.sha256")"
		printf '\t"root_ext4_bytes": %d\n}\n' \
			"$(stat -c %s "$STAGE/result/root.ext4")"
	} >"$1"
}

[ $# -eq 2 ] || {
	echo "usage: root.sh RECIPE_DIR OUT_DIR" >&2
	exit 1
}
begin "building the image of $1" "$2"
RECIPE=$(cd "$1" 2>/dev/null && pwd) || RECIPE=
for part in recipe packages customize.sh; do
	[ -f "$RECIPE/$part" ] || fail "$1 is no recipe, it has no file $part" \
		"name a directory such as images/base"
done
NAME=$(recipe name)
SUITE=$(recipe suite)
WORK="building the image $NAME"
INPUTS=$(inputs_digest "$RECIPE/recipe" "$RECIPE/packages" \
	"$RECIPE/customize.sh" "$HERE/root.sh" "$LIB/seal.sh" \
	"$LIB/tree.sh" "$LIB/dpkg.cfg")
if [ "${REFRESH:-0}" != 1 ] && is_current; then
	say 100 0 "image $NAME is there"
	exit 0
fi
need_tools apt-get:apt mmdebstrap:mmdebstrap mke2fs:e2fsprogs
only_builder
if [ "${REFRESH:-0}" != 1 ] && is_current; then
	say 100 0 "image $NAME is there"
	exit 0
fi
stage 3072
choose_mode
plan 5 10 60 10 1

phase 5 time "asking the archive what $NAME needs"
apt_configure "$SUITE"
apt_update
grep -v '^#' "$RECIPE/packages" | sort -u >"$STAGE/packages"
CLOSURE=$STAGE/closure
# shellcheck disable=SC2046 # a list of names
set -- '?essential' '?priority(required)' apt $(cat "$STAGE/packages")
apt_closure "$CLOSURE" "$@"
COUNT=$(wc -l <"$CLOSURE")
EPOCH=$(grep -h '^Date: ' "$APT_HOME"/lists/*Release | sed 's/^Date: //' |
	while IFS= read -r date_; do date -d "$date_" +%s; done |
	sort -n | tail -n 1)

phase 10 "apt:$STAGE/apt-status" "fetching $COUNT packages"
DEBS=$CACHE_DIR/debs/$NAME
apt_fetch "$DEBS" "$CLOSURE" "$@"
repository "$CLOSURE" "$STAGE/repository"

phase 60 "lines:$((COUNT * 2)):$LOG" "installing $COUNT packages"
# The tree is made where it stays: who builds as a user owns neither it nor
# what is written beside it, so it can be moved only along with its parent.
mkdir "$STAGE/result" "$STAGE/sealed"
chmod 777 "$STAGE/sealed"
install_tree "$STAGE/result/rootfs"

phase 10 time "sealing the tree and making its disk"
# shellcheck disable=SC2086 # a command and its option, or nothing
caged $AS_ROOT sh "$LIB/seal.sh" "$STAGE/result/rootfs" \
	"$STAGE/sealed" "$EPOCH" || fail \
	"the tree could not be sealed" "look into $LOG"

phase 1 time "publishing"
DIGEST=$(cat "$STAGE/sealed/digest")
mv "$STAGE/sealed/root.ext4" "$STAGE/result/"
describe "$STAGE/result/image.json"
ID=$(printf %.12s "$DIGEST")
if is_same "$OUT_DIR/$ID" "$STAGE/result"; then
	mv "$STAGE/result/image.json" "$OUT_DIR/$ID/image.json"
	make_current "$OUT_DIR/$ID"
else
	publish "$STAGE/result" "$ID"
fi
finish "image $NAME is ready: $ID"

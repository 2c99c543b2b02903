#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the root of QEMU's jail: QEMU from Debian and the files it opens.
#
# usage: qemu.sh OUT_DIR [SUITE]        environment: LOG CACHE_DIR REFRESH
# The same QEMU serves every host, whatever its own release has. Nothing is
# installed. Files made: README.md.
set -eu

LIB=$(cd "$(dirname "$0")/lib" && pwd)
# shellcheck source=images/lib/progress.sh
. "$LIB/progress.sh"
# shellcheck source=images/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=images/lib/tree.sh
. "$LIB/tree.sh"

PACKAGE=qemu-system-x86
LIBS=usr/lib/x86_64-linux-gnu
LOADER=lib64/ld-linux-x86-64.so.2
# The whole emulator, and Debian's small one that knows KVM and this machine
# only: a quarter of the code for the strongest tier.
PROGRAMS="qemu-system-x86_64 qemu-system-x86_64-microvm"
FIRMWARE="qboot.rom linuxboot_dma.bin pvh.bin"
# TCG as a module: some builds of QEMU have it, some carry it inside.
MODULES="accel-tcg-x86_64.so"
# Where the jail puts what one sandbox is given.
MOUNT_FILES="kernel initrd ram dev/kvm dev/null"
MOUNT_DIRS="tmp"

# libraries TREE FILE: paths of what FILE loads, as TREE's own loader finds it.
libraries()
{
	"$1/usr/$LOADER" --library-path "$1/$LIBS" --list "$2" 2>>"$LOG" |
		awk -v tree="$1/" '
		$2 == "=>" && index($3, tree) == 1 { print $3 }
		/not found/ { print $1 > "/dev/stderr" }' 2>>"$LOG"
}

# place TREE ROOT FILE...: FILE, a path below TREE, with what it loads.
place()
{
	tree_=$1
	root_=$2
	shift 2
	for file_ in "$@"; do
		cp -L "$tree_/$file_" "$root_/$file_"
		case $file_ in
		usr/share/*) continue ;;
		esac
		libraries "$tree_" "$tree_/$file_" | while read -r library_; do
			cp -L "$library_" "$root_/$LIBS/"
		done
	done
}

# jail_root TREE ROOT
jail_root()
{
	mkdir -p "$2/usr/bin" "$2/$LIBS/qemu" "$2/usr/share/qemu" \
		"$2/lib64" "$2/dev"
	cp -L "$1/usr/$LOADER" "$2/$LOADER"
	for program_ in $PROGRAMS; do
		place "$1" "$2" "usr/bin/$program_"
	done
	for file_ in $FIRMWARE; do
		place "$1" "$2" "usr/share/qemu/$file_"
	done
	for module_ in $MODULES; do
		[ ! -e "$1/$LIBS/qemu/$module_" ] ||
			place "$1" "$2" "$LIBS/qemu/$module_"
	done
	# Each name but the loader's own is opened by its soname.
	rm -f "$2/$LIBS/${LOADER##*/}"
	for file_ in $MOUNT_FILES; do
		: >"$2/$file_"
	done
	for dir_ in $MOUNT_DIRS; do
		mkdir -p "$2/$dir_"
	done
	find "$2" -type f -exec chmod a-w,a+r {} +
	find "$2" -type d -exec chmod 755 {} +
}

# starts ROOT: the emulator comes up from this root's files alone and obeys.
starts()
{
	# shellcheck disable=SC2016 # the inner shell expands
	job timeout 60 sh -c 'root=$1 libs=$2 loader=$3
		printf "%s\n" "{\"execute\":\"qmp_capabilities\"}" \
			"{\"execute\":\"quit\"}" |
		"$root/$loader" --library-path "$root/$libs" \
			"$root/usr/bin/qemu-system-x86_64" \
			-L "$root/usr/share/qemu" -nodefaults -display none \
			-M microvm -accel tcg -m 64 -bios qboot.rom -S \
			-device virtio-serial-device -qmp stdio &&
		"$root/$loader" --library-path "$root/$libs" \
			"$root/usr/bin/qemu-system-x86_64-microvm" -version' \
		sh "$1" "$LIBS" "$LOADER"
}

# describe FILE: engine.json
describe()
{
	{
		printf '{\n\t"version": "%s",\n' \
			"$(printf '%s' "$NAME" | sed 's/[^0-9.].*//')"
		printf '\t"package": "%s",\n' "$PACKAGE"
		printf '\t"package_version": "%s",\n' "$VERSION"
		printf '\t"suite": "%s",\n' "$SUITE"
		printf '\t"inputs": "%s",\n' "$INPUTS"
		printf '\t"root_sha256": "%s",\n' "$DIGEST"
		printf '\t"built": "%s"\n}\n' "$(date -u +%FT%TZ)"
	} >"$1"
}

[ $# -ge 1 ] || {
	echo "usage: qemu.sh OUT_DIR [SUITE]" >&2
	exit 1
}
SUITE=${2:-trixie}
INPUTS=$(inputs_digest "$0" "$LIB/tree.sh")
begin "making QEMU's root" "$1"

if [ "${REFRESH:-0}" != 1 ] && [ -n "$(have engine.json "$SUITE")" ]; then
	make_current "$(have engine.json "$SUITE")"
	say 100 0 "QEMU $(readlink "$OUT_DIR/current") is there"
	exit 0
fi
need_tools apt-get:apt
only_builder
stage 1200
plan 5 5 5 3

phase 5 time "asking the archive for the newest QEMU"
OLD=$(have engine.json "$SUITE")
[ -z "$OLD" ] || KEPT="QEMU ${OLD##*/} serves on; no newer one could be fetched"
apt_configure "$SUITE"
apt_update
VERSION=$(apt_version "$PACKAGE")
NAME=${VERSION#*:}
if [ -n "$OLD" ] && [ "${OLD##*/}" = "$NAME" ]; then
	make_current "$OLD"
	finish "QEMU $NAME is the newest of $SUITE"
	exit 0
fi
apt_closure "$STAGE/closure" "$PACKAGE"

phase 5 "apt:$STAGE/apt-status" "fetching QEMU $NAME"
apt_fetch "$CACHE_DIR/debs/qemu" "$STAGE/closure" "$PACKAGE"
# shellcheck disable=SC2034 # fail reads it
KEPT=

phase 5 time "unpacking QEMU $NAME"
TREE=$STAGE/tree
mkdir "$TREE"
while read -r _ name _; do
	job dpkg-deb --extract "$CACHE_DIR/debs/qemu/$name" "$TREE" || fail \
		"the package $name cannot be unpacked" \
		"remove $CACHE_DIR and run it again"
done <"$STAGE/closure"

phase 3 time "making the root of QEMU's jail"
mkdir "$STAGE/result"
jail_root "$TREE" "$STAGE/result/root"
starts "$STAGE/result/root" || fail \
	"QEMU $NAME does not start from its own root" "look into $LOG"
DIGEST=$(tree_digest "$STAGE/result/root" "$STAGE/listing")
describe "$STAGE/result/engine.json"
publish "$STAGE/result" "$NAME"
finish "QEMU $NAME is ready"

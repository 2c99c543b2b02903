#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Takes Debian's cloud kernel out of its package, without installing it.
#
# usage: kernel.sh OUT_DIR [SERIES]     environment: LOG CACHE_DIR REFRESH
# SERIES is the Debian suite whose kernel it is (default trixie). Files made: README.md.
set -eu

LIB=$(cd "$(dirname "$0")/lib" && pwd)
# shellcheck source=images/lib/progress.sh
. "$LIB/progress.sh"
# shellcheck source=images/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=images/lib/tree.sh
. "$LIB/tree.sh"

META=linux-image-cloud-amd64
# What the initramfs must load to find its disks and its wire; what the
# kernel has built in is skipped.
WANTED="virtio_mmio virtio_blk virtio_console virtio-rng ext4"

# number FILE OFFSET BYTES: a little-endian unsigned number.
number()
{
	od -An -v -t "u$3" --endian=little -j "$2" -N "$3" "$1" | tr -d ' '
}

# extract_vmlinux BZIMAGE VMLINUX: the ELF image inside. The boot protocol's
# header (2.08 and later) says where the payload lies; its last four bytes are
# its unpacked size and no part of the stream.
extract_vmlinux()
{
	[ "$(number "$1" 514 4)" = 1400005704 ] || return 1 # "HdrS"
	start_=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4)))
	bytes_=$(($(number "$1" 588 4) - 4))
	tail -c "+$((start_ + 1))" "$1" | head -c "$bytes_" >"$2.packed"
	case $(od -An -t x1 -N 4 "$2.packed" | tr -d ' ') in
	28b52ffd) zstd -q -dc "$2.packed" >"$2" ;;
	02214c18)
		need_tools lz4:lz4
		lz4 -q -dc "$2.packed" >"$2"
		;;
	fd377a58) xz -dc "$2.packed" >"$2" ;;
	*) return 1 ;;
	esac
	rm "$2.packed"
	[ "$(head -c 4 "$2" | tail -c 3)" = ELF ]
}

# load_order MODULE_DIR: paths below it, each after what it needs.
load_order()
{
	for want_ in $WANTED; do
		if grep -q "/$want_\.ko" "$1/modules.builtin"; then
			continue
		fi
		grep "^[^:]*/$want_\.ko:" "$1/modules.dep" || fail \
			"the kernel package has no module $want_" \
			"choose another SERIES"
	done | awk '{
		sub(/:/, "")
		for (i = NF; i >= 1; i--) {
			if (i == 1)
				continue
			if (!seen[$i]++)
				print $i
		}
		if (!seen[$1]++)
			print $1
	}'
}

# unpack DEB TREE
unpack()
{
	job dpkg-deb --extract "$1" "$2" || fail \
		"the package ${1##*/} cannot be unpacked" \
		"remove $CACHE_DIR and run it again"
	[ -d "$2/usr/lib/modules" ] || mv "$2/lib" "$2/usr/lib"
}

# Modules are kept unpacked: xz costs an emulated guest far more than the
# disk, which all guests share, costs the host.
unpack_modules()
{
	# shellcheck disable=SC2016 # the inner shell expands
	job find "$1" -name '*.ko.xz' -exec \
		sh -c 'printf "%s\0" "$@" | xargs -0 -P 2 -n 64 xz -d' \
		sh {} + || fail "the modules cannot be unpacked" \
		"look into $LOG"
	job depmod -b "$2" "$3" || fail "depmod could not index the modules" \
		"look into $LOG"
}

# initrd_modules MODULE_DIR TARGET
initrd_modules()
{
	mkdir "$2"
	load_order "$1" >"$STAGE/order"
	while read -r path_; do
		cp "$1/$path_" "$2/"
		printf '%s\n' "${path_##*/}"
	done <"$STAGE/order" >"$2/order"
}

# modules_disk MODULE_DIR IMAGE SEED: read-only, so no journal and no slack.
modules_disk()
{
	mkdir "$STAGE/disk"
	mv "$1" "$STAGE/disk/"
	chmod 755 "$STAGE/disk"
	uuid_=$(uuid_from "$3")
	kib_=$(du -s -k --apparent-size "$STAGE/disk" | cut -f 1)
	files_=$(find "$STAGE/disk" | wc -l)
	job env E2FSPROGS_FAKE_TIME="$EPOCH" SOURCE_DATE_EPOCH="$EPOCH" \
		mke2fs -q -F -t ext4 -b 4096 -m 0 -L caponier-mods \
		-O '^has_journal,^resize_inode' -N $((files_ + 64)) \
		-E "root_owner=0:0,hash_seed=$uuid_,assume_storage_prezeroed=1" \
		-U "$uuid_" -d "$STAGE/disk" "$2" \
		$((kib_ + files_ * 4 + kib_ / 16 + 4096))k || fail \
		"mke2fs could not make the module disk" "look into $LOG"
	mv "$STAGE/disk/${1##*/}" "$1"
}

# describe DIR: kernel.json
describe()
{
	{
		printf '{\n\t"version": "%s",\n' "$KVER"
		printf '\t"package": "%s",\n' "$PACKAGE"
		printf '\t"package_version": "%s",\n' "$VERSION"
		printf '\t"series": "%s",\n\t"suite": "%s",\n' \
			"$(printf '%s' "$KVER" | cut -d . -f 1,2)" "$SERIES"
		printf '\t"inputs": "%s",\n' "$INPUTS"
		printf '\t"built": "%s",\n' "$(date -u +%FT%TZ)"
		printf '\t"sha256": {'
		(cd "$1" && sha256sum vmlinuz vmlinux modules.ext4 \
			initrd-modules/*) |
			awk '{ printf "%s\n\t\t\"%s\": \"%s\"", sep, $2, $1
				sep = "," }'
		printf '\n\t}\n}\n'
	} >"$1/kernel.json"
}

[ $# -ge 1 ] || {
	echo "usage: kernel.sh OUT_DIR [SERIES]" >&2
	exit 1
}
SERIES=${2:-trixie}
INPUTS=$(inputs_digest "$0" "$LIB/tree.sh")
begin "making the $SERIES kernel" "$1"

if [ "${REFRESH:-0}" != 1 ] && [ -n "$(have kernel.json "$SERIES")" ]; then
	make_current "$(have kernel.json "$SERIES")"
	say 100 0 "kernel $(readlink "$OUT_DIR/current") is there"
	exit 0
fi
need_tools apt-get:apt zstd:zstd xz:xz-utils mke2fs:e2fsprogs depmod:kmod
only_builder
stage 700
plan 8 4 3 4 3
phase 8 time "asking the archive for the newest kernel"
OLD=$(have kernel.json "$SERIES")
[ -z "$OLD" ] || KEPT="kernel ${OLD##*/} serves on; no newer one could be fetched"
apt_configure "$SERIES"
apt_update
PACKAGE=$(apt-cache -c "$APT_CONF" show --no-all-versions $META | sed -n \
	's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p')
[ -n "$PACKAGE" ] || fail "Debian $SERIES has no $META" "choose another SERIES"
VERSION=$(apt_version "$PACKAGE")
KVER=${PACKAGE#linux-image-}
if [ -n "$OLD" ] && [ "$(json_field "$OLD/kernel.json" package_version)" = \
	"$VERSION" ] && [ "${OLD##*/}" = "$KVER" ]; then
	make_current "$OLD"
	finish "kernel $KVER is the newest of $SERIES"
	exit 0
fi

apt_single "$STAGE/list" "$PACKAGE=$VERSION"
phase 4 "apt:$STAGE/apt-status" "fetching kernel $KVER"
apt_fetch_single "$CACHE_DIR/debs/kernel" "$STAGE/list" "$PACKAGE=$VERSION"
KEPT=
DEB=$CACHE_DIR/debs/kernel/$(cut -d ' ' -f 2 "$STAGE/list")

phase 3 time "unpacking kernel $KVER"
TREE=$STAGE/tree
unpack "$DEB" "$TREE"
MODULES=$TREE/usr/lib/modules/$KVER
EPOCH=$(stat -c %Y "$TREE/boot/vmlinuz-$KVER")
RESULT=$STAGE/result
mkdir "$RESULT"
cp "$TREE/boot/vmlinuz-$KVER" "$RESULT/vmlinuz"
extract_vmlinux "$RESULT/vmlinuz" "$RESULT/vmlinux" || fail \
	"the kernel's payload could not be found in its image" \
	"choose another SERIES"

phase 4 time "unpacking the modules"
ln -s usr/lib "$TREE/lib" 2>/dev/null || :
unpack_modules "$MODULES" "$TREE" "$KVER"
initrd_modules "$MODULES" "$RESULT/initrd-modules"

phase 3 time "making the module disk"
modules_disk "$MODULES" "$RESULT/modules.ext4" \
	"$(sha256sum "$DEB" | cut -d ' ' -f 1)"
describe "$RESULT"
publish "$RESULT" "$KVER"
finish "kernel $KVER ($VERSION) is ready"

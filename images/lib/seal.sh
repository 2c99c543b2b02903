# SPDX-License-Identifier: Apache-2.0
# Seals a root tree: nothing of the machine that built it, its digest, its disk.
# shellcheck shell=sh
#
# usage: seal.sh TREE STAGE EPOCH. Runs as the tree's root. Writes into STAGE:
# digest, root.ext4, root.ext4.sha256.
set -eu

LIB=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=images/lib/tree.sh
. "$LIB/tree.sh"

# Everything that would tell about the machine, or be shared by all clones.
neutral()
{
	find "$1/dev" "$1/run" "$1/tmp" "$1/var/tmp" "$1/var/lib/apt/lists" \
		"$1/var/cache/apt" "$1/var/log" -xdev -mindepth 1 -delete
	rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list \
		"$1"/etc/apt/apt.conf.d/*mmdebstrap* \
		"$1"/etc/apt/sources.list.d/* "$1"/var/lib/dpkg/*-old \
		"$1"/var/cache/debconf/*-old "$1"/var/cache/ldconfig/aux-cache \
		"$1"/etc/.pwd.lock "$1"/etc/passwd- "$1"/etc/group- \
		"$1"/etc/shadow- "$1"/etc/gshadow- "$1"/etc/subuid- \
		"$1"/etc/subgid- "$1"/var/lib/systemd/random-seed
	rm -rf "${1:?}/boot" "${1:?}/root/.cache"
	mkdir -p "$1/boot" "$1/var/lib/apt/lists/partial" \
		"$1/var/cache/apt/archives/partial" "$1/lib/modules"
	: >"$1/etc/machine-id"
	: >"$1/etc/fstab"
	[ ! -d "$1/var/lib/dbus" ] ||
		ln -sf /etc/machine-id "$1/var/lib/dbus/machine-id"
	echo caponier >"$1/etc/hostname"
	printf '127.0.0.1\tlocalhost caponier\n::1\tlocalhost ip6-localhost\n' \
		>"$1/etc/hosts"
	# The gate answers names at the gateway of every sandbox.
	rm -f "$1/etc/resolv.conf"
	echo 'nameserver 10.0.2.2' >"$1/etc/resolv.conf"
	# Debian's own addresses, as Debian's apt shows them.
	sources_=$1/usr/share/doc/apt/examples/debian.sources
	sed -e '/^#/d' -e '/./,$!d' -e 's/^Components:.*/Components: main/' \
		"$sources_" >"$1/etc/apt/sources.list.d/debian.sources"
	rm -r "$1/usr/share/doc/apt/examples"
}

# No file may be newer than the archive it came from.
clamp_times()
{
	find "$1" -xdev -newermt "@$2" -print0 |
		xargs -0 -r touch -h -d "@$2"
}

# KiB that the content takes, and a little room: the disk grows per sandbox.
disk_kib()
{
	find "$1" -xdev -printf '%y %s %i\n' | awk '
		$1 == "f" && seen[$3]++ { next }
		$1 == "d" && $2 < 4096 { $2 = 4096 }
		$1 == "l" && $2 < 60 { $2 = 0 }
		{ kib += int(($2 + 4095) / 4096) * 4; n++ }
		END { print int((kib * 1.02 + n / 4 + 65536) / 1024) * 1024 }'
}

# resize=: descriptors for a terabyte are reserved, so the guest grows its
# disk online. The file is new, so its inode tables are zero already and the
# guest's kernel need not write them into the sandbox's own layer.
make_disk()
{
	uuid_=$(uuid_from "$4")
	# The image's own mke2fs, if it has one: alike on every host.
	set -- "$1" "$2" "$3" mke2fs
	ld_=$1/usr/lib64/ld-linux-x86-64.so.2
	if [ -x "$1/usr/sbin/mke2fs" ] && [ -x "$ld_" ]; then
		set -- "$1" "$2" "$3" "$ld_" --library-path \
			"$1/usr/lib/x86_64-linux-gnu" "$1/usr/sbin/mke2fs"
	fi
	tree_=$1
	image_=$2
	epoch_=$3
	shift 3
	conf_=$tree_/etc/mke2fs.conf
	[ -e "$conf_" ] || conf_=/etc/mke2fs.conf
	options_=hash_seed=$uuid_,root_owner=0:0,resize=268435456
	options_=$options_,lazy_itable_init=1,assume_storage_prezeroed=1
	env MKE2FS_CONFIG="$conf_" E2FSPROGS_FAKE_TIME="$epoch_" \
		SOURCE_DATE_EPOCH="$epoch_" "$@" -q -F -b 4096 -I 256 \
		-i 16384 -m 1 -J size=8 -L caponier-root -U "$uuid_" -O \
		none,has_journal,ext_attr,resize_inode,dir_index,filetype \
		-O extent,64bit,flex_bg,sparse_super,large_file,huge_file \
		-O dir_nlink,extra_isize,metadata_csum \
		-E "$options_" \
		-d "$tree_" "$image_" "$(disk_kib "$tree_")k"
}

neutral "$1"
clamp_times "$1" "$3"
digest=$(tree_digest "$1" "$2/listing")
make_disk "$1" "$2/root.ext4" "$3" "$digest"
sha256sum <"$2/root.ext4" | cut -d ' ' -f 1 >"$2/root.ext4.sha256"
echo "$digest" >"$2/digest"

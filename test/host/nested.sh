#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A host with hardware virtualisation and version 2 cgroups alone, in software:
# QEMU emulates a processor with SVM, Debian's kernel and our own root image
# run on it, and inside test/host/inside.sh tests Caponier on KVM.
#
# usage: nested.sh [BUILD_DIR]     environment: CAPONIER_HOME NESTED_SCRIPT
# stdout is what the script inside says; its kernel's console goes to stderr
# when it did not come to its end. Exit 75: the machine did not boot, twice.
#
# The machine's disks: the root image and the modules as any sandbox has them;
# the programs and tests, made anew; a CAPONIER_HOME without a template, made
# once per set of parts and kept in $CAPONIER_HOME/cache. Nothing is written to
# but a temporary directory.
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "${1:-$ROOT/build}" && pwd)
: "${CAPONIER_HOME:=/var/lib/caponier}"
: "${NESTED_SCRIPT:=}" # instead of the test, for whoever looks into something

BOOT_SECONDS=90 # to the script's first word; 10 on a quiet machine
RUN_SECONDS=800
MEMORY_MIB=3072
LIBS=usr/lib/x86_64-linux-gnu

complain()
{
	printf 'nested: %s: %s; %s\n' "$1" "$2" "$3" >&2
	exit 1
}

IMAGE=$(readlink -f "$CAPONIER_HOME/images/base/current")
KERNEL=$(readlink -f "$CAPONIER_HOME/kernels/current")
ENGINE=$(readlink -f "$CAPONIER_HOME/engines/qemu/current")
INITRD=$CAPONIER_HOME/templates/base/initrd
for file in "$IMAGE/root.ext4" "$KERNEL/vmlinux" "$ENGINE/root" "$INITRD" \
	"$BUILD/caponier" "$BUILD/test/host/begin"; do
	[ -e "$file" ] || complain "assemble the machine" "$file is missing" \
		"./dev build && ./dev images"
done

WORK=$(mktemp -d)
QEMU_PID=
tidy()
{
	[ -z "$QEMU_PID" ] || kill -s KILL "$QEMU_PID" 2>/dev/null || :
	rm -rf "$WORK"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# disk DIR IMAGE LABEL: an ext4 of DIR with a little room.
disk()
{
	kib=$(du -s -k --apparent-size "$1" | cut -f 1)
	mke2fs -q -F -t ext4 -m 0 -L "$3" -O ^has_journal \
		-E assume_storage_prezeroed=1 -d "$1" "$2" \
		$((kib + kib / 16 + ${4:-0} + 8192))k >/dev/null
}

# The state directory inside: what the templates are made of, by hard links.
home_disk()
{
	# The directories' names are digests and versions; 1: this layout.
	name="nested-1-${IMAGE##*/}-${KERNEL##*/}-${ENGINE##*/}.ext4"
	HOME_DISK=$CAPONIER_HOME/cache/$name
	fresh=yes
	for file in "$IMAGE/image.json" "$KERNEL/kernel.json" \
		"$ENGINE/engine.json"; do
		[ -n "$(find "$HOME_DISK" -newer "$file" 2>/dev/null)" ] ||
			fresh=
	done
	[ -z "$fresh" ] || return 0
	mkdir -p "$CAPONIER_HOME/cache"
	stage=$(mktemp -d "$CAPONIER_HOME/cache/.nested-XXXXXX")
	for part in "images/base ${IMAGE##*/}" "kernels ${KERNEL##*/}" \
		"engines/qemu ${ENGINE##*/}"; do
		above=${part% *}
		below=${part#* }
		mkdir -p "$stage/home/$above/$below"
		ln -s "$below" "$stage/home/$above/current"
		for file in "$CAPONIER_HOME/$above/$below"/*; do
			# The tree that the image was made of is not needed.
			[ "${file##*/}" = rootfs ] ||
				cp -al "$file" "$stage/home/$above/$below/"
		done
	done
	# What images/root.sh takes for the whole tree.
	mkdir -p "$stage/home/images/base/${IMAGE##*/}/rootfs/usr"
	# Room for saved guests: RAM files and layers.
	disk "$stage/home" "$stage/disk" home 3145728
	rm -f "$CAPONIER_HOME"/cache/nested-*.ext4
	mv "$stage/disk" "$HOME_DISK"
	rm -rf "$stage"
}

programs_disk()
{
	mkdir -p "$WORK/programs/build/test/escape" "$WORK/programs/lib" \
		"$WORK/programs/test"
	for program in caponier caponier-shim caponier-init caponier-agent \
		test/escape/cgroup_limits; do
		cp "$BUILD/$program" "$WORK/programs/build/$program"
	done
	# What the root image may lack; the C library is its own.
	ldd "$BUILD/caponier" | awk '$2 == "=>" && $3 !~ /libc\.so/ { print $3 }' |
		while read -r library; do cp -L "$library" "$WORK/programs/lib/"; done
	cp -a "$ROOT/images" "$WORK/programs/"
	cp -a "$ROOT/test/lib" "$ROOT/test/scenario" "$ROOT/test/escape" \
		"$ROOT/test/host" "$WORK/programs/test/"
	[ -z "$NESTED_SCRIPT" ] ||
		cp "$NESTED_SCRIPT" "$WORK/programs/test/host/inside.sh"
	disk "$WORK/programs" "$WORK/programs.ext4" programs
}

# A second archive behind the template's own: its /agent is the one that counts.
initrd()
{
	bytes=$(stat -c %s "$BUILD/test/host/begin")
	{
		cat "$INITRD"
		# newc: magic, then inode mode uid gid nlink mtime size, device and
		# rdevice numbers, length of the name, check
		printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x' \
			1 $((0100755)) 0 0 1 0 "$bytes" 0 0 0 0 6 0
		printf 'agent\0'
		cat "$BUILD/test/host/begin"
		head -c $(((4 - bytes % 4) % 4)) /dev/zero
		printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x' \
			0 0 0 0 1 0 0 0 0 0 0 11 0
		printf 'TRAILER!!!\0\0\0\0'
	} >"$WORK/initrd"
}

# The host's counter, which the machine is told: see src/engine/qemu/command.c.
tsc_khz()
{
	awk '/^cpu MHz/ { printf "%d", $4 * 1000; exit }' /proc/cpuinfo
}

# machine: starts it; $QEMU_PID
machine()
{
	: >"$WORK/points"
	TMPDIR=$WORK "$ENGINE/root/lib64/ld-linux-x86-64.so.2" \
		--library-path "$ENGINE/root/$LIBS" \
		"$ENGINE/root/usr/bin/qemu-system-x86_64" \
		-L "$ENGINE/root/usr/share/qemu" -bios qboot.rom \
		-M microvm,pit=off,pic=off,rtc=on,isa-serial=off,x-option-roms=off,auto-kernel-cmdline=off \
		-accel tcg,thread=multi,tb-size=512 -cpu max,+svm,+npt \
		-smp 2 -m "${MEMORY_MIB}M" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$KERNEL/vmlinux" -initrd "$WORK/initrd" \
		-append "console=hvc0 quiet loglevel=4 audit=1 panic=-1 reboot=t pci=off cryptomgr.notests no_timer_check edd=off tsc=reliable tsc_early_khz=$(tsc_khz)" \
		-device virtio-serial-device,max_ports=3 \
		-chardev "file,id=console,path=$WORK/console" \
		-device virtconsole,chardev=console,nr=1 \
		-chardev "file,id=points,path=$WORK/points" \
		-device virtconsole,chardev=points,nr=2 \
		-drive "if=none,id=root,file=$IMAGE/root.ext4,format=raw,snapshot=on" \
		-device virtio-blk-device,drive=root,serial=caponier-root \
		-drive "if=none,id=modules,file=$KERNEL/modules.ext4,format=raw,readonly=on" \
		-device virtio-blk-device,drive=modules,serial=caponier-modules \
		-drive "if=none,id=programs,file=$WORK/programs.ext4,format=raw,readonly=on" \
		-device virtio-blk-device,drive=programs,serial=programs \
		-drive "if=none,id=home,file=$HOME_DISK,format=raw,snapshot=on" \
		-device virtio-blk-device,drive=home,serial=home \
		-object rng-builtin,id=rng \
		-device virtio-rng-device,rng=rng </dev/null &
	QEMU_PID=$!
}

running()
{
	kill -s 0 "$QEMU_PID" 2>/dev/null
}

# await SECONDS COMMAND...: until it succeeds or the machine has ended.
await()
{
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		running && [ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

has_spoken()
{
	[ -s "$WORK/points" ]
}

has_ended()
{
	grep -q '^# nested: end' "$WORK/points"
}

boot()
{
	for try in 1 2; do
		machine
		if await "$BOOT_SECONDS" has_spoken; then
			echo "# nested: booted at try $try"
			return 0
		fi
		kill -s KILL "$QEMU_PID" 2>/dev/null || :
		wait "$QEMU_PID" 2>/dev/null || :
		echo "# nested: try $try did not boot; its console said:"
		tail -n 20 "$WORK/console" | tr -d '\r' | sed 's/^/#   /'
	done
	exit 75
}

home_disk
programs_disk
initrd
boot
# What is said is passed on as it comes; tail ends with the machine.
tail -n +1 -f --pid="$QEMU_PID" "$WORK/points" &
TAIL_PID=$!
await "$RUN_SECONDS" has_ended && ended=yes || ended=
await 10 false || : # it powers itself off
kill -s KILL "$QEMU_PID" 2>/dev/null || :
wait "$TAIL_PID" || :
[ -n "$ended" ] || {
	tail -n 60 "$WORK/console" | tr -d '\r' >&2
	complain "test on the nested host" "it did not come to its end" \
		"its last words are above"
}

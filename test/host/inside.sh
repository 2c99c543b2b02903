#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a host with KVM and version 2 cgroups alone (test/host/nested.sh makes
# one), Caponier gives the tier microvm and all of it holds.
set -u
stty -opost </dev/hvc1 # lines as they are
echo "# nested: begin"

# Like any process of a host: no part of what is tested is caponier-init's.
echo $$ >/sys/fs/cgroup/cgroup.procs
echo 0 >/proc/self/oom_score_adj
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /var/lib/caponier
mount -t ext4 /dev/vdd /var/lib/caponier
for library in /host/lib/*; do
	[ -e "/usr/lib/x86_64-linux-gnu/${library##*/}" ] ||
		cp "$library" /usr/lib/x86_64-linux-gnu/
done

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
on_exit 'echo "# nested: end"; exit 64' # GUEST_EXIT_POWER_OFF

# Small guests, for their memory is read twice; nothing but the size is
# between a test and the program.
cat >"$TAP_DIR/caponier" <<'SCRIPT'
#!/bin/sh
[ "$1" = run ] || exec /host/build/caponier "$@"
shift
exec /host/build/caponier run --mem 256M "$@"
SCRIPT
chmod 755 "$TAP_DIR/caponier"
CAPONIER=$TAP_DIR/caponier

# at TEXT: how long things took; the reader knows the machine is emulated.
at()
{
	diag "$(tap_now_ms | sed 's/...$/.&/') s: $*"
}

# relay NAME SCRIPT: its points are ours.
relay()
{
	relay_name=$1
	shift
	"$@" >"$TAP_DIR/relayed" 2>&1 && relay_status=0 || relay_status=$?
	while read -r line; do
		case $line in
		'ok '*) pass "$relay_name: ${line#ok * - }" ;;
		'not ok '*) fail "$relay_name: ${line#not ok * - }" ;;
		'#'*) diag "$relay_name: $line" ;;
		*'# SKIP'*) skip 1 "$relay_name: $line" ;;
		esac
	done <"$TAP_DIR/relayed"
	is "$relay_status" 0 "$relay_name: it ends well"
}

# field FILE NAME
field()
{
	json_field "$1" "$2"
}

ran_on_kvm()
{
	is "$(field "$1" tier) $(field "$1" engine) $(field "$1" cause)" \
		"microvm qemu exited" "$2: tier microvm, engine qemu"
}

### The host

is "$(awk '$3 ~ /^cgroup/ { print $3 }' /proc/mounts | sort -u)" cgroup2 \
	"this host has version 2 cgroups alone"
ok "KVM comes up" modprobe kvm-amd
ok "there is a /dev/kvm" test -c /dev/kvm

### What doctor says

"$CAPONIER" doctor --json >"$TAP_DIR/doctor"
python3 - "$TAP_DIR/doctor" >"$TAP_DIR/kvm" <<'PYTHON'
import json, sys
for row in json.load(open(sys.argv[1]))["engines"]:
    if row["accel"] == "kvm":
        print(row["works"], row["tier"], row["evidence"])
PYTHON
like "$(cat "$TAP_DIR/kvm")" \
	'^True microvm .*virtual CPU ran [0-9]+ loops in [0-9]+ us' \
	"doctor: KVM works, by a virtual CPU that ran"
diag "$(cat "$TAP_DIR/kvm")"

### The template, and a guest of it saved under KVM

"$CAPONIER" template build base >"$TAP_DIR/build" 2>&1 ||
	bail "the template was not made: $(tail -n 1 "$TAP_DIR/build")"
at "template assembled"
# On a host as slow as this a boot may take too long; once is forgiven.
for try in 1 2; do
	"$CAPONIER" run --json -- uname -r >"$TAP_DIR/out" 2>"$TAP_DIR/err" && break
	diag "try $try: $(tail -n 2 "$TAP_DIR/err")"
done
like "$(cat "$TAP_DIR/out")" '^[0-9]+\.[0-9]+\.[0-9]+.*-cloud-amd64$' \
	"a guest's kernel answers"
like "$(cat "$TAP_DIR/err")" 'saved after [0-9.]+ s' "a guest is saved"
ran_on_kvm "$TAP_DIR/err" "the first run"
is "$(field "$TAP_DIR/err" restored)" True "the first run: is a clone already"
at "$(grep 'saved after' "$TAP_DIR/err")"
variant=$CAPONIER_HOME/templates/base/1c-256m-kvm
before=$(stat -c '%n %Y %s' "$variant"/*)

### Clones

for clone in 1 2 3; do
	"$CAPONIER" run --json -- uname -r >"$TAP_DIR/out" 2>"$TAP_DIR/err"
	is "$(field "$TAP_DIR/err" restored) $(field "$TAP_DIR/err" cause)" \
		"True exited" "clone $clone: it is restored and ends well"
	at "clone $clone: create_ms $(field "$TAP_DIR/err" create_ms)," \
		"first_output_ms $(field "$TAP_DIR/err" first_output_ms)"
done
ran_on_kvm "$TAP_DIR/err" "a clone"

for options in "--isolation microvm" "--min-isolation microvm" \
	"--isolation qemu --min-isolation microvm"; do
	# shellcheck disable=SC2086 # several words
	"$CAPONIER" run --json $options -- true >"$TAP_DIR/out" 2>"$TAP_DIR/err"
	ran_on_kvm "$TAP_DIR/err" "$options"
done

### One clone, looked at from both sides

mkfifo "$TAP_DIR/in"
# What it is asked by a line it answers by a line: its time, in ms.
"$CAPONIER" run --json -- python3 -u -c '
import os, sys, time
print("source", open("/sys/devices/system/clocksource/clocksource0/"
                     "current_clocksource").read().strip())
flags = open("/proc/cpuinfo").read().split()
print("virtualisation", [f for f in ("vmx", "svm") if f in flags])
print("kvm", os.path.exists("/dev/kvm"))
for line in sys.stdin:
    if line == "memory\n":
        block = b"x" * (120 << 20)
    print("time", int(time.time() * 1000), int(time.monotonic() * 1000))
' <"$TAP_DIR/in" >"$TAP_DIR/out" 2>"$TAP_DIR/err" &
cli=$!
TAP_PIDS="$TAP_PIDS $cli"
exec 9>"$TAP_DIR/in"
wait_line 60 "$TAP_DIR/out" '^kvm' || bail "no clone: $(cat "$TAP_DIR/err")"
is "$(sed -n 's/^source //p' "$TAP_DIR/out")" kvm-clock \
	"inside: the clock is KVM's"
is "$(sed -n 's/^virtualisation //p' "$TAP_DIR/out")" "[]" \
	"inside: the processor shows neither vmx nor svm"
is "$(sed -n 's/^kvm //p' "$TAP_DIR/out")" False "inside: no /dev/kvm"

# ask COUNT: that answer, with the host's times just before and after it.
ask()
{
	asked=$(date +%s%3N)
	echo "time" >&9
	wait_for 30 sh -c "[ \$(grep -c ^time '$TAP_DIR/out') -ge $1 ]"
	answered=$(date +%s%3N)
	grep '^time' "$TAP_DIR/out" | sed -n "${1}p" |
		sed "s/^time/$asked $answered/"
}
first=$(ask 1)
sleep 6
second=$(ask 2)
judge=$(echo "$first $second" | awk '{
	early = $1 - $3 > 2000; late = $3 - $2 > 2000
	if (early || late) print "wrong"; else print "right"
	# The guest answered at some time between question and answer.
	least = $5 - $2; most = $6 - $1; went = $8 - $4
	slow = went < least * 0.95 - 20; fast = went > most * 1.05 + 20
	if (slow || fast) print "wrong"; else print "right"
}' | tr '\n' ' ')
is "${judge% }" "right right" \
	"inside: the wall clock is right to 2 s, and keeps the host's pace"
diag "asked, answered, wall, monotonic: $first; $second"

keeper=$(children "$cli")
shim=$(children "$keeper")
qemu=$(children "$shim")
like "$(tr '\0' ' ' <"/proc/$qemu/cmdline")" \
	'^/usr/bin/qemu-system-x86_64-microvm .*kvm,device=/dev/fdset/' \
	"qemu: the small build, with KVM by descriptor"
is "$(find "/proc/$qemu/root/dev" -type c)" "" \
	"qemu: no device has a name in its root"
unlike "$(cat "/proc/$qemu/mountinfo")" '/dev/kvm|devtmpfs' \
	"qemu: nothing of /dev is mounted there"
is "$(find "/proc/$shim/fd" -lname /dev/kvm)" "" "shim: holds no KVM"

group=$(echo /sys/fs/cgroup/caponier/*/engine)
is "$(cat "$group/memory.max") $(cat "$group/memory.swap.max" 2>/dev/null)" \
	"$(((256 + 96) << 20)) 0" "host: the engine's memory is limited"
is "$(cat "$group/pids.max")" 97 "host: and its processes"
like "$(cat "$group/cgroup.procs")" "^$qemu\$" "host: QEMU is in that group"

### The limits of the host

echo $(($(cat "$group/memory.current") + (16 << 20))) >"$group/memory.max"
echo memory >&9
wait "$cli"
exec 9>&-
is "$(field "$TAP_DIR/err" cause)" memory \
	"host: what exceeds the group's memory ends by that name"
like "$(field "$TAP_DIR/err" detail)" 'memory' "host: and it is told so"
ok "nothing of it is left" wait_for 10 nothing_left

"$CAPONIER" run --json --cpu 0.5 -- sh -c 'echo ready; while :; do :; done' \
	</dev/null >"$TAP_DIR/out" 2>"$TAP_DIR/err" &
cli=$!
TAP_PIDS="$TAP_PIDS $cli"
wait_line 60 "$TAP_DIR/out" ready || bail "no clone: $(cat "$TAP_DIR/err")"
group=$(echo /sys/fs/cgroup/caponier/*/engine)
is "$(cat "$group/cpu.max")" "50000 100000" "host: half a processor is half"
used()
{
	sed -n 's/^usage_usec //p' "$group/cpu.stat"
}
from=$(tap_now_ms) from_used=$(used)
sleep 5
share=$((($(used) - from_used) / ($(tap_now_ms) - from) / 10))
ok "host: it is held ($share %)" test "$share" -le 60

kill -s KILL "$cli"
wait "$cli" 2>/dev/null
ok "killed with its launcher, nothing is left" wait_for 10 nothing_left
is "$(stat -c '%n %Y %s' "$variant"/*)" "$before" \
	"no clone has changed what it was made from"

### Another processor

cp /proc/cpuinfo "$TAP_DIR/cpuinfo.own"
sed 's/^model name.*/model name\t: another processor/' "$TAP_DIR/cpuinfo.own" \
	>"$TAP_DIR/cpuinfo"
mount --bind "$TAP_DIR/cpuinfo" /proc/cpuinfo
"$CAPONIER" run --no-rebuild -- true >"$TAP_DIR/out" 2>"$TAP_DIR/err"
like "$? $(cat "$TAP_DIR/err")" \
	'^125 .*"host_cpu" was .* and is another processor now' \
	"a guest saved on another processor is not loaded"
sed 's/^\(flags.*\) smap/\1/' "$TAP_DIR/cpuinfo.own" >"$TAP_DIR/cpuinfo"
"$CAPONIER" run --no-rebuild -- true >"$TAP_DIR/out" 2>"$TAP_DIR/err"
like "$? $(cat "$TAP_DIR/err")" '^125 .*"host_cpu_flags" was ' \
	"nor one that the processor has lost a feature since"
umount /proc/cpuinfo

### The tests that any host passes

relay caged "$TAP_ROOT/test/scenario/caged_processes_show_it.sh"
relay limits "$TAP_ROOT/test/escape/cgroup_limits.sh"
is "$(dmesg | grep -a 'type=1326')" "" "no system call was refused"
# In strict mode a process may not ask for its parent.
python3 -c 'import ctypes
libc = ctypes.CDLL(None)
ask = libc.getppid
libc.prctl(22, 1, 0, 0, 0), ask()' 2>/dev/null
like "$(dmesg)" 'type=1326' "one that is refused does show"
at "end"
done_testing

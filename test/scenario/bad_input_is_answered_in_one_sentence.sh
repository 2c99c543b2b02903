#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input: what was asked, what stood in the way, what to do; status 125;
# nothing half-made.
# timeout: 120
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template
"$CAPONIER" run --quiet -- true || bail "no sandbox came up"

# says NAME PATTERN ARGUMENT...
says()
{
	name=$1
	pattern=$2
	shift 2
	"$CAPONIER" "$@" >"$TAP_DIR/out" 2>"$TAP_DIR/err" </dev/null &&
		status=0 || status=$?
	is "$status $(wc -l <"$TAP_DIR/err")" "125 1" "$name: status 125, one line"
	like "$(cat "$TAP_DIR/err")" "^caponier: cannot .*: .*; .*" \
		"$name: asked, in the way, to do"
	like "$(cat "$TAP_DIR/err")" "$pattern" "$name: it is to the point"
}

says "unknown template" 'caponier template build nosuch' \
	run --template nosuch -- true
says "bad template name" "'-', beginning with a letter" \
	run --template ../../etc -- true
says "no command" 'no command was given' run
says "unknown option" 'no such option' run --nosuch -- true
says "missing value" 'its value is missing' run --mem
says "absurd memory" '128M and 65536M' run --mem 9000G -- true
says "no unit" 'with M or G' run --mem 512 -- true
says "too little memory" '128M' run --mem 1M -- true
says "absurd CPUs" 'at most 32' run --cpu 999 -- true
says "no CPUs" 'decimal above 0' run --cpu 0 -- true
says "absurd disk" 'at most' run --disk 9000G -- true
says "too small a disk" 'at least' run --disk 1M -- true
says "bad timeout" 'whole number' run --timeout soon -- true
says "a file that is not there" 'No such file' \
	run --file /nonexistent/file -- true
says "a directory as file" 'not a regular file' run --file /etc -- true
says "bad variable" 'NAME=VALUE' run --env NOVALUE -- true
says "unknown isolation" 'neither auto' run --isolation strong -- true
says "unknown floor" 'not a tier' run --min-isolation strong -- true
says "an engine that is not built in" 'has no gvisor engine' \
	run --isolation gvisor -- true
says "a user that is not there" 'nosuchuser' run --user nosuchuser -- true
says "a directory that is not there" '/nosuchdir' \
	run --workdir /nosuchdir -- true
says "unknown template verb" 'not build, ls or rm' template frobnicate
says "removing what is not there" 'caponier template ls' template rm nosuch
if [ ! -e /dev/kvm ] || ! grep -q -E ' (vmx|svm)' /proc/cpuinfo; then
	says "a tier this host lacks" 'vmx|/dev/kvm' \
		run --min-isolation microvm -- true
fi
CAPONIER_HOME=$TAP_DIR/empty says "no QEMU yet" 'caponier template build base' \
	run -- true
if [ "$(id -u)" = 0 ]; then
	# A full disk for sandboxes, in a mount namespace of its own.
	real=$CAPONIER
	cat >"$TAP_DIR/full" <<EOF
#!/bin/sh
exec unshare -m sh -c 'mount -t tmpfs -o size=12k none \
	"$CAPONIER_HOME/sandboxes" && exec "\$0" "\$@"' "$real" "\$@"
EOF
	chmod +x "$TAP_DIR/full"
	CAPONIER=$TAP_DIR/full
	says "no space" 'No space left on device; .*has space' run -- true
	CAPONIER=$real
fi
CAPONIER_HOME=relative says "a relative home" 'absolute path' run -- true
ok "nothing is left" wait_for 5 nothing_left
done_testing

# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What scenario tests of whole sandboxes share. Read after tap.sh.

: "${CAPONIER_HOME:=/var/lib/caponier}"
export CAPONIER_HOME

# need_template: skip the whole test if there is no base template.
need_template()
{
	[ -e "$CAPONIER_HOME/templates/base/template.json" ] ||
		skip_all "the template base is not built: ./dev images"
}

# leftovers: everything of any sandbox that is on this host now, one a line.
leftovers()
{
	for dir in "$CAPONIER_HOME"/sandboxes/* "$CAPONIER_HOME"/sandboxes/.[!.]*; do
		[ -e "$dir" ] && echo "directory $dir"
	done
	# A group with processes in it is theirs, and they are looked for below.
	for group in /sys/fs/cgroup/caponier/* /sys/fs/cgroup/*/caponier/*; do
		[ -d "$group/engine" ] || continue
		[ -n "$(cat "$group"/*/cgroup.procs 2>/dev/null)" ] ||
			echo "cgroup $group"
	done
	# A shim has its directory in its arguments, QEMU its root in its mounts.
	grep -l -a -z -x "$CAPONIER_HOME/sandboxes/[0-9a-f]*" \
		/proc/[0-9]*/cmdline 2>/dev/null | sed 's/^/process /'
	grep -l "$CAPONIER_HOME/engines/.*/root / " /proc/[0-9]*/mountinfo \
		2>/dev/null | sed 's/^/process /'
	grep -e "$CAPONIER_HOME/sandboxes" /proc/self/mountinfo | sed 's/^/mount /'
	return 0
}

# nothing_left: true when there is none; says what there is.
nothing_left()
{
	left=$(leftovers)
	[ -z "$left" ] && return 0
	echo "$left"
	return 1
}

# children PID: the processes PID started, one a line.
children()
{
	cat /proc/"$1"/task/*/children 2>/dev/null | tr ' ' '\n' | grep .
}

# json_field FILE NAME: a field of the one JSON object in FILE.
json_field()
{
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    if line.startswith("{"):
        value = json.loads(line).get(sys.argv[2])
        print("null" if value is None else value)' "$1" "$2"
}

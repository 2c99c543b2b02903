#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One flipped byte in any part of a template: no engine starts from it.
# timeout: 600
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/sandbox.sh"
need_template

"$CAPONIER" run --quiet -- true || bail "no sandbox came up"
base=$CAPONIER_HOME/templates/base
variant=$(find "$base" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' |
	head -n 1)
part_path()
{
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["body"]["parts"][sys.argv[2]]["path"])' \
		"$1" "$2"
}

# flip FILE: change one byte in its middle.
flip()
{
	python3 -c 'import os, sys
size = os.path.getsize(sys.argv[1])
with open(sys.argv[1], "r+b") as f:
    f.seek(size // 2); byte = f.read(1)[0]
    f.seek(size // 2); f.write(bytes([byte ^ 1]))' "$1"
}

# refused PART FILE: with one byte flipped nothing starts, and the part is named.
refused()
{
	flip "$2"
	"$CAPONIER" run --quiet --no-rebuild -- echo started \
		>"$TAP_DIR/out" 2>"$TAP_DIR/err" && status=0 || status=$?
	is "$status $(cat "$TAP_DIR/out")" "125 " "$1: refused, nothing started"
	like "$(cat "$TAP_DIR/err")" "$3" "$1: named"
	flip "$2"
}

for part in ram vm_state base_layer; do
	refused $part "$(part_path "$variant/variant.json" $part)" "\"$part\""
done
for part in initrd kernel modules_image root_image; do
	refused $part "$(part_path "$base/template.json" $part)" "\"$part\""
done
refused engine "$(part_path "$base/template.json" engine)/usr/bin/qemu-system-x86_64" \
	'"engine"'
refused "the variant's manifest" "$variant/variant.json" "manifest"
refused "the template's manifest" "$base/template.json" "manifest"
is "$("$CAPONIER" run --quiet -- echo well)" well \
	"with every byte back in its place it starts"

flip "$variant/ram"
is "$("$CAPONIER" run --quiet -- echo well 2>"$TAP_DIR/err")" well \
	"without --no-rebuild a damaged saved guest is saved anew"
like "$(cat "$TAP_DIR/err")" '"ram".*saving it again' "and that is said"
flip "$base/initrd"
is "$("$CAPONIER" run --quiet -- echo well 2>"$TAP_DIR/err")" well \
	"a damaged part of the template is built anew"
like "$(cat "$TAP_DIR/err")" '"initrd"' "and named"
done_testing

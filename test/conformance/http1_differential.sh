#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Ours takes no request that Node's llhttp or Python's h11 refuses or reads
# otherwise, but for what http1/differences lists. The seed is told and may be
# given: HTTP1_SEED, and how many mutated cases: HTTP1_CASES.
. "$(dirname "$0")/../lib/tap.sh"

here=$TAP_ROOT/test/conformance/http1
reader=$CAPONIER_BUILD/test/conformance/http1_reader
seed=${HTTP1_SEED:-1}
cases=$TAP_DIR/cases

[ -x "$reader" ] || skip_all "$reader is not built; run ./dev build"

# A python3 that has h11: the user's first, then Debian's.
python_with_h11()
{
	for python in python3 /usr/bin/python3; do
		if "$python" -c 'import h11' 2>/dev/null; then
			echo "$python"
			return
		fi
	done
}

# against PEER COMMAND...: one point
against()
{
	peer=$1
	shift
	"$@" <"$cases" >"$TAP_DIR/$peer" || diag "$peer ended with $?"
	said=$(python3 "$here/compare.py" "$peer" "$cases" "$TAP_DIR/ours" \
		"$TAP_DIR/$peer" "$here/differences" 2>&1) && agrees=yes || agrees=no
	diag "$said"
	is "$agrees" yes "$peer takes what we take, and reads it alike"
}

plan 2
diag "seed $seed"
python3 "$here/cases.py" "${HTTP1_CASES:-20000}" "$seed" >"$cases"
"$reader" <"$cases" >"$TAP_DIR/ours" || bail "$reader failed"

python=$(python_with_h11)
if [ -n "$python" ]; then
	against h11 "$python" "$here/reader_h11.py"
else
	skip 1 "no python3-h11; ./dev deps test installs it"
fi
if command -v node >/dev/null; then
	against node node "$here/reader_node.js"
else
	skip 1 "no nodejs; ./dev deps test installs it"
fi

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
# Each rule that a tool holds is broken once in a tree of its own, and once
# kept: a check that finds nothing anywhere would look just as green.
. "$(dirname "$0")/../lib/tap.sh"

cd "$TAP_DIR" || bail "no directory to work in"
git init -q tree || bail "git does not work"
cd tree || bail "no directory to work in"
cp -r "$TAP_ROOT/tools" .

# write FILE: its content from stdin.
write()
{
	mkdir -p "$(dirname "$1")"
	cat >"$1"
}

# finds TOOL PATTERN NAME: the tool fails and says so.
finds()
{
	said=$("tools/$1" 2>&1) && said="(clean) $said"
	like "$said" "$2" "$1 finds $3"
}

write src/base/good.h <<'END'
#ifndef GOOD_H
#define GOOD_H

/**
 * good_double() - twice the number
 * @x: any
 *
 * Return: twice @x.
 * Context: any thread.
 */
int good_double(int x);

#endif
END
write src/base/good.c <<'END'
#include "base/good.h"

int good_double(int x)
{
	return x > 1000 ? 0 : 2 * x;
}
END
write spec/good.md <<'END'
The key word MUST is that of RFC 2119.

A frame MUST be short [GOOD-1]. It is blue. An answer MUST NOT
be long. [GOOD-2]
END
write test/unit/base/test_good.c <<'END'
/* [GOOD-1] [GOOD-2] */
END
for tool in deps size banned headers spec; do
	ok "check-$tool is content with a clean tree" "tools/check-$tool"
done

write src/base/up.c <<'END'
#include "wire/mux.h"
END
finds check-deps 'base may not use wire' "an arrow up"
write src/base/up.c <<'END'
// #include "wire/mux.h"
END
ok "check-deps reads no comment" tools/check-deps
write src/dev/beside.c <<'END'
#include "kvm/gmem.h"
#include "kvm/vcpu.h"
END
finds check-deps '"kvm/vcpu.h" dev may not use' "an undeclared arrow"
unlike "$said" 'gmem.h' "check-deps knows the declared one"
write src/dev/beside.c <<'END'
#include "cli/cli.h"
END
finds check-deps 'includes a program' "an included program"
write src/dev/beside.c <<'END'
#include "../base/good.h"
END
finds check-deps 'names a path upwards' "a path upwards"
write src/blue/x.c <<'END'
END
finds check-deps 'no row has the module blue' "an unknown module"
rm -r src/blue src/dev src/base/up.c

{
	printf 'int long_one(void)\n{\n'
	seq -f '	step(%g);' 81
	printf '}\n'
} | write src/base/size.c
finds check-size 'long_one: lines 81' "a long function"
{
	printf '/* check-size: a table */\n'
	cat src/base/size.c
} >size.new && mv size.new src/base/size.c
ok "check-size lets an exempted one through" tools/check-size
seq -f '// %g' 801 | write src/base/size.c
finds check-size 'file: lines 801' "a long file"
write src/base/size.c <<'END'
static int many(int a, int b, int (*c)(int, int), int d, int e, int f, int g)
{
	return a;
}
END
finds check-size 'many: parameters 7' "too many parameters"
write src/base/size.c <<'END'
static void deep(int a)
{
	if (a)
		EACH(b, a) {
			do {
				if (b)
					call();
			} while (a);
		}
}
END
finds check-size 'deep: nesting 4' "deep nesting"
write src/base/size.c <<'END'
static void flat(int a)
{
	struct x x = { .a = { 1, 2 } };

	if (a == 1)
		call();
	else if (a == 2)
		call();
	else if (a == 3)
		call();
	else if (a == 4)
		call();
	switch (a) {
	case 1:
		if (a) {
			while (a)
				call();
		}
	}
}
END
ok "check-size counts no else-if as depth" tools/check-size
write src/base/size.c <<'END'
static int knotted(int a)
{
	return a && a && a && a && a && a && a && a && a && a && a && a && a;
}
END
finds check-size 'knotted: complexity 13' "too many decisions"
rm src/base/size.c

for call in strcpy strcat sprintf atoi strtok system popen; do
	echo "int f(void) { return $call(0); }" | write src/base/call.c
	finds check-banned "$call\\(\\)" "$call"
done
echo 'int f(void) { free(0); x->free(1); mem_free(2); }' |
	write src/base/call.c
ok "check-banned lets base have the heap" tools/check-banned
mkdir -p src/wire && mv src/base/call.c src/wire/call.c
finds check-banned '1 findings' "free() outside base, once"
echo 'int f(void) { return "system(" "atoi(0)" [0]; /* strcpy() */ }' |
	write src/wire/call.c
ok "check-banned reads no comment and no string" tools/check-banned
echo 'int f(void) { return atoi(0); /* banned-ok: a test */ }' |
	write src/wire/call.c
ok "check-banned lets a reason through" tools/check-banned
rm -r src/wire

echo 'uint32_t x_get(void);' | write src/base/bad.h
finds check-headers 'bad.h:1: does not compile alone' "a header that leans"
like "$said" 'x_get\(\) has no kernel-doc' "check-headers finds no comment"
write src/base/bad.h <<'END'
/**
 * bad_get() - one
 * @gone: not there
 * @each: there
 */
int bad_get(int number, void (*each)(void *owner), int more[4])
	__attribute__((cold));
END
finds check-headers 'comment has no Context' "a missing Context"
like "$said" 'comment has no Return' "check-headers finds a missing Return"
like "$said" 'no parameter @gone' "check-headers finds a stale parameter"
unlike "$said" 'no parameter @each' "check-headers reads a callback's name"
rm src/base/bad.h

echo 'A frame MUST be red.' | write spec/bad.md
finds check-spec 'no id: A frame MUST be red' "a MUST without an id"
echo 'A frame MUST be red [BAD-1].' | write spec/bad.md
finds check-spec '\[BAD-1\] has no code' "an id without code"
echo '/* [BAD-1] [BAD-2] */' | write src/base/cite.c
finds check-spec '\[BAD-2\] is in no spec' "a citation of nothing"
echo 'A frame MUST be round [GOOD-1] [BAD-2].' | write spec/bad.md
finds check-spec 'GOOD-1\] is taken by' "an id defined twice"

write soft.c <<'END'
#include <stdio.h>

int main(int argc, char **argv)
{
	char line[64];

	return argc + snprintf(line, (size_t)argc, "%s", argv[0]);
}
END
hard='-O2 -fstack-protector-all -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
	-Wl,-z,relro,-z,now,-z,noexecstack'
# shellcheck disable=SC2086 # one word a flag
build_soft()
{
	cc "$@" soft.c -o soft 2>/dev/null || diag "cc $* failed"
}
# shellcheck disable=SC2086 # one word an option
build_soft $hard -fPIE -pie
ok "hardening is content with a hard program" tools/hardening . ./soft
# shellcheck disable=SC2086 # one word an option
build_soft $hard -no-pie
said=$(tools/hardening . ./soft)
like "$said" 'no PIE' "hardening finds a fixed address"
build_soft -O2 -fPIE -pie -fno-stack-protector -U_FORTIFY_SOURCE \
	-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp
said=$(tools/hardening . ./soft)
for lack in 'no RELRO' 'no immediate binding' 'no stack without execution' \
	'has a library path' 'no stack protector' 'no fortified call'; do
	like "$said" "$lack" "hardening finds $lack"
done
# shellcheck disable=SC2086 # one word an option
build_soft $hard -fPIE -pie && mv soft caponier-init
said=$(tools/hardening . ./caponier-init)
like "$said" 'is dynamic, and has to be static' "hardening finds a dynamic init"

write guest/meson.build <<'END'
project('guest', 'c')
executable('caponier-init', 'init.c', link_args: '-static-pie', pie: true)
END
write guest/init.c <<'END'
#include <grp.h>

int main(void)
{
	return initgroups("user", 1);
}
END
if (meson setup guest/build guest && ninja -C guest/build) >said 2>&1; then
	said=$(tools/hardening guest/build)
	like "$said" 'init.c.o calls initgroups' "hardening finds initgroups()"
else
	diag "$(tail -n 5 said)"
	fail "a static program can be built"
fi
done_testing

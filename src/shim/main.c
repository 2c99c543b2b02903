// SPDX-License-Identifier: Apache-2.0
// caponier-shim DIR: keeps one sandbox, from its specification to its end.
//
// Started by a launcher with descriptor 3 = the control channel and 4 = the
// locked DIR/lock. The first process is the keeper (keeper.c); below is its
// child, the shim, which meets the guest.

#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "shim/cage.h"
#include "shim/keeper.h"
#include "shim/prepare.h"

static int run(struct shim *shim, const struct shim_birth *birth, struct err *e)
{
	TRY(shim_configure(shim, birth, e)); /* specification, descriptors */
	TRY(shim_listen(shim, birth, e));    /* DIR/api.sock */
	TRY(shim_spawn(shim, birth, e));     /* the engine, in its cage */
	TRY(cage_close(birth->path, shim->spec.shim_uid, birth->life, e));
	TRY(shim_start(shim, e)); /* first foreign bytes: caged */
	return shim_run(shim);
}

static int be_shim(const struct shim_birth *birth)
{
	struct shim *shim = mem_new(1, sizeof(*shim));
	struct err e = { 0 };
	int r = 0;

	if (shim == NULL)
		return -ENOMEM;
	shim->verdict_fd = birth->verdict;
	r = run(shim, birth, &e);
	if (r < 0) {
		verdict_set(&shim->verdict, CAUSE_HOST, "%s", err_text(&e, r));
		shim_leave_verdict(shim);
	}
	/* The engine dies with us; the keeper clears up. */
	_exit(r < 0 ? 1 : 0);
}

int main(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] != '/') {
		(void)fprintf(stderr, "caponier-shim is started by caponier, "
				      "not by hand; see caponier(1)\n");
		return 2;
	}
	return keeper_run(argv[1], be_shim) < 0 ? 1 : 0;
}

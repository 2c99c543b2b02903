// SPDX-License-Identifier: Apache-2.0
// What the shim does with its launcher's rights, before its cage closes.

#include "shim/prepare.h"

#include <jansson.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/rng.h"

/* Hash tables of the guest's JSON get a seed; drawing it later would open
 * a file. */
static int seed_json(void)
{
	size_t seed = 0;

	while (seed == 0)
		TRY(rng_fill(&seed, sizeof(seed)));
	json_object_seed(seed);
	return 0;
}

int shim_configure(struct shim *shim, const struct shim_birth *birth,
		   struct err *e)
{
	shim->spec = *birth->spec;
	birth->spec->env_json = NULL; /* ownership moved */
	shim->control_fd = birth->control;
	shim->listener_fd = -1;
	shim->engine = ENGINE_NONE;
	shim->loop = EV_CLOSED;
	shim->born_ns = clock_boot_ns();
	console_init(&shim->console);
	shim->engine_ops = shim_engine(shim->spec.engine);
	if (shim->engine_ops == NULL)
		return err_set(e, -EINVAL,
			       "cannot start the sandbox: this shim has no "
			       "engine \"%s\"; install the same version of "
			       "caponier and caponier-shim",
			       shim->spec.engine);
	if (shim->spec.token[0] == '\0' || shim->spec.boot >= BOOT_COUNT)
		return err_set(e, -EINVAL,
			       "cannot start the sandbox: its specification "
			       "has no token or an unknown boot; start the "
			       "shim through caponier");
	TRY(fd_set_nonblock(shim->control_fd, true));
	TRY(ev_init(&shim->loop));
	return seed_json();
}

int shim_listen(struct shim *shim, const struct shim_birth *birth,
		struct err *e)
{
	int fd = -1;

	/* By a short name: a socket's path ends at 107 bytes. */
	fd = fchdir(birth->dir) < 0 ? neg_errno() : api_listen("api.sock");
	if (fd < 0)
		return err_set(e, fd,
			       "cannot listen on %s/api.sock: %s; see that "
			       "CAPONIER_HOME is writable and has space",
			       birth->path, err_text(NULL, fd));
	shim->listener_fd = fd;
	return 0;
}

int shim_spawn(struct shim *shim, const struct shim_birth *birth, struct err *e)
{
	int dir = birth->dir;

	TRY(shim->engine_ops->spawn(&shim->spec, birth->cgroup, &shim->engine,
				    e));
	fd_close(&dir); /* nothing of the host stays open */
	return fd_set_nonblock(shim->engine.wire_fd, true);
}

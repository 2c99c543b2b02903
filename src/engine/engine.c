// SPDX-License-Identifier: Apache-2.0
// What is common to all engines.

#include "engine/engine.h"

#include "base/fd.h"

void engine_fini(struct engine *engine)
{
	ev_io_del(&engine->control_io);
	if (engine->ops != NULL && engine->ops->fini != NULL)
		engine->ops->fini(engine);
	fd_close(&engine->pid_fd);
	fd_close(&engine->wire_fd);
	fd_close(&engine->console_fd);
	fd_close(&engine->control_fd);
	fd_close(&engine->state_fd);
	*engine = ENGINE_NONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine: what isolates. One directory under src/engine/ per engine, one
 * table of operations each.
 *
 * Theory. spawn() runs while the shim still has its launcher's rights: it
 * builds the engine's cage and starts the engine in it, its wire already
 * connected. Then the shim cages itself, and drives the engine on its event
 * loop with what it holds: the wire, the console, a control descriptor and a
 * pidfd. An engine dies with its shim (parent-death signal).
 */
#ifndef CPN_ENGINE_ENGINE_H
#define CPN_ENGINE_ENGINE_H

#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"
#include "confine/cgroup.h"
#include "domain/sandbox.h"
#include "ev/ev.h"

/* A running engine, owned by its shim. */
struct engine {
	const struct engine_ops *ops;
	pid_t pid;
	int pid_fd;	 /* becomes readable when the engine has ended */
	int wire_fd;	 /* byte stream to the agent, non-blocking */
	int console_fd;	 /* what the guest's kernel prints; read only */
	int control_fd;	 /* the engine's own protocol (QMP), or -1 */
	int state_fd;	 /* device state to restore from or save to, or -1 */
	struct ev *loop; /* from start() on */
	struct ev_io control_io;
	const struct engine_events *events;
	void *owner;
	void *driver; /* the engine's own state, owned, or NULL */
};

#define ENGINE_NONE                                                            \
	((struct engine){ .pid_fd = -1,                                        \
			  .wire_fd = -1,                                       \
			  .console_fd = -1,                                    \
			  .control_fd = -1,                                    \
			  .state_fd = -1 })

/* What an engine tells its shim. Each may be called from the event loop. */
struct engine_events {
	/* The guest runs (booting, or restored). */
	void (*on_running)(struct engine *engine);
	/* save() is complete: RAM file and device state are written. */
	void (*on_saved)(struct engine *engine);
	/* The engine says why it stops; its end follows on pid_fd. */
	void (*on_stopping)(struct engine *engine, enum cause cause,
			    const char *detail);
};

struct engine_ops {
	const char *name;
	/* Start the engine in its cage. Blocks for milliseconds; needs the
	 * launcher's rights. @cgroup: borrowed; NULL: none. */
	int (*spawn)(const struct sandbox_spec *spec,
		     const struct cgroup *cgroup, struct engine *ret,
		     struct err *e);
	/* Make the guest run; progress comes through @events. @events and
	 * @owner are borrowed until engine_fini(). */
	int (*start)(struct engine *engine, const struct sandbox_spec *spec,
		     struct ev *loop, const struct engine_events *events,
		     void *owner, struct err *e);
	/* Save the guest of a BOOT_TEMPLATE to its RAM file and state_fd;
	 * ends in on_saved or on_stopping. The wire must be quiet. NULL if
	 * the engine cannot. */
	int (*save)(struct engine *engine, struct err *e);
	/* Free @engine->driver; NULL if there is none. */
	void (*fini)(struct engine *engine);
};

/**
 * engine_fini() - close what the shim holds; the engine ends with the shim
 * @engine: ENGINE_NONE is allowed
 * Context: the shim's thread.
 */
void engine_fini(struct engine *engine);

#endif

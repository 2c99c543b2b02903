/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim: what stands between one sandbox and everybody else.
 *
 * Theory. A sandbox passes through phases (see moves in shim.c): its engine
 * boots, its agent is named (POST /init), it serves; a template's guest is
 * then saved. Whatever ends it names a cause: the first verdict is written to
 * the keeper's pipe, and the shim exits at once; the keeper clears up.
 *
 * Invariants.
 *  1. No guest byte is read before the cage is closed; afterwards nothing is
 *     opened but connections to api.sock.
 *  2. Clients are served in PHASE_SERVING only.
 *  3. Exactly one verdict is written.
 */
#ifndef CPN_SHIM_SHIM_H
#define CPN_SHIM_SHIM_H

#include "engine/engine.h"
#include "shim/api.h"
#include "shim/console.h"
#include "shim/verdict.h"

enum phase {
	PHASE_BOOTING, /* until the agent's HELLO */
	PHASE_NAMING,  /* until it has acknowledged its identity */
	PHASE_SERVING,
	PHASE_QUIESCING, /* until the wire is silent */
	PHASE_SAVING,
	PHASE_OVER,
	PHASE_COUNT,
};

/* What the keeper hands to its shim. */
struct shim_birth {
	struct sandbox_spec *spec;   /* taken over */
	const struct cgroup *cgroup; /* borrowed; NULL: none */
	const char *path;	     /* the sandbox's directory */
	int dir;		     /* the same, open */
	int control;		     /* channel to the launcher */
	int verdict;		     /* pipe to the keeper */
	int life;		     /* pipe from the keeper: it ends with it */
};

struct shim {
	struct sandbox_spec spec;
	const struct engine_ops *engine_ops;
	struct engine engine;
	int control_fd;
	int verdict_fd;
	int listener_fd;
	struct ev loop;
	struct agenda agenda;
	struct link link;
	struct api api;
	struct console console;
	enum phase phase;
	struct call *init; /* POST /init under way */
	struct buf init_body;
	unsigned init_status;
	struct verdict verdict;
	struct verdict stopping; /* what the engine said last */
	uint64_t born_ns;
	struct ev_io control_io;
	struct ev_io verdict_io;
	struct ev_io engine_io;
	struct ev_io console_io;
	struct ev_timer start_deadline;
	struct ev_timer lifetime;
	struct ev_timer idleness;
	struct ev_timer grace; /* for a dead engine's exit status */
	struct ev_timer quiet;
};

/**
 * shim_engine() - the engine of a name
 *
 * Return: its operations, or NULL.
 * Context: any thread.
 */
const struct engine_ops *shim_engine(const char *name);

/**
 * shim_start() - join all descriptors to the loop; the engine runs
 *
 * Return: 0; -errno with a sentence.
 * Context: caged.
 */
int shim_start(struct shim *shim, struct err *e) MUST_CHECK;

/**
 * shim_end() - name the cause of the sandbox's end; the loop stops
 * @fmt: the detail
 *
 * Context: the loop's thread; the first call counts.
 */
void shim_end(struct shim *shim, enum cause cause, const char *fmt, ...)
	PRINTF(3, 4);

/**
 * shim_end_with_engine() - end it because of its engine
 * @fact: what was seen
 *
 * What the engine said and the guest's console ends with is added.
 * Context: the loop's thread.
 */
void shim_end_with_engine(struct shim *shim, const char *fact);

/**
 * shim_on_ready() - the agent has its identity: serve, tell the launcher
 * Context: the loop's thread.
 */
void shim_on_ready(struct shim *shim);

/**
 * shim_settle() - work the agenda off and write to the wire
 *
 * The end of each turn.
 * Context: the loop's thread.
 */
void shim_settle(struct shim *shim);

/**
 * shim_enter() - go from one phase to the next
 * Context: the loop's thread.
 */
void shim_enter(struct shim *shim, enum phase to);

/**
 * shim_say() - send a message to the launcher, who may be dead
 * @json: a C string
 *
 * Context: the loop's thread; never blocks.
 */
void shim_say(struct shim *shim, const char *json);

/**
 * shim_name_agent() - send the agent its identity
 * Context: the loop's thread, after HELLO.
 */
void shim_name_agent(struct shim *shim);

/**
 * shim_watch() - watch launcher, keeper, engine and the deadlines
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int shim_watch(struct shim *shim) MUST_CHECK;

/**
 * shim_run() - serve until the sandbox ends
 *
 * Return: 0 after the verdict was written.
 * Context: caged; blocks.
 */
int shim_run(struct shim *shim) MUST_CHECK;

/**
 * shim_leave_verdict() - write the verdict to the keeper's pipe
 * Context: once.
 */
void shim_leave_verdict(struct shim *shim);

#endif

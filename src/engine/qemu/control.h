/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Driving one QEMU over its machine protocol.
 *
 * Theory. What is to be done is a script: commands sent one after another,
 * each when the one before was answered. Whatever QEMU says beyond that is an
 * event; a few mean something (see the table in control.c). QEMU is hostile:
 * anything unexpected ends the sandbox.
 *
 * Invariants.
 *  1. At most one command is unanswered.
 *  2. A failed command ends the script and is reported once.
 */
#ifndef CPN_ENGINE_QEMU_CONTROL_H
#define CPN_ENGINE_QEMU_CONTROL_H

#include "base/buf.h"
#include "engine/engine.h"

enum { QEMU_STEPS_MAX = 8, QEMU_STEP_BYTES = 256 };

/* What the script waits for before its next command. */
enum qemu_wait {
	QEMU_WAIT_REPLY,
	QEMU_WAIT_RESUME,   /* and then the guest to run */
	QEMU_WAIT_MIGRATED, /* and then the device state to be written */
};

struct qemu_step {
	char command[QEMU_STEP_BYTES]; /* one line of JSON */
	enum qemu_wait wait;
	bool sends_state_fd; /* hand engine->state_fd over with it */
};

struct qemu_driver {
	struct buf in;
	struct qemu_step steps[QEMU_STEPS_MAX];
	size_t step_count;
	size_t next; /* step to be sent next */
	bool has_greeting;
	bool is_waiting_reply;
	enum qemu_wait wait; /* of the step under way */
	bool is_saving;
	char stop_detail[128];
};

/**
 * qemu_start() - see engine_ops.start
 * @engine: spawned; borrowed until engine_fini()
 *
 * Return: 0; -ENOMEM; -errno of epoll.
 * Context: the shim's thread.
 */
int qemu_start(struct engine *engine, const struct sandbox_spec *spec,
	       struct ev *loop, const struct engine_events *events, void *owner,
	       struct err *e) MUST_CHECK;

/**
 * qemu_save() - see engine_ops.save
 *
 * Return: 0; -EBUSY while a script runs.
 * Context: the shim's thread.
 */
int qemu_save(struct engine *engine, struct err *e) MUST_CHECK;

/**
 * qemu_fini() - see engine_ops.fini
 * Context: the shim's thread.
 */
void qemu_fini(struct engine *engine);

#endif

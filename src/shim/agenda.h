/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that is due before the loop sleeps again.
 *
 * Theory. Bytes travel through several state machines that call each other
 * back. None of them acts on another from inside a callback: it puts the
 * other's task on the agenda, and the shim works the agenda off at the end of
 * each turn. So no function is entered twice, and an object may free itself
 * in its own task.
 */
#ifndef CPN_SHIM_AGENDA_H
#define CPN_SHIM_AGENDA_H

#include <stdbool.h>

struct task {
	struct task *next;
	bool is_queued;
	void (*run)(struct task *task);
	void *owner;
};

/* Zeroed is empty. */
struct agenda {
	struct task *first;
	struct task *last;
};

/**
 * agenda_add() - have a task run before the loop sleeps; queued is allowed
 * @task: borrowed until it has run or was forgotten
 * Context: the loop's thread.
 */
void agenda_add(struct agenda *agenda, struct task *task);

/**
 * agenda_forget() - take a task off; not queued is allowed
 * Context: the loop's thread.
 */
void agenda_forget(struct agenda *agenda, struct task *task);

/**
 * agenda_run() - run tasks until none is left
 * Context: the loop's thread; not from a task.
 */
void agenda_run(struct agenda *agenda);

#endif

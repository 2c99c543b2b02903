/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes whose output the shim holds, for late and returning clients.
 *
 * Theory. The answer to a Start request belongs to the process, not to the
 * client that asked: a held process owns the call, cuts the answer into
 * envelopes and keeps them in its output. Clients are viewers, each at its own
 * position. The first envelope (start) and the last (end) are kept apart:
 * every viewer gets them. What the agent says about pids is believed: a lie
 * misleads only clients of its own sandbox.
 *
 * Invariants.
 *  1. While a viewer is attached nothing it has not been given is dropped:
 *     the call waits (back-pressure to the guest).
 *  2. At most HELD_LIVE_MAX processes run and HELD_MAX are kept in all.
 *  3. An ended process is forgotten HELD_KEEP_NS after its end, or when its
 *     last viewer leaves after that.
 */
#ifndef CPN_SHIM_HELD_H
#define CPN_SHIM_HELD_H

#include "base/clock.h"
#include "shim/call.h"
#include "shim/output.h"

enum {
	HELD_MAX = 128,
	HELD_LIVE_MAX = 96, /* leaves streams of the wire to other requests */
	HELD_TAG_BYTES = 128,
	HELD_EVENT_MAX_BYTES = 4096, /* start and end events */
};

#define HELD_KEEP_NS (30 * NS_PER_S)

struct held;
struct viewer;

/* Zeroed, with agenda and loop set, holds none. */
struct held_list {
	struct held *first; /* newest first */
	size_t count;
	size_t live_count;
	struct agenda *agenda;
	struct ev *loop;
};

struct viewer {
	struct viewer *next;
	struct held *held; /* NULL: not attached */
	struct task *task; /* runs when there is more to give */
	uint64_t at;	   /* position in the output */
	bool has_start;
	bool wants_last; /* the last event was given before: repeat it */
	bool has_end;
};

/* Whom a client means. */
struct held_selector {
	uint64_t pid; /* 0: by tag */
	char tag[HELD_TAG_BYTES];
};

/**
 * held_has_room() - whether one more process may be started
 *
 * Return: true if so.
 * Context: the loop's thread.
 */
bool held_has_room(const struct held_list *list);

/**
 * held_adopt() - hold the answer to a Start request
 * @call: ownership moves here; whoever saw its head found a stream
 * @tag:  from the request, or ""
 *
 * Return: the process; NULL on no memory, with the call dropped.
 * Context: the loop's thread, callbacks of the call included.
 */
struct held *held_adopt(struct held_list *list, struct call **call,
			const char *tag);

/**
 * held_is_stream() - whether a head begins a stream of Connect envelopes
 *
 * Return: true if so.
 * Context: any thread.
 */
bool held_is_stream(const struct http_head *head);

/**
 * held_find() - the newest process of a pid or tag
 *
 * Return: the process, or NULL.
 * Context: the loop's thread.
 */
struct held *held_find(struct held_list *list,
		       const struct held_selector *selector);

/**
 * held_attach() - let a viewer read a process's output
 * @viewer: caller's memory, must not move; task is set
 *
 * It begins with the start event, then what no viewer has been given.
 * Context: the loop's thread.
 */
void held_attach(struct held *held, struct viewer *viewer);

/**
 * held_dropped_bytes() - how much output was dropped while nobody read
 *
 * Return: bytes.
 * Context: the loop's thread.
 */
uint64_t held_dropped_bytes(const struct held *held);

/**
 * viewer_next() - the next envelope for a viewer
 * @ret: a view valid until the loop turns
 *
 * Return: 1 with an envelope, to be followed by viewer_given(); 0 if there is
 * none now; -ENODATA after the last.
 * Context: the loop's thread.
 */
int viewer_next(const struct viewer *viewer, struct span *ret) MUST_CHECK;

/**
 * viewer_given() - say that the envelope of viewer_next() was given
 * Context: the loop's thread.
 */
void viewer_given(struct viewer *viewer);

/**
 * viewer_detach() - stop reading; not attached is allowed
 * Context: the loop's thread.
 */
void viewer_detach(struct viewer *viewer);

/**
 * held_list_fini() - drop every process
 * Context: the loop's thread; no viewer is attached.
 */
void held_list_fini(struct held_list *list);

#endif

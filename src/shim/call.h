/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request to the agent, on a lane of its own.
 *
 * Theory. The agent is hostile: its answer passes http_client, and what the
 * lane delivered is kept here, within the lane's window, until the owner takes
 * it (may_take). When the call is over its stream is reset, whatever the agent
 * still wants to say on it.
 *
 * Invariants.
 *  1. Exactly one of on_end and on_fail is called, last; none after
 *     call_drop().
 *  2. Callbacks come from the call's own task, and one piece of a body is
 *     at most CALL_SLICE_BYTES long.
 *  3. Before its final head the agent may send CALL_PRELUDE_MAX_BYTES (heads
 *     of 1xx answers), not more.
 */
#ifndef CPN_SHIM_CALL_H
#define CPN_SHIM_CALL_H

#include "shim/link.h"
#include "wire/http_client.h"

enum {
	CALL_SLICE_BYTES = 16384,
	CALL_PRELUDE_MAX_BYTES = 65536,
	/* A request's output above this takes no further slice. */
	CALL_OUT_HIGH_BYTES = 65536,
};

struct call;

struct call_ops {
	/* Whether a slice of the answer can be taken now. */
	bool (*may_take)(struct call *call);
	void (*on_head)(struct call *call, const struct http_head *head);
	void (*on_body)(struct call *call, struct span piece);
	void (*on_end)(struct call *call);
	void (*on_fail)(struct call *call);
	/* The request's body has room again. */
	void (*on_room)(struct call *call);
};

struct call {
	struct lane lane;
	struct http_client http;
	struct buf pending; /* received, not yet taken */
	struct task task;
	struct agenda *agenda;
	const struct call_ops *ops;
	void *owner;
	size_t prelude_bytes;
	bool has_head;
	bool is_eof;	/* the agent sends no more */
	bool is_broken; /* the stream is gone */
	bool is_over;	/* on_end or on_fail was called */
	bool is_running;
	bool is_dropped;
};

/**
 * call_new() - a request to the agent, not yet begun
 * @ops: borrowed for the call's life; may be replaced together with owner
 *
 * Return: owned by the caller (call_drop()), or NULL on no memory.
 * Context: the loop's thread.
 */
struct call *call_new(struct link *link, const struct call_ops *ops,
		      void *owner) MUST_CHECK;

/**
 * call_start() - write the request's head
 * @headers: as for http_client_start()
 * @length:  of the body; 0 for none; HTTP_LENGTH_UNKNOWN for chunked
 *
 * Return: as http_client_start().
 * Context: the loop's thread; once.
 */
int call_start(struct call *call, const char *method, struct span target,
	       struct span headers, uint64_t length) MUST_CHECK;

/**
 * call_body() - stream a piece of the request's body
 *
 * Return: as http_client_piece().
 * Context: the loop's thread.
 */
int call_body(struct call *call, struct span piece) MUST_CHECK;

/**
 * call_body_end() - complete the request's body
 *
 * Return: as http_client_end().
 * Context: the loop's thread.
 */
int call_body_end(struct call *call) MUST_CHECK;

/**
 * call_has_room() - whether a slice of the request's body can be taken
 *
 * Return: true if CALL_SLICE_BYTES fit, chunk framing included.
 * Context: the loop's thread.
 */
bool call_has_room(const struct call *call);

/**
 * call_go_on() - look again whether may_take allows more
 * Context: the loop's thread.
 */
void call_go_on(struct call *call);

/**
 * call_drop() - end a call: its stream is reset; NULL is allowed
 * @call: becomes NULL
 * Context: the loop's thread, callbacks of the call included.
 */
void call_drop(struct call **call);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire to the agent: the multiplexer on a descriptor, and its streams.
 *
 * Theory. A lane is one stream, opened by us. Received bytes are handed to
 * the lane's owner at once; the mux's credit bounds how many can arrive
 * before lane_consumed(). Sending is tried by the owner's task, which runs
 * again when there is room. The guest opens nothing: its OPENs are refused.
 *
 * Invariants.
 *  1. The descriptor is read only when all bytes read before are used up.
 *  2. After on_broken nothing is read or called again.
 */
#ifndef CPN_SHIM_LINK_H
#define CPN_SHIM_LINK_H

#include <sys/types.h>

#include "ev/ev.h"
#include "shim/agenda.h"
#include "wire/mux.h"

enum { LINK_READ_BYTES = 65536 };

struct link;
struct lane;

struct lane_ops {
	void (*on_bytes)(struct lane *lane, struct span bytes);
	/* The agent sends no more. */
	void (*on_eof)(struct lane *lane);
	/* The agent gave the stream up; it is gone both ways. */
	void (*on_gone)(struct lane *lane);
};

struct lane {
	struct link *link;
	uint32_t id;	/* 0: not open yet */
	bool is_linked; /* between lane_add() and its end */
	const struct lane_ops *ops;
	struct task *task; /* the owner's: runs when more can be sent */
	void *owner;
	struct lane *next;
};

struct link_ops {
	/* @epoch as in MUX_EVENT_HELLO: 0 says that the agent began anew. */
	void (*on_hello)(struct link *link, uint64_t epoch);
	/* The agent broke the protocol. */
	void (*on_broken)(struct link *link);
	/* The engine closed its end, or the descriptor failed. */
	void (*on_closed)(struct link *link);
	/* The descriptor was served: time to run the agenda. */
	void (*on_turn)(struct link *link);
};

struct link {
	struct mux mux;
	uint8_t in_bytes[LINK_READ_BYTES];
	struct span in; /* the unused part of in_bytes */
	struct ev_io io;
	struct agenda *agenda;
	struct lane *lanes;
	const struct link_ops *ops;
	void *owner;
	bool is_starved; /* a lane could not send all it has */
	bool is_over;
	uint64_t last_traffic_ns;
};

/**
 * link_init() - take the wire into use; HELLO is queued
 * @link:  zeroed; must not move; ops, owner and agenda are set
 * @fd:    non-blocking; borrowed for the link's life
 * @epoch: fresh, above 0
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int link_init(struct link *link, struct ev *loop, int fd,
	      uint64_t epoch) MUST_CHECK;

/**
 * link_flush() - write what can be written without blocking
 * Context: the loop's thread; not from a lane's callback.
 */
void link_flush(struct link *link);

/**
 * link_is_quiet() - whether the wire is silent both ways, no lane open
 *
 * Return: true if so.
 * Context: the loop's thread.
 */
bool link_is_quiet(const struct link *link);

/**
 * lane_add() - make a lane; its stream is opened by the first lane_send()
 * @lane: caller's memory, must not move; ops, task and owner are set
 * Context: the loop's thread.
 */
void lane_add(struct link *link, struct lane *lane);

/**
 * lane_send() - send as much of @bytes as there is credit and room for
 *
 * If it is not all, the owner's task runs when more can be sent.
 *
 * Return: bytes taken, possibly 0; -EMFILE if the wire has no stream left;
 * -ENOTCONN before HELLO or when the lane is gone.
 * Context: the loop's thread.
 */
ssize_t lane_send(struct lane *lane, struct span bytes) MUST_CHECK;

/**
 * lane_consumed() - say that @n received bytes were used up
 * Context: the loop's thread.
 */
void lane_consumed(struct lane *lane, size_t n);

/**
 * lane_reset() - end a lane and its stream; not linked is allowed
 * Context: the loop's thread.
 */
void lane_reset(struct lane *lane);

#endif

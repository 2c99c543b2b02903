/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's end of the wire: a descriptor, the multiplexer, the loop.
 *
 * Theory. Bytes come in a buffer of fixed size and are handed to the streams
 * as they are; what a stream does not use up it keeps itself, and says later
 * with wire_consumed(). Output goes to the descriptor at once where possible;
 * what does not fit waits in the multiplexer's ring, and when it moves on
 * every stream is told that there is room.
 *
 * Invariants.
 *  1. The descriptor is watched for reading only while the buffer is empty,
 *     for writing only while the ring is not, or streams wait to be told.
 *  2. A stream hears on_gone once, last, unless it ended itself.
 */
#ifndef CPN_AGENT_WIRE_H
#define CPN_AGENT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/span.h"
#include "ev/ev.h"
#include "wire/mux.h"

enum { WIRE_IN_BYTES = 65536 };

struct wire_stream;

struct wire_stream_ops {
	void (*on_data)(struct wire_stream *s, struct span bytes);
	/* The peer sends no more. */
	void (*on_close)(struct wire_stream *s);
	/* wire_send() may take more than before. */
	void (*on_room)(struct wire_stream *s);
	/* The stream is gone; the owner is freed here. */
	void (*on_gone)(struct wire_stream *s);
};

struct wire_stream {
	struct wire *wire;
	uint32_t id;
	const struct wire_stream_ops *ops;
};

struct wire_events {
	/* A new epoch: nothing of the old one is left on the wire. */
	void (*on_epoch)(void *owner);
	/* A stream to @target: wire_accept() it, or it is refused. */
	void (*on_open)(void *owner, uint32_t id, struct span target);
	/* The other end is gone for ever. */
	void (*on_lost)(void *owner);
};

struct wire {
	struct ev *loop;
	int fd;		   /* owned */
	bool is_port;	   /* a virtio port: the host may come back */
	bool is_blocked;   /* a stream wants room in the ring */
	bool is_room_owed; /* and there is some again */
	struct ev_io io;
	struct ev_timer retry;
	const struct wire_events *events;
	void *owner;
	struct wire_stream *streams[MUX_STREAMS_MAX]; /* borrowed */
	struct mux mux;
	size_t in_start;
	size_t in_len;
	uint8_t in[WIRE_IN_BYTES];
};

/**
 * wire_start() - begin to speak on a descriptor
 * @w:  caller's memory, zeroed; must not move afterwards
 * @fd: ownership moves here, also on failure
 * @is_port: whether @fd is a virtio port, not a socket
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int wire_start(struct wire *w, struct ev *loop, int fd, bool is_port,
	       const struct wire_events *events, void *owner) MUST_CHECK;

/**
 * wire_fini() - close the wire; streams still open are not told
 * Context: the loop's thread.
 */
void wire_fini(struct wire *w);

/**
 * wire_accept() - take the stream that on_open offers
 * @s: caller's memory, alive until on_gone or until it ends itself
 * Context: on_open only.
 */
void wire_accept(struct wire *w, uint32_t id, struct wire_stream *s,
		 const struct wire_stream_ops *ops);

/**
 * wire_room() - bytes wire_send() takes now
 *
 * Return: bytes, possibly 0.
 * Context: the loop's thread.
 */
size_t wire_room(const struct wire_stream *s);

/**
 * wire_send() - send bytes on a stream, as far as credit and room reach
 *
 * Return: bytes taken off the front.
 * Context: the loop's thread.
 */
size_t wire_send(struct wire_stream *s, struct span bytes);

/**
 * wire_consumed() - say that @n received bytes were used up
 * Context: the loop's thread.
 */
void wire_consumed(struct wire_stream *s, size_t n);

/**
 * wire_close() - send no more on a stream
 *
 * When the peer has closed as well the stream is gone without a word.
 * Context: the loop's thread.
 */
void wire_close(struct wire_stream *s);

/**
 * wire_reset() - end a stream at once, without on_gone
 * Context: the loop's thread.
 */
void wire_reset(struct wire_stream *s, enum mux_reason reason);

/**
 * wire_flush() - write what waits, as far as the descriptor takes it
 * Context: the loop's thread.
 */
void wire_flush(struct wire *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The multiplexer on the wire: many byte streams over one.
 *
 * Theory. Both ends of the wire run this code; only HELLO, the parity of the
 * stream ids they open and who starts an epoch tell them apart. It is a pure
 * state machine: bytes go in with mux_next(), which answers with events whose
 * bytes point into the caller's input; frames to send collect in an output
 * ring the caller drains. It makes no system call and allocates nothing. The
 * host treats the guest as hostile: every bound is checked here, and a breach
 * is -EPROTO, after which the wire is dead.
 *
 * Frame: 12 bytes of header, little-endian, then the payload.
 *   0  u8  type     1 HELLO 2 OPEN 3 DATA 4 WINDOW 5 CLOSE 6 RESET
 *   1  u8  zero
 *   2  u16 zero
 *   4  u32 stream   0 for HELLO
 *   8  u32 length   payload bytes, at most MUX_PAYLOAD_MAX_BYTES
 * HELLO  payload: magic "CPNWIRE1" (8 bytes), u16 version, u16 zero, u32 zero,
 *        u64 epoch; later versions only add fields behind, to at most
 *        MUX_HELLO_MAX_BYTES.
 * OPEN   payload: the target, 1..MUX_TARGET_MAX_BYTES of ! to ~ in ASCII.
 * DATA   payload: 1..MUX_PAYLOAD_MAX_BYTES bytes, within the credit.
 * WINDOW payload: u32 bytes of new credit, above zero.
 * CLOSE  no payload: the sender sends no more DATA on the stream.
 * RESET  payload: u32 reason (enum mux_reason): the stream is gone both ways.
 *
 * Epochs. The guest says HELLO with epoch 0 when it starts. The host says
 * HELLO with its epoch (never 0, never used before) first of all; on it the
 * guest drops every stream of the old epoch and answers HELLO with the same
 * epoch. Until that answer the host drops every frame it receives, as the
 * guest does until that HELLO (well formed, or -EPROTO). If HELLO 0 comes
 * after that answer, the guest has started again: the epoch is over, and only
 * mux_init() with a new epoch brings the wire back.
 *
 * Strangers. A frame for a stream that is gone is dropped if the stream was
 * once opened, for the peer could not know yet; no credit is given back for
 * it. A frame for a stream that was never opened is a breach.
 *
 * Room. The output ring has three classes, so that neither side can keep the
 * other from reading: DATA and OPEN leave MUX_CONTROL_ROOM_BYTES free, owed
 * CLOSE, RESET and WINDOW leave MUX_ANSWER_ROOM_BYTES, and only the answers
 * that input itself causes (HELLO, the RESET of a refused OPEN) use the rest.
 *
 * Invariants.
 *  1. A stream id is used once per epoch: the host opens odd ids, the guest
 *     even ids, each strictly greater than its last.
 *  2. At most MUX_STREAMS_MAX streams are live; an OPEN beyond is answered
 *     with RESET (MUX_REASON_TOO_MANY) and leaves no trace.
 *  3. A sender never has more than the receiver's credit in flight; credit
 *     starts at MUX_WINDOW_BYTES and never passes it.
 *  4. Control frames that find no room in the output ring are remembered as
 *     flags of their stream and sent later: nothing is lost or reordered
 *     behind DATA of the same stream, no queue grows.
 *  5. While the output ring cannot take the answers that input may cause,
 *     mux_next() consumes nothing (back-pressure, not growth).
 *  6. Two ends that write what they can and call mux_next() on what arrives
 *     never both wait for room: an answer is at most 3 bytes longer than the
 *     OPEN that caused it, and a peer that has MUX_STREAMS_MAX opened must
 *     send a RESET or read one before it can open more.
 *
 * Spec: spec/wire.md
 */
#ifndef CPN_WIRE_MUX_H
#define CPN_WIRE_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/ring.h"
#include "base/span.h"

/* A proof takes less of these two. */
#ifndef MUX_STREAMS_MAX
#define MUX_STREAMS_MAX 128
#endif
#ifndef MUX_OUT_BYTES
#define MUX_OUT_BYTES 65536
#endif

enum {
	MUX_VERSION = 1,
	MUX_HEADER_BYTES = 12,
	MUX_PAYLOAD_MAX_BYTES = 16384,
	MUX_TARGET_MAX_BYTES = 255,
	MUX_HELLO_MAX_BYTES = 256,
	MUX_WINDOW_BYTES = 131072,
	MUX_CONTROL_ROOM_BYTES = 5120,
	MUX_ANSWER_ROOM_BYTES = 1024,
};

enum mux_side { MUX_HOST, MUX_GUEST };

enum mux_reason {
	MUX_REASON_NONE,
	MUX_REASON_REFUSED,  /* no such target, or not now */
	MUX_REASON_TOO_MANY, /* the receiver's table is full */
	MUX_REASON_ABORTED,  /* the sender gave the stream up */
	MUX_REASON_EPOCH,    /* never on the wire: the epoch ended */
	MUX_REASON_COUNT,
};

enum mux_event_type {
	MUX_EVENT_NONE,
	MUX_EVENT_HELLO,  /* epoch, and no stream is left: guest: be born anew;
			    host: its epoch was acknowledged, or 0: the guest
			    started again after that */
	MUX_EVENT_OPEN,	  /* stream, bytes = target */
	MUX_EVENT_DATA,	  /* stream, bytes = a piece, at most a payload */
	MUX_EVENT_CREDIT, /* stream: mux_send() may take more than before */
	MUX_EVENT_CLOSE,  /* stream: the peer sends no more */
	MUX_EVENT_RESET,  /* stream, reason: gone; the id means nothing now */
	MUX_EVENT_COUNT,
};

struct mux_event {
	enum mux_event_type type;
	uint32_t stream;
	struct span bytes; /* borrowed from the input */
	uint64_t epoch;
	enum mux_reason reason;
};

struct mux_stream {
	uint32_t id;	       /* 0: free slot */
	uint32_t send_credit;  /* bytes the peer still takes */
	uint32_t recv_credit;  /* bytes the peer may still send */
	uint32_t recv_owed;    /* consumed, not yet given back as credit */
	bool is_local_closed;  /* CLOSE sent or owed */
	bool is_remote_closed; /* CLOSE received */
	bool owes_close;
	enum mux_reason owes_reset; /* not NONE: gone for the user */
	void *owner;		    /* the user's, see mux_set_owner() */
};

struct mux {
	enum mux_side side;
	bool is_dead;	     /* a breach was seen */
	bool is_established; /* HELLO of this epoch seen from the peer */
	uint64_t epoch;	     /* host: 0 once the guest has started again */
	uint32_t last_local_id;
	uint32_t last_remote_id;
	struct mux_stream streams[MUX_STREAMS_MAX];
	/* the frame being received */
	uint8_t head[MUX_HEADER_BYTES];
	uint8_t head_len;
	uint8_t control[MUX_HELLO_MAX_BYTES]; /* payload, except DATA's */
	uint32_t payload_len;
	uint32_t payload_seen;
	/* frames to send */
	struct ring out;
	uint8_t out_bytes[MUX_OUT_BYTES];
};

/**
 * mux_init() - a fresh end of a wire
 * @m:     caller's memory; must not move afterwards
 * @side:  which end this is
 * @epoch: host: the epoch to announce, new and above 0 [WIRE-9]; guest: 0
 *
 * Queues HELLO.
 * Context: any thread, allocates nothing.
 */
void mux_init(struct mux *m, enum mux_side side, uint64_t epoch);

/**
 * mux_next() - take input up to the next event
 * @in:  untrusted bytes from the wire; consumed bytes are cut off its front
 * @ret: the event; its bytes point into the consumed part of @in (or into
 *       the mux for OPEN) and are valid until the next call
 *
 * Call again until it returns 0. Bytes left in *@in after 0 wait for room in
 * the output ring (invariant 5): keep them and call again after mux_sent().
 *
 * Return: 1 with an event; 0 if nothing more can be done; -EPROTO if the peer
 * broke the protocol, now and for ever.
 * Context: any thread, never blocks, allocates nothing.
 * Proof: test/proof/mux_next.c, test/fuzz/fuzz_mux.c, test/unit/wire/
 */
int mux_next(struct mux *m, struct span *in, struct mux_event *ret) MUST_CHECK;

/**
 * mux_open() - open a stream to a target at the peer
 * @target: 1..MUX_TARGET_MAX_BYTES of ! to ~ in ASCII
 * @owner:  kept for mux_owner()
 * @ret:    the stream's id
 *
 * DATA may be sent at once; a refusal arrives as MUX_EVENT_RESET.
 *
 * Return: 0; -EINVAL for a bad target; -ENOTCONN before the peer's HELLO;
 *         -EMFILE if the table is full or the epoch's ids are used up;
 *         -EAGAIN if the output ring has no room now.
 * Context: any thread, allocates nothing.
 */
int mux_open(struct mux *m, struct span target, void *owner,
	     uint32_t *ret) MUST_CHECK;

/**
 * mux_set_owner() - attach the user's object to a live stream
 *
 * Without effect, as are all calls below, on a stream that is gone.
 * Context: any thread.
 */
void mux_set_owner(struct mux *m, uint32_t id, void *owner);

/**
 * mux_owner() - the user's object of a live stream
 *
 * Return: what mux_open() or mux_set_owner() was given, or NULL.
 * Context: any thread.
 */
void *mux_owner(const struct mux *m, uint32_t id);

/**
 * mux_send_room() - how many bytes mux_send() would take now
 *
 * Return: bytes; 0 also for streams that are gone or closed by us.
 * Context: any thread.
 */
size_t mux_send_room(const struct mux *m, uint32_t id);

/**
 * mux_send() - queue DATA on a stream, within credit and room
 *
 * Return: bytes taken from the front of @bytes, possibly 0.
 * Context: any thread, allocates nothing.
 */
size_t mux_send(struct mux *m, uint32_t id, struct span bytes);

/**
 * mux_consumed() - say that @n delivered bytes were used up
 * @n: clipped to what was delivered and not yet consumed
 *
 * Gives the peer new credit, in steps of at least half a window.
 * Context: any thread, allocates nothing.
 */
void mux_consumed(struct mux *m, uint32_t id, size_t n);

/**
 * mux_close() - send no more on a stream; it ends when both sides closed
 *
 * A stream closed by both sides is freed without a further event.
 * Context: any thread, allocates nothing.
 */
void mux_close(struct mux *m, uint32_t id);

/**
 * mux_reset() - end a stream both ways at once; no further event comes
 * @reason: for the peer; what cannot be on the wire is sent as ABORTED
 *
 * Its place in the table is free again once the RESET is in the output ring.
 * Context: any thread, allocates nothing.
 */
void mux_reset(struct mux *m, uint32_t id, enum mux_reason reason);

/**
 * mux_output() - the oldest bytes to be written to the wire
 *
 * Return: a view valid until the mux changes; empty if nothing is to send.
 * Context: any thread.
 */
struct span mux_output(const struct mux *m);

/**
 * mux_sent() - say that @n bytes of mux_output() were written
 * @n: clipped to the output
 *
 * Afterwards every stream may have room again: the user goes round its
 * streams.
 * Context: any thread.
 */
void mux_sent(struct mux *m, size_t n);

/**
 * mux_is_quiet() - whether the wire stands at a frame boundary, both ways
 *
 * True if no frame is half received and nothing is waiting to be sent: the
 * state in which a guest may be saved.
 *
 * Return: true if so.
 * Context: any thread.
 */
bool mux_is_quiet(const struct mux *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last output of a process: Connect envelopes in the order they came.
 *
 * Theory. Every envelope has a position, the count of bytes before it. Readers
 * hold positions of their own. What every reader has been given is dropped for
 * good. Pure: no I/O.
 *
 * Invariants.
 *  1. Only whole envelopes are kept, at most OUTPUT_MAX_BYTES.
 *  2. Nothing at or behind the lowest reader's position is dropped; without a
 *     reader the oldest envelopes give way, and are counted.
 *  3. Memory is held only while there are envelopes.
 */
#ifndef CPN_SHIM_OUTPUT_H
#define CPN_SHIM_OUTPUT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
	OUTPUT_MAX_BYTES = 262144,
	OUTPUT_ENVELOPE_MAX_BYTES = 65536, /* header included */
};

/* No reader: everything may give way. */
#define OUTPUT_UNREAD UINT64_MAX

struct output {
	struct buf bytes;
	uint64_t tail;		/* position of the oldest envelope */
	uint64_t dropped_bytes; /* that no reader was given */
};

#define OUTPUT_EMPTY ((struct output){ .bytes = BUF_EMPTY(OUTPUT_MAX_BYTES) })

/**
 * output_fini() - free the envelopes; zeroed is allowed
 * Context: any thread.
 */
void output_fini(struct output *output);

/**
 * output_put() - append one envelope
 * @envelope: whole, at most OUTPUT_ENVELOPE_MAX_BYTES; copied
 * @floor:    lowest position of a reader, or OUTPUT_UNREAD
 *
 * Return: 0; -EAGAIN if the readers must be given more first; -ENOMEM.
 * Context: any thread; may allocate.
 */
int output_put(struct output *output, struct span envelope,
	       uint64_t floor) MUST_CHECK;

/**
 * output_at() - the envelope at a position
 * @at: a position that output_at() or output_put() led to
 *
 * Return: a view valid until the output changes; empty at the end.
 * Context: any thread.
 */
struct span output_at(const struct output *output, uint64_t at);

/**
 * output_end() - the position behind the newest envelope
 *
 * Return: the position.
 * Context: any thread.
 */
uint64_t output_end(const struct output *output);

/**
 * output_release() - drop what lies before a position
 * @floor: lowest position of a reader; clipped to the end
 * Context: any thread.
 */
void output_release(struct output *output, uint64_t floor);

#endif

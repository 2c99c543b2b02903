/* SPDX-License-Identifier: Apache-2.0 */
/* stdout and stderr, written without ever blocking the event loop. */
#ifndef CPN_CLI_OUTPUT_H
#define CPN_CLI_OUTPUT_H

#include "base/buf.h"
#include "base/macros.h"
#include "ev/ev.h"

enum {
	OUTPUT_MAX_BYTES = 2097152,
	/* A descriptor that polls writable takes this much at once. */
	OUTPUT_PIECE_BYTES = 4096,
};

struct output {
	int fd; /* borrowed */
	struct ev_io io;
	struct buf pending;
	bool is_polled; /* regular files cannot be, and never block */
	bool is_broken; /* nobody reads: what comes is dropped */
	void (*on_drained)(struct output *out);
	void *owner;
};

/**
 * output_init() - watch a descriptor of ours for room
 * @on_drained: called when everything pending was written
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int output_init(struct output *out, struct ev *loop, int fd,
		void (*on_drained)(struct output *out), void *owner) MUST_CHECK;

/**
 * output_fini() - stop watching; zeroed is allowed
 * Context: the loop's thread.
 */
void output_fini(struct output *out);

/**
 * output_put() - write or keep @bytes
 *
 * Return: 0; -E2BIG past OUTPUT_MAX_BYTES; -ENOMEM.
 * Context: the loop's thread.
 */
int output_put(struct output *out, struct span bytes) MUST_CHECK;

/**
 * output_finish() - write everything pending, blocking
 * Context: at the end, outside the loop.
 */
void output_finish(struct output *out);

#endif

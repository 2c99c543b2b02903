/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connect protocol envelopes: 1 byte of flags, 4 bytes of big-endian length,
 * then a JSON message. Flag 0x02 marks the end-of-stream message.
 */
#ifndef CPN_WIRE_CONNECT_H
#define CPN_WIRE_CONNECT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/span.h"

enum {
	CONNECT_HEADER_BYTES = 5,
	CONNECT_MESSAGE_MAX_BYTES = 1048576,
	CONNECT_FLAG_COMPRESSED = 0x01,
	CONNECT_FLAG_END = 0x02,
};

/**
 * connect_put() - append one envelope
 * @flags: 0 or CONNECT_FLAG_END
 *
 * Return: as buf_put(); -E2BIG for a message past the maximum.
 * Context: any thread; may allocate.
 */
int connect_put(struct buf *out, uint8_t flags, struct span message) MUST_CHECK;

/**
 * connect_next() - take the next whole envelope out of a buffer's front
 * @in:          untrusted bytes; an envelope taken is cut off its front
 * @max_bytes:   greatest message accepted, <= CONNECT_MESSAGE_MAX_BYTES
 * @ret_flags:   its flags
 * @ret_message: a view into @in's bytes
 *
 * Return: 1 with an envelope; 0 if more bytes are needed; -E2BIG for a length
 * past @max_bytes; -EBADMSG for unknown flags (compressed ones included).
 * Context: any thread, allocates nothing.
 */
int connect_next(struct span *in, size_t max_bytes, uint8_t *ret_flags,
		 struct span *ret_message) MUST_CHECK;

#endif

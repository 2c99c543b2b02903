// SPDX-License-Identifier: Apache-2.0
// Connect protocol envelopes.

#include "wire/connect.h"

int connect_put(struct buf *out, uint8_t flags, struct span message)
{
	uint8_t header[CONNECT_HEADER_BYTES] = {
		flags,
		(uint8_t)(message.len >> 24),
		(uint8_t)(message.len >> 16),
		(uint8_t)(message.len >> 8),
		(uint8_t)message.len,
	};

	if (message.len > CONNECT_MESSAGE_MAX_BYTES)
		return -E2BIG;
	TRY(buf_reserve(out, sizeof(header) + message.len));
	TRY(buf_put(out, span_of(header, sizeof(header))));
	return buf_put(out, message);
}

int connect_next(struct span *in, size_t max_bytes, uint8_t *ret_flags,
		 struct span *ret_message)
{
	const uint8_t *at = in->ptr;
	size_t len = 0;

	if (in->len > 0 && (at[0] & ~CONNECT_FLAG_END) != 0)
		return -EBADMSG;
	if (in->len < CONNECT_HEADER_BYTES)
		return 0;
	len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 |
	      at[4];
	if (len > max_bytes)
		return -E2BIG;
	if (in->len - CONNECT_HEADER_BYTES < len)
		return 0;

	*ret_flags = at[0];
	*ret_message = span_to(span_from(*in, CONNECT_HEADER_BYTES), len);
	*in = span_from(*in, CONNECT_HEADER_BYTES + len);
	return 1;
}

// SPDX-License-Identifier: Apache-2.0
// Byte rings over borrowed memory.

#include "base/ring.h"

#include <string.h>

void ring_init(struct ring *r, void *mem, size_t cap)
{
	*r = (struct ring){ .ptr = mem, .cap = cap };
}

static size_t put_piece(struct ring *r, struct span bytes)
{
	size_t tail = (r->head + r->len) % r->cap;
	size_t room = r->cap - r->len;
	size_t n = r->cap - tail;

	if (n > room)
		n = room;
	if (n > bytes.len)
		n = bytes.len;
	if (n != 0)
		memcpy(r->ptr + tail, bytes.ptr, n);
	r->len += n;
	return n;
}

size_t ring_put(struct ring *r, struct span bytes)
{
	size_t n = put_piece(r, bytes);

	return n + put_piece(r, span_from(bytes, n));
}

struct span ring_peek(const struct ring *r)
{
	size_t n = r->cap - r->head;

	return span_of(r->ptr + r->head, n < r->len ? n : r->len);
}

void ring_drop(struct ring *r, size_t n)
{
	if (n >= r->len) {
		r->head = 0;
		r->len = 0;
		return;
	}
	r->head = (r->head + n) % r->cap;
	r->len -= n;
}

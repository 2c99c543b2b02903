/* SPDX-License-Identifier: Apache-2.0 */
/* A byte ring over the caller's memory: never grows, never allocates. */
#ifndef CPN_BASE_RING_H
#define CPN_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct ring {
	uint8_t *ptr; /* borrowed from the caller of ring_init() */
	size_t cap;
	size_t head; /* index of the oldest byte */
	size_t len;
};

/**
 * ring_init() - an empty ring over @cap bytes at @mem
 * @mem: borrowed for the ring's life
 * @cap: bytes, above zero
 * Context: any thread.
 */
void ring_init(struct ring *r, void *mem, size_t cap);

/**
 * ring_room() - how many bytes can be put now
 *
 * Return: bytes.
 * Context: any thread.
 */
static inline size_t ring_room(const struct ring *r)
{
	return r->cap - r->len;
}

/**
 * ring_put() - append as much of @bytes as there is room for
 *
 * Return: bytes taken, 0..@bytes.len.
 * Context: any thread.
 */
size_t ring_put(struct ring *r, struct span bytes);

/**
 * ring_peek() - view the oldest bytes that lie in one piece
 *
 * Empty exactly when the ring is empty. Valid until the ring changes.
 *
 * Return: the view.
 * Context: any thread.
 */
struct span ring_peek(const struct ring *r);

/**
 * ring_drop() - forget the oldest @n bytes (clipped to the content)
 * Context: any thread.
 */
void ring_drop(struct ring *r, size_t n);

#endif

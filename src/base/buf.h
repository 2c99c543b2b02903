/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer that is born with its maximum. */
#ifndef CPN_BASE_BUF_H
#define CPN_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/span.h"

struct buf {
	uint8_t *ptr; /* owned */
	size_t len;
	size_t cap;
	size_t max; /* len never exceeds it */
};

#define BUF_EMPTY(max_bytes) ((struct buf){ .max = (max_bytes) })

/**
 * buf_fini() - free the bytes; a zeroed or finished buffer is allowed
 * Context: any thread.
 */
void buf_fini(struct buf *b);

/**
 * buf_reserve() - make room for @more bytes behind the content
 *
 * Return: 0; -E2BIG if the maximum would be passed; -ENOMEM.
 * Context: any thread; may allocate.
 */
int buf_reserve(struct buf *b, size_t more) MUST_CHECK;

/**
 * buf_put() - append a copy of @bytes; all or nothing
 *
 * Return: 0; -E2BIG; -ENOMEM. The content is unchanged on failure.
 * Context: any thread; may allocate.
 */
int buf_put(struct buf *b, struct span bytes) MUST_CHECK;

/**
 * buf_put_str() - append a C string without its NUL
 *
 * Return: as buf_put().
 * Context: any thread; may allocate.
 */
int buf_put_str(struct buf *b, const char *s) MUST_CHECK;

/**
 * buf_printf() - append formatted text
 *
 * Return: as buf_put().
 * Context: any thread; may allocate.
 */
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3) MUST_CHECK;

/**
 * buf_drop() - remove the first @n bytes (clipped), keeping the rest
 * Context: any thread.
 */
void buf_drop(struct buf *b, size_t n);

/**
 * buf_span() - view the content; valid until the buffer changes
 *
 * Return: the view.
 * Context: any thread.
 */
static inline struct span buf_span(const struct buf *b)
{
	return span_of(b->ptr, b->len);
}

/**
 * buf_cstr() - the content as a C string
 *
 * Appends a NUL that is not counted in the length.
 *
 * Return: a string valid until the buffer changes, or NULL on no memory.
 * Context: any thread; may allocate.
 */
const char *buf_cstr(struct buf *b) MUST_CHECK;

#endif

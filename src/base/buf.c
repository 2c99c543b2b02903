// SPDX-License-Identifier: Apache-2.0
// Growing byte buffers with a maximum.

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BUF_FIRST_BYTES = 256 };

void buf_fini(struct buf *b)
{
	mem_free(b->ptr);
	b->ptr = NULL;
	b->len = 0;
	b->cap = 0;
}

static int grow(struct buf *b, size_t need)
{
	size_t cap = b->cap == 0 ? BUF_FIRST_BYTES : b->cap;
	uint8_t *ptr = NULL;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	ptr = mem_resize(b->ptr, cap);
	if (ptr == NULL)
		return -ENOMEM;
	b->ptr = ptr;
	b->cap = cap;
	return 0;
}

int buf_reserve(struct buf *b, size_t more)
{
	if (more > b->max || b->len > b->max - more)
		return -E2BIG;
	if (b->len + more <= b->cap)
		return 0;
	return grow(b, b->len + more);
}

int buf_put(struct buf *b, struct span bytes)
{
	TRY(buf_reserve(b, bytes.len));
	if (bytes.len != 0)
		memcpy(b->ptr + b->len, bytes.ptr, bytes.len);
	b->len += bytes.len;
	return 0;
}

int buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, span_str(s));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n = 0;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	TRY(buf_reserve(b, (size_t)n));
	if (b->len + (size_t)n + 1 > b->cap)
		TRY(grow(b, b->len + (size_t)n + 1));
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	if (n == 0)
		return;
	memmove(b->ptr, b->ptr + n, b->len - n);
	b->len -= n;
}

const char *buf_cstr(struct buf *b)
{
	if (b->len + 1 > b->cap && grow(b, b->len + 1) < 0)
		return NULL;
	b->ptr[b->len] = '\0';
	return (const char *)b->ptr;
}

// SPDX-License-Identifier: Apache-2.0
// Views over borrowed bytes.

#include "base/span.h"

#include <string.h>

static uint8_t lower(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') ? (uint8_t)(c | 0x20u) : c;
}

struct span span_str(const char *s)
{
	return span_of(s, strlen(s));
}

bool span_eq(struct span a, struct span b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

bool span_is_nocase(struct span a, const char *s)
{
	struct span b = span_str(s);

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

bool span_eq_secret(struct span a, struct span b)
{
	volatile uint8_t diff = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		diff = (uint8_t)(diff | (a.ptr[i] ^ b.ptr[i]));
	return diff == 0;
}

bool span_starts(struct span a, const char *prefix)
{
	return span_is(span_to(a, strlen(prefix)), prefix);
}

struct span span_from(struct span a, size_t n)
{
	if (n >= a.len)
		return span_of(a.ptr, 0);
	return span_of(a.ptr + n, a.len - n);
}

struct span span_to(struct span a, size_t n)
{
	return span_of(a.ptr, n < a.len ? n : a.len);
}

int span_copy_str(struct span a, char *dst, size_t cap)
{
	if (a.len >= cap)
		return -ENAMETOOLONG;
	if (a.len != 0 && memchr(a.ptr, 0, a.len) != NULL)
		return -EINVAL;
	if (a.len != 0)
		memcpy(dst, a.ptr, a.len);
	dst[a.len] = '\0';
	return 0;
}

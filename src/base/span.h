/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes: never owned, never written through. */
#ifndef CPN_BASE_SPAN_H
#define CPN_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct span {
	const uint8_t *ptr;
	size_t len;
};

/**
 * span_of() - view @len bytes at @ptr
 * @ptr: borrowed; may be NULL if @len is 0
 * @len: bytes
 *
 * Return: the view.
 * Context: any thread, allocates nothing.
 */
static inline struct span span_of(const void *ptr, size_t len)
{
	return (struct span){ .ptr = ptr, .len = len };
}

/**
 * span_str() - view a C string without its NUL
 * @s: borrowed, not NULL
 *
 * Return: the view.
 * Context: any thread, allocates nothing.
 */
struct span span_str(const char *s);

/**
 * span_eq() - whether two views hold the same bytes
 *
 * Not constant time; secrets are compared with span_eq_secret().
 *
 * Return: true if equal.
 * Context: any thread.
 */
bool span_eq(struct span a, struct span b);

/**
 * span_is() - whether a view holds exactly the C string @s
 *
 * Return: true if equal.
 * Context: any thread.
 */
bool span_is(struct span a, const char *s);

/**
 * span_is_nocase() - like span_is(), ASCII letters compared without case
 *
 * Return: true if equal.
 * Context: any thread.
 */
bool span_is_nocase(struct span a, const char *s);

/**
 * span_eq_secret() - compare in time that depends on the lengths only
 *
 * Return: true if equal.
 * Context: any thread.
 */
bool span_eq_secret(struct span a, struct span b);

/**
 * span_starts() - whether @a begins with the C string @prefix
 *
 * Return: true if it does.
 * Context: any thread.
 */
bool span_starts(struct span a, const char *prefix);

/**
 * span_from() - the view without its first @n bytes
 * @n: clipped to the length
 *
 * Return: the rest, possibly empty.
 * Context: any thread.
 */
struct span span_from(struct span a, size_t n);

/**
 * span_to() - the first @n bytes of a view
 * @n: clipped to the length
 *
 * Return: the head, possibly the whole view.
 * Context: any thread.
 */
struct span span_to(struct span a, size_t n);

/**
 * span_copy_str() - copy a view into a NUL-terminated array
 * @a:   the bytes; untrusted
 * @dst: receives a C string; untouched on failure
 * @cap: size of @dst in bytes, NUL included
 *
 * Return: 0; -ENAMETOOLONG if it does not fit; -EINVAL if @a holds a NUL.
 * Context: any thread.
 */
int span_copy_str(struct span a, char *dst, size_t cap) MUST_CHECK;

#endif

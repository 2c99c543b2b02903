/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel. */
#ifndef CPN_BASE_RNG_H
#define CPN_BASE_RNG_H

#include <stddef.h>

#include "base/macros.h"

/**
 * rng_fill() - fill @dst with random bytes fit for keys
 *
 * Return: 0 or -errno.
 * Context: any thread; blocks until the kernel's generator is seeded.
 */
int rng_fill(void *dst, size_t len) MUST_CHECK;

/**
 * rng_hex() - a random lower-case hexadecimal string
 * @dst: receives 2 * @bytes digits and a NUL
 * @bytes: random bytes, at most 64
 *
 * Return: 0, -EINVAL if @bytes is too large, or -errno.
 * Context: any thread.
 */
int rng_hex(char *dst, size_t bytes) MUST_CHECK;

#endif

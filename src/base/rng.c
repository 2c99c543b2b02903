// SPDX-License-Identifier: Apache-2.0
// Random bytes from the kernel.

#include "base/rng.h"

#include <stdint.h>
#include <sys/random.h>

enum { HEX_MAX_BYTES = 64 };

int rng_fill(void *dst, size_t len)
{
	uint8_t *at = dst;

	while (len != 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return neg_errno();
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int rng_hex(char *dst, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t raw[HEX_MAX_BYTES];

	if (bytes > sizeof(raw))
		return -EINVAL;
	TRY(rng_fill(raw, bytes));
	for (size_t i = 0; i < bytes; i++) {
		dst[2 * i] = digits[raw[i] >> 4];
		dst[2 * i + 1] = digits[raw[i] & 15];
	}
	dst[2 * bytes] = '\0';
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Numbers from untrusted text.

#include "base/num.h"

int num_parse(struct span text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t digit = (uint8_t)(text.ptr[i] - '0');

		if (digit > 9)
			return -EINVAL;
		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (uint8_t)(c | 0x20u);
	return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -EINVAL;
}

int num_parse_hex(struct span text, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > 16)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_digit(text.ptr[i]);

		if (digit < 0)
			return -EINVAL;
		value = (value << 4) | (uint64_t)digit;
	}
	*ret = value;
	return 0;
}

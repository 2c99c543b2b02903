// SPDX-License-Identifier: Apache-2.0
// Base64: three bytes are four digits, the last group may be short.

#include "wire/base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* Appends the group of the 1 to 3 bytes at @from; there is room. */
static void put_group(struct buf *out, const uint8_t *from, size_t count)
{
	uint32_t bits = (uint32_t)from[0] << 16;
	uint8_t *to = out->ptr + out->len;

	if (count > 1)
		bits |= (uint32_t)from[1] << 8;
	if (count > 2)
		bits |= from[2];
	to[0] = (uint8_t)DIGITS[bits >> 18];
	to[1] = (uint8_t)DIGITS[bits >> 12 & 63];
	to[2] = count > 1 ? (uint8_t)DIGITS[bits >> 6 & 63] : '=';
	to[3] = count > 2 ? (uint8_t)DIGITS[bits & 63] : '=';
	out->len += 4;
}

int base64_put(struct buf *out, struct span bytes)
{
	size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);

	if (groups > SIZE_MAX / 4)
		return -E2BIG;
	TRY(buf_reserve(out, groups * 4));
	for (size_t at = 0; at < bytes.len; at += 3) {
		size_t left = bytes.len - at;

		put_group(out, bytes.ptr + at, left < 3 ? left : 3);
	}
	return 0;
}

static int digit_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -EBADMSG;
}

/* Cuts the padding off, which stands only where it fills the last group. */
static struct span without_padding(struct span text)
{
	size_t pads = 0;

	if (text.len == 0 || text.len % 4 != 0)
		return text;
	while (pads < 2 && text.ptr[text.len - 1 - pads] == '=')
		pads++;
	return span_to(text, text.len - pads);
}

/* Appends the bytes of a group of 2 to 4 digits; there is room. */
static int take_group(struct span digits, struct buf *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < digits.len ? digit_value(digits.ptr[i]) : 0;

		TRY(value);
		bits = bits << 6 | (uint32_t)value;
	}
	/* RFC 4648 3.5: the bits that no byte needs must be zero, or one
	 * content would have several encodings. */
	if ((digits.len == 2 && (bits & 0xffff) != 0) ||
	    (digits.len == 3 && (bits & 0xff) != 0))
		return -EBADMSG;
	for (size_t i = 0; i + 1 < digits.len; i++)
		out->ptr[out->len++] = (uint8_t)(bits >> (16 - 8 * i));
	return 0;
}

int base64_decode(struct span text, struct buf *out)
{
	struct span digits = without_padding(text);
	size_t old_len = out->len;

	if (digits.len % 4 == 1)
		return -EBADMSG;
	TRY(buf_reserve(out, digits.len / 4 * 3 + digits.len % 4 * 3 / 4));
	while (digits.len > 0) {
		int r = take_group(span_to(digits, 4), out);

		if (r < 0) {
			out->len = old_len;
			return r;
		}
		digits = span_from(digits, 4);
	}
	return 0;
}

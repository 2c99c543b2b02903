/* SPDX-License-Identifier: Apache-2.0 */
/* What each byte is to HTTP/1.1; for the files of the codec only. */
#ifndef CPN_WIRE_HTTP_BYTES_H
#define CPN_WIRE_HTTP_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* RFC 9112 6.3 leaves the maximum to us; a sum with it still fits 64 bits. */
#define HTTP_LENGTH_MAX ((uint64_t)INT64_MAX)

enum byte_class {
	BYTE_BAD, /* control bytes */
	BYTE_CR,
	BYTE_LF,
	BYTE_BLANK,
	BYTE_HEX,   /* a token byte that is a hexadecimal digit */
	BYTE_TOKEN, /* the other token bytes, RFC 9110 5.6.2 */
	BYTE_COLON,
	BYTE_SEMICOLON,
	BYTE_EQUALS,
	BYTE_QUOTE,
	BYTE_BACKSLASH,
	BYTE_TEXT, /* the other visible bytes and obs-text */
	BYTE_CLASS_COUNT,
};

extern const uint8_t HTTP_BYTE_CLASSES[256];

/**
 * http_is_text() - whether a byte may stand in a line: no control but a tab
 *
 * Return: true if so.
 * Context: any thread.
 */
static inline bool http_is_text(uint8_t c)
{
	return HTTP_BYTE_CLASSES[c] > BYTE_LF;
}

/**
 * http_is_token() - whether @s is a token, RFC 9110 5.6.2
 *
 * Return: true if so; an empty one is none.
 * Context: any thread.
 */
bool http_is_token(struct span s);

#endif

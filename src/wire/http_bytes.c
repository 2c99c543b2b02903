// SPDX-License-Identifier: Apache-2.0
// The classes of bytes in HTTP/1.1.

#include "wire/http_bytes.h"

const uint8_t HTTP_BYTE_CLASSES[256] = {
	['\t'] = BYTE_BLANK,
	['\n'] = BYTE_LF,
	['\r'] = BYTE_CR,
	[' '] = BYTE_BLANK,
	['!'] = BYTE_TOKEN,
	['"'] = BYTE_QUOTE,
	['#' ... '\''] = BYTE_TOKEN,
	['(' ... ')'] = BYTE_TEXT,
	['*' ... '+'] = BYTE_TOKEN,
	[','] = BYTE_TEXT,
	['-' ... '.'] = BYTE_TOKEN,
	['/'] = BYTE_TEXT,
	['0' ... '9'] = BYTE_HEX,
	[':'] = BYTE_COLON,
	[';'] = BYTE_SEMICOLON,
	['<'] = BYTE_TEXT,
	['='] = BYTE_EQUALS,
	['>' ... '@'] = BYTE_TEXT,
	['A' ... 'F'] = BYTE_HEX,
	['G' ... 'Z'] = BYTE_TOKEN,
	['['] = BYTE_TEXT,
	['\\'] = BYTE_BACKSLASH,
	[']'] = BYTE_TEXT,
	['^' ... '`'] = BYTE_TOKEN,
	['a' ... 'f'] = BYTE_HEX,
	['g' ... 'z'] = BYTE_TOKEN,
	['{'] = BYTE_TEXT,
	['|'] = BYTE_TOKEN,
	['}'] = BYTE_TEXT,
	['~'] = BYTE_TOKEN,
	[0x80 ... 0xff] = BYTE_TEXT,
};

bool http_is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t class = HTTP_BYTE_CLASSES[s.ptr[i]];

		if (class != BYTE_HEX && class != BYTE_TOKEN)
			return false;
	}
	return s.len > 0;
}

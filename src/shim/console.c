// SPDX-License-Identifier: Apache-2.0
// The last words of the guest's kernel.

#include "shim/console.h"

#include <stdio.h>
#include <string.h>

/* What one byte may become: "\xNN" or " | ". */
enum { QUOTED_MAX_BYTES = 4 };

void console_init(struct console *console)
{
	ring_init(&console->ring, console->bytes, sizeof(console->bytes));
}

void console_put(struct console *console, struct span bytes)
{
	bytes = span_from(bytes, bytes.len > CONSOLE_BYTES ?
					 bytes.len - CONSOLE_BYTES :
					 0);
	if (bytes.len > ring_room(&console->ring))
		ring_drop(&console->ring,
			  bytes.len - ring_room(&console->ring));
	(void)ring_put(&console->ring, bytes);
}

static size_t quote_byte(uint8_t byte, char dst[QUOTED_MAX_BYTES + 1])
{
	if (byte == '\r')
		return 0;
	if (byte == '\n')
		return (size_t)snprintf(dst, QUOTED_MAX_BYTES + 1, " | ");
	if (byte == '\\' || byte < ' ' || byte > '~')
		return (size_t)snprintf(dst, QUOTED_MAX_BYTES + 1, "\\x%02x",
					byte);
	dst[0] = (char)byte;
	return 1;
}

static uint8_t byte_at(const struct ring *ring, size_t i)
{
	return ring->ptr[(ring->head + i) % ring->cap];
}

void console_quote(const struct console *console, char *dst, size_t cap)
{
	const struct ring *ring = &console->ring;
	char quoted[QUOTED_MAX_BYTES + 1];
	size_t end = ring->len;
	size_t first = 0;
	size_t room = cap - 1;
	size_t at = 0;

	while (end > 0 && byte_at(ring, end - 1) == '\n')
		end--;
	for (first = end; first > 0; first--) {
		size_t n = quote_byte(byte_at(ring, first - 1), quoted);

		if (n > room)
			break;
		room -= n;
	}
	for (; first < end; first++) {
		size_t n = quote_byte(byte_at(ring, first), quoted);

		memcpy(dst + at, quoted, n);
		at += n;
	}
	dst[at] = '\0';
}

// SPDX-License-Identifier: Apache-2.0
#include "shim/console.h"

#include "tap.h"

static struct console console;

static const char *quote(size_t cap)
{
	static char text[8192];

	memset(text, '?', sizeof(text));
	console_quote(&console, text, cap);
	return text;
}

static void put(const char *text)
{
	console_put(&console, span_str(text));
}

TEST(lines_and_control_bytes_are_quoted)
{
	console_init(&console);
	CHECK_STR(quote(100), "");
	put("one\r\ntwo\x1b[31m\\\n\n");
	CHECK_STR(quote(100), "one | two\\x1b[31m\\x5c");
}

TEST(the_last_bytes_are_quoted)
{
	console_init(&console);
	put("abcdefgh");
	CHECK_STR(quote(4), "fgh");
	CHECK_STR(quote(1), "");
	put("\x01");
	CHECK_STR(quote(4), ""); /* half an escape is none */
	CHECK_STR(quote(6), "h\\x01");
}

TEST(the_oldest_bytes_are_forgotten)
{
	static uint8_t flood[3 * CONSOLE_BYTES];

	console_init(&console);
	put("lost");
	memset(flood, 'x', sizeof(flood));
	console_put(&console, span_of(flood, sizeof(flood)));
	put("kept");
	CHECK_EQ(console.ring.len, CONSOLE_BYTES);
	CHECK_STR(quote(8), "xxxkept");
}

TESTS(RUN(lines_and_control_bytes_are_quoted), RUN(the_last_bytes_are_quoted),
      RUN(the_oldest_bytes_are_forgotten))

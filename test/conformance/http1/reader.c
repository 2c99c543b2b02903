// SPDX-License-Identifier: Apache-2.0
// Our side of the differential test: reads cases from stdin (4 bytes of
// big-endian length, then what a client sent on one connection), writes a line
// of JSON a case. Bytes are written in hexadecimal.

#include <stdio.h>
#include <stdlib.h>

#include "wire/http1.h"

enum { CASE_MAX_BYTES = 1 << 20 };

static void put_hex(const char *key, struct span s)
{
	printf("\"%s\":\"", key);
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", s.ptr[i]);
	printf("\"");
}

/* Decodes the body into @body; 1 if whole, 0 if more is needed, -errno. */
static int read_body(const struct http_head *head, struct span *in,
		     struct buf *body)
{
	struct http_body b = { 0 };
	struct span piece = span_of(NULL, 0);
	int r = 1;

	http_body_init(&b, head);
	while (r == 1) {
		r = http_body_next(&b, in, &piece);
		if (r == 1)
			TRY(buf_put(body, piece));
	}
	return r < 0 ? r : b.is_done;
}

static void put_message(const struct http_head *head, const struct buf *body)
{
	printf("{");
	put_hex("method", head->method);
	printf(",");
	put_hex("target", head->target);
	printf(",\"headers\":[");
	for (size_t i = 0; i < head->header_count; i++) {
		printf("%s{", i > 0 ? "," : "");
		put_hex("name", head->headers[i].name);
		printf(",");
		put_hex("value", head->headers[i].value);
		printf("}");
	}
	printf("],");
	put_hex("body", buf_span(body));
	printf("}");
}

/* Takes one whole message off @in and writes it; as http_parse_request(). */
static int read_message(struct span *in, bool is_first, bool *ret_goes_on)
{
	static struct http_head head;
	CLEANUP(buf_fini) struct buf body = BUF_EMPTY(CASE_MAX_BYTES);
	size_t used = 0;
	int r = http_parse_request(*in, &head, &used);

	if (r != 1)
		return r;
	*in = span_from(*in, used);
	r = read_body(&head, in, &body);
	if (r != 1)
		return r;
	printf("%s", is_first ? "" : ",");
	put_message(&head, &body);
	*ret_goes_on = head.is_keep_alive;
	return 1;
}

static void read_case(struct span in)
{
	bool goes_on = true;
	bool is_first = true;
	int r = 1;

	printf("{\"messages\":[");
	while (goes_on && in.len > 0) {
		r = read_message(&in, is_first, &goes_on);
		is_first = false;
		if (r != 1)
			break;
	}
	printf("],\"verdict\":\"%s\"}\n", r < 0	  ? "refused" :
					  r == 0  ? "waiting" :
					  goes_on ? "open" :
						    "closed");
}

int main(void)
{
	static uint8_t bytes[CASE_MAX_BYTES];
	uint8_t size[4];

	while (fread(size, 1, sizeof(size), stdin) == sizeof(size)) {
		size_t len = (size_t)size[0] << 24 | (size_t)size[1] << 16 |
			     (size_t)size[2] << 8 | size[3];

		if (len > sizeof(bytes) || fread(bytes, 1, len, stdin) != len)
			return 1;
		read_case(span_of(bytes, len));
	}
	return 0;
}

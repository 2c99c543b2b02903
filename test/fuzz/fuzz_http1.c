// SPDX-License-Identifier: Apache-2.0
// Heads and bodies. The first byte chooses the parser (low bits) and how the
// rest is cut: 'R' a request, 'S' a response, 'T' a response to HEAD, 'C' a
// chunked body, 'Q' a query.

#include <stdlib.h>
#include <string.h>

#include "wire/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

typedef int parse_fn(struct span in, struct http_head *ret, size_t *ret_used);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static int parse_response(struct span in, struct http_head *ret,
			  size_t *ret_used)
{
	return http_parse_response(in, false, ret, ret_used);
}

static int parse_response_to_head(struct span in, struct http_head *ret,
				  size_t *ret_used)
{
	return http_parse_response(in, true, ret, ret_used);
}

static bool is_inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.ptr >= whole.ptr &&
				 part.ptr + part.len <= whole.ptr + whole.len);
}

static bool is_clean(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

/* What a reader of the head relies on. */
static void check_head(const struct http_head *head, struct span whole)
{
	must(head->header_count <= HTTP_HEADERS_MAX);
	must(is_inside(head->target, whole) && is_clean(head->target));
	must(is_inside(head->reason, whole) && is_clean(head->reason));
	must(head->path.len <= head->target.len && head->minor <= 1);
	must(head->framing != HTTP_CHUNKED || head->minor == 1);
	must(head->content_length <= INT64_MAX);
	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *h = &head->headers[i];

		must(h->name.len > 0 && is_inside(h->name, whole));
		must(is_inside(h->value, whole) && is_clean(h->value));
		must(h->value.len == 0 ||
		     (h->value.ptr[0] != ' ' &&
		      h->value.ptr[h->value.len - 1] != ' '));
	}
}

/* Scanned in steps and parsed at the end gives what parsing at once gives. */
static void fuzz_head(parse_fn *parse, struct span in, size_t step)
{
	static struct http_head head;
	struct http_scan scan = { 0 };
	size_t used = 0;
	size_t at = 0;
	int r = 0;
	int whole = parse(in, &head, &used);

	if (whole == 1)
		check_head(&head, span_to(in, used));
	while (r == 0 && at < in.len) {
		size_t taken = 0;

		r = http_scan_head(&scan, span_to(span_from(in, at), step),
				   &taken);
		at += r < 0 ? 0 : taken;
	}
	if (r == 1)
		r = parse(span_to(in, at), &head, &at);
	must(r == whole && (r != 1 || at == used));
}

/* Decodes with windows of @step bytes; -EBADMSG, 0 (more), 1 (done). */
static int decode(struct span in, size_t step, struct buf *out, size_t *ret_at)
{
	struct http_head of = { .framing = HTTP_CHUNKED };
	struct http_body b = { 0 };
	size_t at = 0;

	http_body_init(&b, &of);
	while (!b.is_done && at < in.len) {
		struct span window = span_to(span_from(in, at), step);
		struct span piece = span_of(NULL, 0);
		size_t before = window.len;
		int r = http_body_next(&b, &window, &piece);

		if (r < 0)
			return r;
		must(before > window.len);
		must(r == 0 || (piece.len > 0 && is_inside(piece, in)));
		must(r == 0 || buf_put(out, piece) == 0);
		at += before - window.len;
	}
	*ret_at = at;
	return b.is_done;
}

static void fuzz_chunked(struct span in, size_t step)
{
	CLEANUP(buf_fini) struct buf whole = BUF_EMPTY(in.len);
	CLEANUP(buf_fini) struct buf cut = BUF_EMPTY(in.len);
	size_t whole_at = 0;
	size_t cut_at = 0;
	int r = decode(in, in.len, &whole, &whole_at);

	must(decode(in, step, &cut, &cut_at) == r && cut_at == whole_at);
	must(span_eq(buf_span(&whole), buf_span(&cut)));
}

static void fuzz_query(struct span in, size_t step)
{
	char value[8];
	int r = http_query_get(in, "p", value, step < 8 ? step : 8);

	must(r != 1 || strlen(value) < 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span in = span_of(bytes + (len > 0), len - (len > 0));
	size_t first = len > 0 ? bytes[0] : 0;
	size_t step = 1 + (first >> 5);

	switch (first & 31) {
	case 'S' & 31:
		fuzz_head(parse_response, in, step);
		break;
	case 'T' & 31:
		fuzz_head(parse_response_to_head, in, step);
		break;
	case 'C' & 31:
		fuzz_chunked(in, step);
		break;
	case 'Q' & 31:
		fuzz_query(in, step);
		break;
	default:
		fuzz_head(http_parse_request, in, step);
	}
	return 0;
}

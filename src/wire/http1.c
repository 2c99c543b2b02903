// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 heads and query strings; bodies are in http_body.c, what is written
// in http_write.c.
//
// Theory. The end of a head is found by a state machine over its bytes, so that
// no byte is looked at twice and an unforeseen one is a refusal. Once it was
// found, the lines are known to be text between CRLFs, and the rest is cutting
// views.
//
// Invariants.
//  1. What a prefix of the input yields, the whole input yields: feeding piece
//     by piece and at once give the same answers.
//  2. No view leaves the input.

#include "wire/http1.h"

#include <string.h>

#include "base/num.h"
#include "wire/http_bytes.h"

static struct span trim(struct span s)
{
	while (s.len > 0 && HTTP_BYTE_CLASSES[s.ptr[0]] == BYTE_BLANK)
		s = span_from(s, 1);
	while (s.len > 0 && HTTP_BYTE_CLASSES[s.ptr[s.len - 1]] == BYTE_BLANK)
		s.len--;
	return s;
}

/* Cuts off @rest what stands before @sep (all, without one), and @sep. */
static struct span take_until(struct span *rest, uint8_t sep)
{
	const uint8_t *at = rest->len == 0 ? NULL :
					     memchr(rest->ptr, sep, rest->len);
	size_t len = at == NULL ? rest->len : (size_t)(at - rest->ptr);
	struct span taken = span_to(*rest, len);

	*rest = span_from(*rest, len + 1);
	return taken;
}

/* ---- the end of a head ---- */

enum scan_state {
	SCAN_FIRST,   /* before the first byte; zero */
	SCAN_LINE,    /* within a line */
	SCAN_LINE_CR, /* behind the CR that ends a line */
	SCAN_START,   /* before a line's first byte */
	SCAN_END_CR,  /* behind the CR of the blank line */
	SCAN_END,
	SCAN_REFUSED,
};

static int scan_byte(int state, uint8_t c)
{
	switch (state) {
	case SCAN_FIRST:
		return http_is_text(c) ? SCAN_LINE : SCAN_REFUSED;
	case SCAN_LINE:
		if (c == '\r')
			return SCAN_LINE_CR;
		return http_is_text(c) ? SCAN_LINE : SCAN_REFUSED;
	case SCAN_LINE_CR:
		return c == '\n' ? SCAN_START : SCAN_REFUSED;
	case SCAN_START:
		if (c == '\r')
			return SCAN_END_CR;
		return http_is_text(c) ? SCAN_LINE : SCAN_REFUSED;
	case SCAN_END_CR:
		return c == '\n' ? SCAN_END : SCAN_REFUSED;
	default:
		return SCAN_REFUSED;
	}
}

int http_scan_head(struct http_scan *scan, struct span in, size_t *ret_used)
{
	for (size_t i = 0; i < in.len; i++) {
		if (scan->bytes == HTTP_HEAD_MAX_BYTES)
			return -E2BIG;
		scan->bytes++;
		scan->state = scan_byte(scan->state, in.ptr[i]);
		if (scan->state == SCAN_REFUSED)
			return -EBADMSG;
		if (scan->state == SCAN_END) {
			*ret_used = i + 1;
			return 1;
		}
	}
	*ret_used = in.len;
	return 0;
}

/* ---- heads ---- */

/* Cuts a line off a scanned head. */
static struct span take_line(struct span *rest)
{
	struct span line = take_until(rest, '\r');

	*rest = span_from(*rest, 1);
	return line;
}

/* RFC 9112 5: field-name ":" OWS field-value OWS; a fold has no name. */
static int parse_header(struct span line, struct http_header *ret)
{
	struct span rest = line;
	struct span name = take_until(&rest, ':');

	if (name.len == line.len || !http_is_token(name))
		return -EBADMSG;
	*ret = (struct http_header){ .name = name, .value = trim(rest) };
	return 0;
}

static int parse_headers(struct span rest, struct http_head *ret)
{
	struct span line = take_line(&rest);

	for (; line.len > 0; line = take_line(&rest)) {
		if (ret->header_count == HTTP_HEADERS_MAX)
			return -E2BIG;
		TRY(parse_header(line, &ret->headers[ret->header_count]));
		ret->header_count++;
	}
	return 0;
}

/* RFC 9112 2.3: HTTP/DIGIT.DIGIT, and of these only 1.0 and 1.1. */
static int parse_version(struct span s, unsigned *ret_minor)
{
	if (s.len != 8 || !span_starts(s, "HTTP/") || s.ptr[6] != '.' ||
	    s.ptr[5] < '0' || s.ptr[5] > '9' || s.ptr[7] < '0' ||
	    s.ptr[7] > '9')
		return -EBADMSG;
	if (s.ptr[5] != '1' || s.ptr[7] > '1')
		return -EPROTONOSUPPORT;
	*ret_minor = (unsigned)(s.ptr[7] - '0');
	return 0;
}

/* RFC 9112 3.2.1, as wide as what clients send: visible ASCII but '#'. */
static bool is_origin_form(struct span target)
{
	if (!span_starts(target, "/"))
		return false;
	for (size_t i = 0; i < target.len; i++) {
		uint8_t c = target.ptr[i];

		if (c <= ' ' || c >= 0x7f || c == '#')
			return false;
	}
	return true;
}

static int parse_request_line(struct span line, struct http_head *ret)
{
	struct span rest = line;

	ret->method = take_until(&rest, ' ');
	ret->target = take_until(&rest, ' ');
	if (!http_is_token(ret->method))
		return -EBADMSG;
	TRY(parse_version(rest, &ret->minor));
	/* CONNECT has no origin-form, RFC 9112 3.2.3. */
	if (!is_origin_form(ret->target) || span_is(ret->method, "CONNECT"))
		return -EBADMSG;
	ret->query = ret->target;
	ret->path = take_until(&ret->query, '?');
	return 0;
}

static int parse_status_line(struct span line, struct http_head *ret)
{
	struct span rest = line;
	struct span code;
	uint64_t status = 0;

	TRY(parse_version(take_until(&rest, ' '), &ret->minor));
	code = take_until(&rest, ' ');
	if (code.len != 3 || num_parse(code, 100, 599, &status) < 0)
		return -EBADMSG;
	ret->status = (unsigned)status;
	ret->reason = rest;
	return 0;
}

static size_t count_headers(const struct http_head *head, const char *name,
			    struct span *ret_last)
{
	size_t count = 0;

	for (size_t i = 0; i < head->header_count; i++) {
		if (!span_is_nocase(head->headers[i].name, name))
			continue;
		*ret_last = head->headers[i].value;
		count++;
	}
	return count;
}

/* Whether one of the headers @name lists @member; they are all lists. */
static bool lists_member(const struct http_head *head, const char *name,
			 const char *member)
{
	for (size_t i = 0; i < head->header_count; i++) {
		struct span list = head->headers[i].value;

		if (!span_is_nocase(head->headers[i].name, name))
			continue;
		while (list.len > 0) {
			if (span_is_nocase(trim(take_until(&list, ',')),
					   member))
				return true;
		}
	}
	return false;
}

/*
 * RFC 9112 6.1, 7.1: "chunked" exactly once, last. Other codings before it are
 * legal and not ours; everything else leaves the length in doubt.
 */
static int check_coding(struct span value)
{
	struct span list = value;
	size_t chunked = 0;
	size_t others = 0;
	bool is_last = false;

	if (span_is_nocase(value, "chunked"))
		return 0;
	while (list.len > 0) {
		struct span coding = trim(take_until(&list, ','));

		is_last = span_is_nocase(coding, "chunked");
		if (coding.len == 0)
			return -EBADMSG;
		chunked += is_last;
		others += !is_last;
	}
	return is_last && chunked == 1 && others > 0 ? -ENOSYS : -EBADMSG;
}

/* All Content-Length lines, which must agree. */
static int parse_lengths(struct http_head *head)
{
	bool is_first = true;

	for (size_t i = 0; i < head->header_count; i++) {
		uint64_t length = 0;

		if (!span_is_nocase(head->headers[i].name, "content-length"))
			continue;
		if (num_parse(head->headers[i].value, 0, HTTP_LENGTH_MAX,
			      &length) < 0)
			return -EBADMSG;
		if (!is_first && length != head->content_length)
			return -EBADMSG;
		head->content_length = length;
		is_first = false;
	}
	head->framing = HTTP_LENGTH;
	return 0;
}

/* RFC 9112 6.3, what requests and responses share; leaves HTTP_NO_BODY. */
static int parse_framing(struct http_head *head, size_t lengths_max)
{
	struct span value = span_of(NULL, 0);
	size_t lengths = count_headers(head, "content-length", &value);
	size_t codings = count_headers(head, "transfer-encoding", &value);

	if (codings > 1 || lengths > lengths_max ||
	    (codings > 0 && (lengths > 0 || head->minor == 0)))
		return -EBADMSG;
	if (codings > 0) {
		TRY(check_coding(value));
		head->framing = HTTP_CHUNKED;
		return 0;
	}
	return lengths > 0 ? parse_lengths(head) : 0;
}

/* RFC 9110 7.2: the bytes of a reg-name or address, and a port. */
static bool is_host(struct span s)
{
	static const char PUNCTUATION[] = "-._~%!$&'()*+,;=:[]";

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		uint8_t letter = (uint8_t)(c | 0x20u);

		if ((c < '0' || c > '9') && (letter < 'a' || letter > 'z') &&
		    memchr(PUNCTUATION, c, sizeof(PUNCTUATION) - 1) == NULL)
			return false;
	}
	return true;
}

/* RFC 9112 3.2 */
static int check_host(const struct http_head *head)
{
	struct span host = span_of(NULL, 0);
	size_t hosts = count_headers(head, "host", &host);

	if (hosts > 1 || (hosts == 0 && head->minor == 1) || !is_host(host))
		return -EBADMSG;
	return 0;
}

/* RFC 9112 9.3 */
static bool wants_keep_alive(const struct http_head *head)
{
	if (lists_member(head, "connection", "close"))
		return false;
	return head->minor == 1 ||
	       lists_member(head, "connection", "keep-alive");
}

/* Makes @ret an empty head without touching its 64 headers. */
static void clear_head(struct http_head *ret)
{
	memset(ret, 0, offsetof(struct http_head, headers));
	ret->header_count = 0;
}

int http_parse_request(struct span in, struct http_head *ret, size_t *ret_used)
{
	struct http_scan scan = { 0 };
	struct span rest = span_of(NULL, 0);
	size_t used = 0;
	int r = http_scan_head(&scan, in, &used);

	if (r <= 0)
		return r;
	rest = span_to(in, used);
	clear_head(ret);
	TRY(parse_request_line(take_line(&rest), ret));
	TRY(parse_headers(rest, ret));
	TRY(check_host(ret));
	TRY(parse_framing(ret, 1));
	ret->is_keep_alive = wants_keep_alive(ret);
	/* RFC 9110 10.1.1: an expectation of a 1.0 client is ignored. */
	ret->expects_continue = ret->minor == 1 &&
				lists_member(ret, "expect", "100-continue");
	*ret_used = used;
	return 1;
}

int http_parse_response(struct span in, bool to_head, struct http_head *ret,
			size_t *ret_used)
{
	struct http_scan scan = { 0 };
	struct span rest = span_of(NULL, 0);
	size_t used = 0;
	int r = http_scan_head(&scan, in, &used);

	if (r <= 0)
		return r;
	rest = span_to(in, used);
	clear_head(ret);
	TRY(parse_status_line(take_line(&rest), ret));
	TRY(parse_headers(rest, ret));
	TRY(parse_framing(ret, HTTP_HEADERS_MAX));
	/* RFC 9112 6.3 rules 1 and 8 */
	if (to_head || ret->status < 200 || ret->status == 204 ||
	    ret->status == 304)
		ret->framing = HTTP_NO_BODY;
	else if (ret->framing == HTTP_NO_BODY)
		ret->framing = HTTP_UNTIL_CLOSE;
	ret->is_keep_alive = wants_keep_alive(ret) &&
			     ret->framing != HTTP_UNTIL_CLOSE;
	*ret_used = used;
	return 1;
}

bool http_find(const struct http_head *head, const char *name, struct span *ret)
{
	for (size_t i = 0; i < head->header_count; i++) {
		if (span_is_nocase(head->headers[i].name, name)) {
			*ret = head->headers[i].value;
			return true;
		}
	}
	return false;
}

/* ---- query strings ---- */

/* Cuts one decoded byte off the front of @in, which is not empty. */
static int take_decoded(struct span *in, uint8_t *ret)
{
	uint64_t value = 0;
	uint8_t c = in->ptr[0];

	if (c != '%') {
		*ret = c == '+' ? ' ' : c;
		*in = span_from(*in, 1);
		return 0;
	}
	if (in->len < 3 || num_parse_hex(span_of(in->ptr + 1, 2), &value) < 0 ||
	    value == 0)
		return -EBADMSG;
	*ret = (uint8_t)value;
	*in = span_from(*in, 3);
	return 0;
}

/* 1 if @encoded decodes to @name, 0 if not. */
static int decodes_to(struct span encoded, const char *name)
{
	bool is_same = true;

	while (encoded.len > 0) {
		uint8_t c = 0;

		TRY(take_decoded(&encoded, &c));
		is_same = is_same && *name != '\0' && c == (uint8_t)*name;
		name += is_same;
	}
	return is_same && *name == '\0';
}

static int decode_str(struct span encoded, char *ret, size_t ret_cap)
{
	size_t len = 0;

	while (encoded.len > 0) {
		uint8_t c = 0;

		TRY(take_decoded(&encoded, &c));
		if (len + 1 >= ret_cap)
			return -ENAMETOOLONG;
		ret[len++] = (char)c;
	}
	if (len >= ret_cap)
		return -ENAMETOOLONG;
	ret[len] = '\0';
	return 1;
}

int http_query_get(struct span query, const char *name, char *ret,
		   size_t ret_cap)
{
	while (query.len > 0) {
		struct span value = take_until(&query, '&');
		struct span key = take_until(&value, '=');
		int r = decodes_to(key, name);

		if (r < 0)
			return r;
		if (r > 0)
			return decode_str(value, ret, ret_cap);
	}
	return 0;
}

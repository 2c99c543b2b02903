// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 heads and bodies. Vectors are named by the section of RFC 9112 (or
// RFC 9110 where it says so) that they test. Each is also read cut at every
// byte, with the same outcome (invariant 1 of http1.c).

#include "wire/http1.h"

#include "tap.h"

#define V(name, text, want) { name, text, sizeof(text) - 1, want }

struct vector {
	const char *name;
	const char *text;
	size_t len;
	int want;
};

static struct http_head head;

static int request(const char *text)
{
	size_t used = 0;

	return http_parse_request(span_str(text), &head, &used);
}

static int response(const char *text)
{
	size_t used = 0;

	return http_parse_response(span_str(text), false, &head, &used);
}

typedef int parse_fn(struct span in, size_t *ret_used);

static int parse_request(struct span in, size_t *ret_used)
{
	return http_parse_request(in, &head, ret_used);
}

static int parse_response(struct span in, size_t *ret_used)
{
	return http_parse_response(in, false, &head, ret_used);
}

/* As a connection does: scan what arrives, parse once the end was found. */
static int parse_cut(parse_fn *parse, struct span in, size_t step,
		     size_t *ret_used)
{
	struct http_scan scan = { 0 };
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < in.len) {
		size_t used = 0;

		r = http_scan_head(&scan, span_to(span_from(in, at), step),
				   &used);
		at += r < 0 ? 0 : used;
	}
	return r == 1 ? parse(span_to(in, at), ret_used) : r;
}

/* Whole, in steps of every size, and every prefix. */
static void check_vector(parse_fn *parse, const struct vector *v)
{
	struct span in = span_of(v->text, v->len);
	size_t used = 0;
	size_t used_cut = 0;
	bool is_good = CHECK_EQ(parse(in, &used), v->want);

	for (size_t step = 1; step <= in.len; step++) {
		is_good &= CHECK_EQ(parse_cut(parse, in, step, &used_cut),
				    v->want);
		is_good &= CHECK_EQ(used_cut, used);
	}
	for (size_t len = 0; len < in.len; len++) {
		int r = parse(span_to(in, len), &used_cut);

		is_good &= CHECK(r == 0 || r == v->want);
		is_good &= CHECK(r != 1 || len >= used);
	}
	if (!is_good)
		printf("# in: %s\n", v->name);
}

#define CHECK_VECTORS(parse, list)                                             \
	do {                                                                   \
		for (size_t i_ = 0; i_ < ARRAY_LEN(list); i_++)                \
			check_vector(parse, &(list)[i_]);                      \
	} while (0)

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n" H

TEST(requests_that_are_taken)
{
	static const struct vector LIST[] = {
		V("3 a request line", GET "\r\n", 1),
		V("3.1 any token is a method",
		  "M!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" H "\r\n", 1),
		V("3.2.1 origin-form with a query",
		  "GET /a//b;c?d=/?e HTTP/1.1\r\n" H "\r\n", 1),
		V("3.2.1 what clients leave unescaped",
		  "GET /{|}^[\\]\"<>`? HTTP/1.1\r\n" H "\r\n", 1),
		V("2.3 version 1.0 needs no Host", "GET / HTTP/1.0\r\n\r\n", 1),
		V("3.2 Host may be empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
		  1),
		V("3.2 Host with a port",
		  "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 1),
		V("5.1 no blank, many blanks, tabs",
		  GET "A:b\r\nC: \t d \t \r\n\r\n", 1),
		V("5 an empty value", GET "A:\r\nB: \r\n\r\n", 1),
		V("9110 5.5 obs-text in a value", GET "A: \xc3\xa9\xff\r\n\r\n",
		  1),
		V("6.2 a length", GET "Content-Length: 0\r\n\r\n", 1),
		V("6.2 leading zeros", GET "Content-Length: 0007\r\n\r\n", 1),
		V("6.2 2^63-1",
		  GET "Content-Length: 9223372036854775807\r\n\r\n", 1),
		V("6.1 chunked", GET "Transfer-Encoding: CHUNKED\r\n\r\n", 1),
		V("9 what follows is another message's", GET "\r\nGET", 1),
	};

	CHECK_VECTORS(parse_request, LIST);
}

TEST(requests_with_a_bad_line_are_refused)
{
	static const struct vector LIST[] = {
		V("2.2 bare LF ends the line", "GET / HTTP/1.1\n" H "\r\n",
		  -EBADMSG),
		V("2.2 bare LF ends a header",
		  "GET / HTTP/1.1\r\nHost: a\n\r\n", -EBADMSG),
		V("2.2 bare LF is the blank line", GET "\n", -EBADMSG),
		V("2.2 bare CR in the line", "GET /\r HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("2.2 bare CR in a value", GET "A: b\rc\r\n\r\n", -EBADMSG),
		V("2.2 CR CR LF", GET "A: b\r\r\n\r\n", -EBADMSG),
		V("2.2 an empty line first", "\r\n" GET "\r\n", -EBADMSG),
		V("2.2 a blank line after the first",
		  "GET / HTTP/1.1\r\n Host: a\r\n\r\n", -EBADMSG),
		V("3 two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("3 a tab", "GET\t/ HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("3 a blank before", " GET / HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("3 a blank behind", "GET / HTTP/1.1 \r\n" H "\r\n", -EBADMSG),
		V("3 a blank in the target", "GET /a b HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("3 no version (0.9)", "GET /\r\n\r\n", -EBADMSG),
		V("3 no method", "/ HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("3.1 a method that is no token",
		  "G(T / HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("2.3 lower case", "GET / http/1.1\r\n" H "\r\n", -EBADMSG),
		V("2.3 two digits", "GET / HTTP/1.10\r\n" H "\r\n", -EBADMSG),
		V("2.3 no dot", "GET / HTTP/1,1\r\n" H "\r\n", -EBADMSG),
		V("2.3 no digit", "GET / HTTP/1.x\r\n" H "\r\n", -EBADMSG),
		V("2.3 version 1.2", "GET / HTTP/1.2\r\n" H "\r\n",
		  -EPROTONOSUPPORT),
		V("2.3 version 0.9", "GET / HTTP/0.9\r\n" H "\r\n",
		  -EPROTONOSUPPORT),
		V("2.3 the preface of HTTP/2",
		  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", -EPROTONOSUPPORT),
		V("3.2.2 absolute-form", "GET http://a/ HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("3.2.3 authority-form", "CONNECT a:80 HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("3.2.3 CONNECT with a path",
		  "CONNECT / HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("3.2.4 asterisk-form", "OPTIONS * HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("3.2.1 a fragment", "GET /#a HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("3.2.1 not ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n",
		  -EBADMSG),
		V("3.2.1 NUL", "GET /\0 HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("3.2.1 DEL", "GET /\x7f HTTP/1.1\r\n" H "\r\n", -EBADMSG),
		V("a TLS client hello", "\x16\x03\x01\x02\0\x01", -EBADMSG),
	};

	CHECK_VECTORS(parse_request, LIST);
}

TEST(requests_with_a_bad_header_are_refused)
{
	static const struct vector LIST[] = {
		V("5.1 a blank before the colon", GET "A : b\r\n\r\n",
		  -EBADMSG),
		V("5.1 a tab before the colon", GET "A\t: b\r\n\r\n", -EBADMSG),
		V("5.1 no colon", GET "A\r\n\r\n", -EBADMSG),
		V("5.1 an empty name", GET ": b\r\n\r\n", -EBADMSG),
		V("5.1 a name that is no token", GET "A(: b\r\n\r\n", -EBADMSG),
		V("5.1 obs-text in a name", GET "A\xe9: b\r\n\r\n", -EBADMSG),
		V("5.1 a blank in a name", GET "A B: c\r\n\r\n", -EBADMSG),
		V("5.2 obs-fold", GET "A: b\r\n c\r\n\r\n", -EBADMSG),
		V("5.2 obs-fold with a colon", GET "A: b\r\n\tC: d\r\n\r\n",
		  -EBADMSG),
		V("5.2 a line of blanks", GET "A: b\r\n \r\n\r\n", -EBADMSG),
		V("9110 5.5 NUL", GET "A: b\0c\r\n\r\n", -EBADMSG),
		V("9110 5.5 NUL in a name", GET "A\0: b\r\n\r\n", -EBADMSG),
		V("9110 5.5 a control byte", GET "A: \x01\r\n\r\n", -EBADMSG),
		V("9110 5.5 vertical tab", GET "A: b\x0b\r\n\r\n", -EBADMSG),
		V("9110 5.5 DEL", GET "A: \x7f\r\n\r\n", -EBADMSG),
		V("3.2 no Host", "GET / HTTP/1.1\r\n\r\n", -EBADMSG),
		V("3.2 two Hosts", GET H "\r\n", -EBADMSG),
		V("3.2 two Hosts in 1.0",
		  "GET / HTTP/1.0\r\n" H "HOST: b\r\n\r\n", -EBADMSG),
		V("3.2 a Host with a path",
		  "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", -EBADMSG),
		V("3.2 a Host with a user",
		  "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", -EBADMSG),
		V("3.2 a Host with a blank",
		  "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", -EBADMSG),
		V("3.2 a Host that is not ASCII",
		  "GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", -EBADMSG),
	};

	CHECK_VECTORS(parse_request, LIST);
}

TEST(requests_whose_length_is_in_doubt_are_refused)
{
#define CL "Content-Length: "
#define CODING "Transfer-Encoding: "
	static const struct vector LIST[] = {
		V("6.3 CL and TE", GET CL "5\r\n" CODING "chunked\r\n\r\n",
		  -EBADMSG),
		V("6.3 TE and CL", GET CODING "chunked\r\n" CL "5\r\n\r\n",
		  -EBADMSG),
		V("6.3 two CL", GET CL "5\r\n" CL "6\r\n\r\n", -EBADMSG),
		V("6.3 two equal CL", GET CL "5\r\n" CL "5\r\n\r\n", -EBADMSG),
		V("6.3 a CL list", GET CL "5, 5\r\n\r\n", -EBADMSG),
		V("6.2 a plus sign", GET CL "+5\r\n\r\n", -EBADMSG),
		V("6.2 a minus sign", GET CL "-5\r\n\r\n", -EBADMSG),
		V("6.2 hexadecimal", GET CL "0x5\r\n\r\n", -EBADMSG),
		V("6.2 no digit", GET CL "\r\n\r\n", -EBADMSG),
		V("6.2 a blank inside", GET CL "1 0\r\n\r\n", -EBADMSG),
		V("6.2 a fraction", GET CL "5.0\r\n\r\n", -EBADMSG),
		V("6.2 2^63", GET CL "9223372036854775808\r\n\r\n", -EBADMSG),
		V("6.2 2^64 - 1", GET CL "18446744073709551615\r\n\r\n",
		  -EBADMSG),
		V("6.2 2^64 + 1", GET CL "18446744073709551617\r\n\r\n",
		  -EBADMSG),
		V("6.1 two TE",
		  GET CODING "chunked\r\n" CODING "chunked\r\n\r\n", -EBADMSG),
		V("6.1 TE in 1.0",
		  "GET / HTTP/1.0\r\n" CODING "chunked\r\n\r\n", -EBADMSG),
		V("6.1 chunked twice", GET CODING "chunked, chunked\r\n\r\n",
		  -EBADMSG),
		V("6.1 chunked not last", GET CODING "chunked, gzip\r\n\r\n",
		  -EBADMSG),
		V("6.1 no chunked", GET CODING "gzip\r\n\r\n", -EBADMSG),
		V("6.1 identity", GET CODING "identity\r\n\r\n", -EBADMSG),
		V("6.1 empty", GET CODING "\r\n\r\n", -EBADMSG),
		V("6.1 an empty member", GET CODING ", chunked\r\n\r\n",
		  -EBADMSG),
		V("6.1 a trailing comma", GET CODING "chunked,\r\n\r\n",
		  -EBADMSG),
		V("6.1 a parameter", GET CODING "chunked;a=b\r\n\r\n",
		  -EBADMSG),
		V("6.1 quoted", GET CODING "\"chunked\"\r\n\r\n", -EBADMSG),
		V("6.1 nearly", GET CODING "xchunked\r\n\r\n", -EBADMSG),
		V("6.1 a control byte",
		  GET CODING "\x0b"
			     "chunked\r\n\r\n",
		  -EBADMSG),
		V("6.1 no-break space",
		  GET CODING "\xa0"
			     "chunked\r\n\r\n",
		  -EBADMSG),
		V("6.1 another coding before",
		  GET CODING "gzip, chunked\r\n\r\n", -ENOSYS),
	};

	CHECK_VECTORS(parse_request, LIST);
}

TEST(views_of_a_request)
{
	struct span value = span_str("kept");

	CHECK_EQ(request("POST /a%20b?c=d?e HTTP/1.1\r\nhOST: h\r\n"
			 "A: \t b  c \t\r\na: second\r\n"
			 "Content-Length: 12\r\n\r\nbody"),
		 1);
	CHECK(span_is(head.method, "POST"));
	CHECK(span_is(head.target, "/a%20b?c=d?e"));
	CHECK(span_is(head.path, "/a%20b"));
	CHECK(span_is(head.query, "c=d?e"));
	CHECK_EQ(head.minor, 1);
	CHECK_EQ(head.framing, HTTP_LENGTH);
	CHECK_EQ(head.content_length, 12);
	CHECK_EQ(head.header_count, 4);
	CHECK(head.is_keep_alive && !head.expects_continue);
	CHECK(http_find(&head, "A", &value) && span_is(value, "b  c"));
	CHECK(!http_find(&head, "absent", &value) && span_is(value, "b  c"));
	CHECK(request("GET / HTTP/1.1\r\n" H "\r\n") == 1 &&
	      head.framing == HTTP_NO_BODY && head.query.len == 0);
}

TEST(rfc9112_9_3_persistence)
{
	static const struct {
		const char *version;
		const char *lines;
		bool is_keep_alive;
	} LIST[] = {
		{ "1.1", "", true },
		{ "1.1", "Connection: close\r\n", false },
		{ "1.1", "Connection: CLOSE\r\n", false },
		{ "1.1", "Connection: a, close\r\n", false },
		{ "1.1", "Connection: a ,close,b\r\n", false },
		{ "1.1", "Connection: a\r\nConnection: close\r\n", false },
		{ "1.1", "Connection: keep-alive, close\r\n", false },
		{ "1.1", "Connection: closed, xclose, close x\r\n", true },
		{ "1.1", "Connection: ,,\r\n", true },
		{ "1.0", "", false },
		{ "1.0", "Connection: keep-alive\r\n", true },
		{ "1.0", "Connection: Keep-Alive, a\r\n", true },
		{ "1.0", "Connection: keep-alive\r\nConnection: close\r\n",
		  false },
	};

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "GET / HTTP/%s\r\n" H "%s\r\n", LIST[i].version,
			       LIST[i].lines);
		CHECK_EQ(request(text), 1);
		if (!CHECK_EQ(head.is_keep_alive, LIST[i].is_keep_alive))
			printf("# in: %s\n", LIST[i].lines);
	}
}

TEST(rfc9110_10_1_1_expectations)
{
	CHECK(request(GET "Expect: 100-Continue\r\n\r\n") == 1 &&
	      head.expects_continue);
	CHECK(request(GET "Expect: other\r\n\r\n") == 1 &&
	      !head.expects_continue);
	CHECK(request("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n") == 1 &&
	      !head.expects_continue);
}

TEST(limits_of_a_head_are_exact)
{
	static char text[HTTP_HEAD_MAX_BYTES + 64];
	const size_t fixed = sizeof(GET "A: \r\n\r\n") - 1;

	for (size_t over = 0; over < 3; over++) {
		struct vector v = { "3 the head's maximum", text, 0, 0 };
		int fill = (int)(HTTP_HEAD_MAX_BYTES - fixed + over);
		size_t used = 0;

		v.len = (size_t)snprintf(text, sizeof(text),
					 GET "A: %0*d\r\n\r\n", fill, 0);
		CHECK_EQ(v.len, HTTP_HEAD_MAX_BYTES + over);
		CHECK_EQ(parse_request(span_of(text, v.len), &used),
			 over == 0 ? 1 : -E2BIG);
		CHECK_EQ(parse_cut(parse_request, span_of(text, v.len), 1,
				   &used),
			 over == 0 ? 1 : -E2BIG);
	}
	memset(text, 'a', sizeof(text) - 1);
	CHECK_EQ(request(text), -E2BIG);
}

TEST(limits_of_headers_are_exact)
{
	for (size_t count = HTTP_HEADERS_MAX - 1; count < HTTP_HEADERS_MAX + 2;
	     count++) {
		char text[1024] = GET;

		for (size_t i = 1; i < count; i++)
			(void)snprintf(text + strlen(text), 8, "A: b\r\n");
		(void)snprintf(text + strlen(text), 8, "\r\n");
		CHECK_EQ(request(text), count <= HTTP_HEADERS_MAX ? 1 : -E2BIG);
	}
}

#define OK "HTTP/1.1 200 OK\r\n"

TEST(responses)
{
	static const struct vector LIST[] = {
		V("4 a status line", OK "\r\n", 1),
		V("4 an empty reason", "HTTP/1.1 200 \r\n\r\n", 1),
		V("4 a missing reason", "HTTP/1.1 200\r\n\r\n", 1),
		V("4 a reason with blanks and obs-text",
		  "HTTP/1.1 404 Not \t f\xfcnd\r\n\r\n", 1),
		V("4 version 1.0", "HTTP/1.0 200 OK\r\n\r\n", 1),
		V("6.3 equal CL count once", OK CL "5\r\n" CL "05\r\n\r\n", 1),
		V("4 two digits", "HTTP/1.1 20 OK\r\n\r\n", -EBADMSG),
		V("4 four digits", "HTTP/1.1 2000 OK\r\n\r\n", -EBADMSG),
		V("4 below 100", "HTTP/1.1 099 OK\r\n\r\n", -EBADMSG),
		V("4 above 599", "HTTP/1.1 600 OK\r\n\r\n", -EBADMSG),
		V("4 no number", "HTTP/1.1 +20 OK\r\n\r\n", -EBADMSG),
		V("4 two blanks", "HTTP/1.1  200 OK\r\n\r\n", -EBADMSG),
		V("4 another version", "HTTP/2.0 200 OK\r\n\r\n",
		  -EPROTONOSUPPORT),
		V("4 another protocol", "ICY 200 OK\r\n\r\n", -EBADMSG),
		V("2.2 an empty line first", "\r\n" OK "\r\n", -EBADMSG),
		V("2.2 bare LF", "HTTP/1.1 200 OK\n\r\n", -EBADMSG),
		V("5.1 a blank before the colon", OK "A : b\r\n\r\n", -EBADMSG),
		V("5.2 obs-fold", OK "A: b\r\n c\r\n\r\n", -EBADMSG),
		V("6.3 CL and TE", OK CL "5\r\n" CODING "chunked\r\n\r\n",
		  -EBADMSG),
		V("6.3 unequal CL", OK CL "5\r\n" CL "6\r\n\r\n", -EBADMSG),
		V("6.3 a bad CL", OK CL "x\r\n\r\n", -EBADMSG),
		V("6.3 a bad second CL", OK CL "5\r\n" CL "\r\n\r\n", -EBADMSG),
		V("6.1 TE in 1.0",
		  "HTTP/1.0 200 OK\r\n" CODING "chunked\r\n\r\n", -EBADMSG),
		V("6.1 two TE",
		  OK CODING "chunked\r\n" CODING "chunked\r\n\r\n", -EBADMSG),
		V("6.1 another coding", OK CODING "gzip, chunked\r\n\r\n",
		  -ENOSYS),
	};

	CHECK_VECTORS(parse_response, LIST);
}

TEST(rfc9112_6_3_framing_of_responses)
{
	static const struct {
		const char *text;
		enum http_framing framing;
		bool is_keep_alive;
	} LIST[] = {
		{ OK CL "5\r\n\r\n", HTTP_LENGTH, true },
		{ OK CL "0\r\n\r\n", HTTP_LENGTH, true },
		{ OK CODING "chunked\r\n\r\n", HTTP_CHUNKED, true },
		{ OK "\r\n", HTTP_UNTIL_CLOSE, false },
		{ "HTTP/1.0 200 OK\r\n\r\n", HTTP_UNTIL_CLOSE, false },
		{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
		  HTTP_UNTIL_CLOSE, false },
		{ "HTTP/1.1 204 No Content\r\n" CL "5\r\n\r\n", HTTP_NO_BODY,
		  true },
		{ "HTTP/1.1 304 x\r\n" CODING "chunked\r\n\r\n", HTTP_NO_BODY,
		  true },
		{ "HTTP/1.1 100 Continue\r\n\r\n", HTTP_NO_BODY, true },
	};
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++) {
		CHECK_EQ(response(LIST[i].text), 1);
		CHECK_EQ(head.framing, LIST[i].framing);
		CHECK_EQ(head.is_keep_alive, LIST[i].is_keep_alive);
	}
	CHECK_EQ(http_parse_response(span_str(LIST[0].text), true, &head,
				     &used),
		 1);
	CHECK_EQ(head.framing, HTTP_NO_BODY);
	CHECK_EQ(response("HTTP/1.1 404 Not Found\r\n\r\n"), 1);
	CHECK(head.status == 404 && span_is(head.reason, "Not Found"));
}

/* ---- bodies ---- */

struct body_vector {
	const char *name;
	const char *text;
	size_t len;
	const char *want; /* decoded; NULL for a refusal */
	const char *left; /* behind the body */
};

#define B(name, text, want, left) { name, text, sizeof(text) - 1, want, left }

/* Decodes cut at @cut and then in steps; -EBADMSG, 0 (more), 1 (done). */
static int decode(struct http_body b, struct span in, size_t cut, size_t step,
		  struct buf *out)
{
	size_t at = 0; /* bytes taken */
	size_t seen = cut;
	int r = 0;

	do {
		struct span window = span_to(span_from(in, at), seen - at);
		struct span piece = span_of(NULL, 0);
		size_t before = window.len;

		r = http_body_next(&b, &window, &piece);
		at += before - window.len;
		if (r < 0 && CHECK_EQ(http_body_next(&b, &window, &piece), r))
			return r;
		if (r == 1 && (!CHECK(piece.len > 0) || buf_put(out, piece)))
			return -ENOMEM;
		if (r == 1 || b.is_done)
			continue;
		CHECK_EQ(at, seen);
		if (seen == in.len)
			return 0;
		seen = in.len - seen < step ? in.len : seen + step;
	} while (!b.is_done);
	return buf_put(out, span_from(in, at)) < 0 ? -ENOMEM : 1;
}

static void check_body(enum http_framing framing, uint64_t length,
		       const struct body_vector *v)
{
	struct http_head of = { .framing = framing, .content_length = length };
	struct http_body b = { 0 };

	http_body_init(&b, &of);
	for (size_t cut = 0; cut <= v->len; cut++) {
		for (size_t step = 1; step <= v->len; step += v->len - 1) {
			CLEANUP(buf_fini) struct buf out = BUF_EMPTY(1 << 20);
			CLEANUP(buf_fini) struct buf want = BUF_EMPTY(1 << 20);
			int r = decode(b, span_of(v->text, v->len), cut, step,
				       &out);
			bool is_good = CHECK_EQ(r, v->want ? 1 : -EBADMSG);

			if (v->want != NULL)
				is_good &= CHECK(
					buf_put_str(&want, v->want) == 0 &&
					buf_put_str(&want, v->left) == 0 &&
					span_eq(buf_span(&out),
						buf_span(&want)));
			if (!is_good)
				printf("# in: %s, cut at %zu\n", v->name, cut);
		}
	}
}

TEST(chunked_bodies_that_are_taken)
{
	static const struct body_vector LIST[] = {
		B("7.1 one chunk", "5\r\nhello\r\n0\r\n\r\nrest", "hello",
		  "rest"),
		B("7.1 several", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", ""),
		B("7.1 empty", "0\r\n\r\n", "", ""),
		B("7.1 many zeros", "000\r\n\r\n\r\n", "", "\r\n"),
		B("7.1 hexadecimal",
		  "0a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n",
		  "01234567890123456789a", ""),
		B("7.1 data like framing", "7\r\n0\r\n\r\nab\r\n0\r\n\r\n",
		  "0\r\n\r\nab", ""),
		B("7.1 16 digits", "0000000000000001\r\nx\r\n0\r\n\r\n", "x",
		  ""),
		B("7.1.1 extensions",
		  "1;a\r\nx\r\n1;a=b;c=\"d;\\\"\\\\ e\"\r\ny\r\n0;z\r\n\r\n",
		  "xy", ""),
		B("7.1.2 trailers are dropped",
		  "1\r\nx\r\n0\r\nA: b\r\nC:\td \"\\\r\n\r\nrest", "x", "rest"),
	};

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		check_body(HTTP_CHUNKED, 0, &LIST[i]);
}

TEST(chunked_bodies_that_are_refused)
{
	static const struct body_vector LIST[] = {
		B("7.1 no size", "\r\nx\r\n0\r\n\r\n", NULL, NULL),
		B("7.1 no digit", "g\r\nx\r\n", NULL, NULL),
		B("7.1 a plus sign", "+1\r\nx\r\n", NULL, NULL),
		B("7.1 a minus sign", "-1\r\nx\r\n", NULL, NULL),
		B("7.1 0x", "0x1\r\nx\r\n", NULL, NULL),
		B("7.1 an underscore", "1_0\r\n0123456789abcdef\r\n", NULL,
		  NULL),
		B("7.1 a blank before", " 1\r\nx\r\n", NULL, NULL),
		B("7.1 a blank behind", "1 \r\nx\r\n", NULL, NULL),
		B("7.1 bare LF behind the size", "1\nx\r\n", NULL, NULL),
		B("7.1 bare CR behind the size", "1\rx\r\n", NULL, NULL),
		B("7.1 bare LF behind the data", "1\r\nx\n0\r\n\r\n", NULL,
		  NULL),
		B("7.1 bare CR behind the data", "1\r\nx\r0\r\n\r\n", NULL,
		  NULL),
		B("7.1 more data than said", "1\r\nxy\r\n0\r\n\r\n", NULL,
		  NULL),
		B("7.1 2^63", "8000000000000000\r\nx", NULL, NULL),
		B("7.1 2^64 - 1", "ffffffffffffffff\r\nx", NULL, NULL),
		B("7.1 2^64 + 1", "10000000000000001\r\nx", NULL, NULL),
		B("7.1 NUL in the size", "1\0\r\nx\r\n", NULL, NULL),
		B("7.1 17 digits", "00000000000000001\r\nx\r\n", NULL, NULL),
		B("7.1.1 bare LF in an extension", "1;a\nb\r\nx\r\n", NULL,
		  NULL),
		B("7.1.1 a blank before one", "1 ;a\r\nx\r\n", NULL, NULL),
		B("7.1.1 a blank inside", "1; a\r\nx\r\n", NULL, NULL),
		B("7.1.1 no name", "1;\r\nx\r\n", NULL, NULL),
		B("7.1.1 no value", "1;a=\r\nx\r\n", NULL, NULL),
		B("7.1.1 an open quote", "1;a=\"\r\nx\r\n", NULL, NULL),
		B("7.1.1 text behind a quote", "1;a=\"b\"c\r\nx\r\n", NULL,
		  NULL),
		B("7.1.1 an escaped CR", "1;a=\"\\\r\nx\r\n", NULL, NULL),
		B("7.1.2 bare LF ends the trailers", "0\r\n\n", NULL, NULL),
		B("7.1.2 bare LF in a trailer", "0\r\nA: b\n\r\n", NULL, NULL),
		B("7.1.2 a trailer without a colon", "0\r\nA\r\n\r\n", NULL,
		  NULL),
		B("7.1.2 a fold", "0\r\nA: b\r\n c\r\n\r\n", NULL, NULL),
		B("7.1.2 a blank before the colon", "0\r\nA : b\r\n\r\n", NULL,
		  NULL),
		B("7.1.2 NUL", "0\r\nA: \0\r\n\r\n", NULL, NULL),
		B("7.1.2 another message", "0\r\nGET / HTTP/1.1\r\n\r\n", NULL,
		  NULL),
	};

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		check_body(HTTP_CHUNKED, 0, &LIST[i]);
}

/* Decodes @fill letters between @before and @behind. */
static int decode_filled(const char *before, size_t fill, const char *behind)
{
	static char letters[8192];
	static char whole[8192];
	struct http_head of = { .framing = HTTP_CHUNKED };
	struct http_body b = { 0 };
	struct span in = span_of(whole, 0);
	struct span piece = span_of(NULL, 0);
	int r = 1;

	memset(letters, 'a', fill);
	letters[fill] = '\0';
	in.len = (size_t)snprintf(whole, sizeof(whole), "%s%s%s", before,
				  letters, behind);
	http_body_init(&b, &of);
	while (r == 1)
		r = http_body_next(&b, &in, &piece);
	return r < 0 ? r : b.is_done;
}

TEST(limits_of_chunk_lines_and_trailers_are_exact)
{
	/* what the line and the trailers hold beside the letters */
	const size_t line = sizeof("1;\r\n") - 1;
	const size_t trailers = sizeof("A:\r\n\r\n") - 1;
	const size_t line_room = HTTP_CHUNK_LINE_MAX_BYTES - line;
	const size_t trailers_room = HTTP_TRAILERS_MAX_BYTES - trailers;
	static const char REST[] = "\r\nx\r\n0\r\n\r\n";

	CHECK_EQ(decode_filled("1;", line_room, REST), 1);
	CHECK_EQ(decode_filled("1;", line_room + 1, REST), -EBADMSG);
	CHECK_EQ(decode_filled("0\r\nA:", trailers_room, "\r\n\r\n"), 1);
	CHECK_EQ(decode_filled("0\r\nA:", trailers_room + 1, "\r\n\r\n"),
		 -EBADMSG);
}

TEST(bodies_with_a_length)
{
	static const struct body_vector LIST[] = {
		B("6.2 exactly", "hello", "hello", ""),
		B("6.2 and another message", "helloGET", "hello", "GET"),
	};
	struct http_head none = { .framing = HTTP_LENGTH };
	struct http_body b = { 0 };
	struct span in = span_str("x");
	struct span piece = span_of(NULL, 0);

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		check_body(HTTP_LENGTH, 5, &LIST[i]);
	CHECK_EQ(http_body_next(&b, &in, &piece), 0);
	http_body_init(&b, &none);
	CHECK(b.is_done);
	CHECK_EQ(http_body_next(&b, &in, &piece), 0);
	CHECK_EQ(in.len, 1);
}

TEST(rfc9112_6_3_a_body_until_close)
{
	struct http_head of = { .framing = HTTP_UNTIL_CLOSE };
	struct http_body b = { 0 };
	struct span in = span_str("abc");
	struct span piece = span_of(NULL, 0);

	http_body_init(&b, &of);
	CHECK_EQ(http_body_next(&b, &in, &piece), 1);
	CHECK(span_is(piece, "abc") && in.len == 0 && !b.is_done);
	CHECK_EQ(http_body_next(&b, &in, &piece), 0);
}

/* ---- queries and writing ---- */

TEST(query_parameters)
{
	static const struct {
		const char *query;
		int want;
		const char *value;
	} LIST[] = {
		{ "p=x", 1, "x" },
		{ "a=b&p=x&p=y", 1, "x" },
		{ "p=a%2Fb+c%2bd", 1, "a/b c+d" },
		{ "%70=x", 1, "x" },
		{ "p", 1, "" },
		{ "p=", 1, "" },
		{ "p=a=b", 1, "a=b" },
		{ "&&p=x", 1, "x" },
		{ "", 0, NULL },
		{ "pp=x&P=x&=p", 0, NULL },
		{ "p=%", -EBADMSG, NULL },
		{ "p=%4", -EBADMSG, NULL },
		{ "p=%4g", -EBADMSG, NULL },
		{ "p=%+4", -EBADMSG, NULL },
		{ "p=a%00b", -EBADMSG, NULL },
		{ "%zz=1&p=x", -EBADMSG, NULL },
		{ "a=%zz&p=x", 1, "x" },
		{ "p=1234567", 1, "1234567" },
		{ "p=12345678", -ENAMETOOLONG, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++) {
		char value[8] = "";
		int r = http_query_get(span_str(LIST[i].query), "p", value,
				       sizeof(value));

		if (!CHECK_EQ(r, LIST[i].want))
			printf("# in: %s\n", LIST[i].query);
		if (r == 1)
			CHECK_STR(value, LIST[i].value);
	}
}

TEST(written_pieces_are_what_the_parser_reads)
{
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(64);
	CLEANUP(buf_fini) struct buf small = BUF_EMPTY(12);

	CHECK_EQ(http_put_chunk(&out, span_str("0123456789abcdefg")), 0);
	CHECK_EQ(http_put_chunk(&out, span_of(NULL, 0)), 0);
	CHECK(span_is(buf_span(&out), "11\r\n0123456789abcdefg\r\n0\r\n\r\n"));
	CHECK_EQ(http_put_chunk(&small, span_str("12345678")), -E2BIG);
	CHECK_EQ(http_put_header(&small, "Name", span_str("value")), -E2BIG);
	CHECK_EQ(small.len, 0);
	out.len = 0;
	CHECK_EQ(http_put_header(&out, "Name", span_str("a\tb\xff")), 0);
	CHECK(span_is(buf_span(&out), "Name: a\tb\xff\r\n"));
}

TEST(a_header_cannot_be_injected)
{
	static const char BAD[] = "\r\n\1\x1f\x7f";
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(64);

	for (size_t i = 0; i < sizeof(BAD); i++) { /* the NUL, too */
		char value[] = { 'a', BAD[i], 'b' };

		CHECK_EQ(http_put_header(&out, "A", span_of(value, 3)),
			 -EINVAL);
	}
	CHECK_EQ(http_put_header(&out, "A:", span_str("b")), -EINVAL);
	CHECK_EQ(http_put_header(&out, "", span_str("b")), -EINVAL);
	CHECK_EQ(out.len, 0);
	CHECK_STR(http_status_text(431), "Request Header Fields Too Large");
	CHECK_STR(http_status_text(999), "Unknown");
}

TESTS(RUN(requests_that_are_taken), RUN(requests_with_a_bad_line_are_refused),
      RUN(requests_with_a_bad_header_are_refused),
      RUN(requests_whose_length_is_in_doubt_are_refused),
      RUN(views_of_a_request), RUN(rfc9112_9_3_persistence),
      RUN(rfc9110_10_1_1_expectations), RUN(limits_of_a_head_are_exact),
      RUN(limits_of_headers_are_exact), RUN(responses),
      RUN(rfc9112_6_3_framing_of_responses), RUN(chunked_bodies_that_are_taken),
      RUN(chunked_bodies_that_are_refused),
      RUN(limits_of_chunk_lines_and_trailers_are_exact),
      RUN(bodies_with_a_length), RUN(rfc9112_6_3_a_body_until_close),
      RUN(query_parameters), RUN(written_pieces_are_what_the_parser_reads),
      RUN(a_header_cannot_be_injected))

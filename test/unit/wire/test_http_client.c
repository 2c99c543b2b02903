// SPDX-License-Identifier: Apache-2.0
// The client's connection: alone with written responses, and back to back with
// the server's, random bodies in random pieces through random pipes.
// Numbers in names are the invariants of http_client.h.

#include "wire/http_client.h"

#include "http_drive.h"
#include "tap.h"

#define HOST "Host: a\r\n"

/* ---- with written responses ---- */

struct answer {
	unsigned heads;
	unsigned status;
	unsigned ends;
	unsigned fails;
	int code;
	struct buf body;
	bool starts_again; /* a request in on_end */
	int again;
};

static void on_head(struct http_client *c, const struct http_head *head)
{
	struct answer *a = c->owner;

	a->heads++;
	a->status = head->status;
}

static void on_body(struct http_client *c, struct span piece)
{
	struct answer *a = c->owner;

	CHECK(piece.len > 0);
	CHECK_EQ(buf_put(&a->body, piece), 0);
}

static void on_end(struct http_client *c)
{
	struct answer *a = c->owner;

	a->ends++;
	if (a->starts_again)
		a->again = http_client_start(c, "GET", span_str("/"),
					     span_str(HOST), 0);
}

static void on_fail(struct http_client *c, int code)
{
	struct answer *a = c->owner;

	a->fails++;
	a->code = code;
}

static const struct http_client_ops OPS = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
};

static void begin(struct http_client *c, struct answer *a, const char *method)
{
	*a = (struct answer){ .body = BUF_EMPTY(1 << 20) };
	http_client_init(c, &OPS, a);
	CHECK_EQ(http_client_start(c, method, span_str("/"), span_str(HOST), 0),
		 0);
	http_client_sent(c, http_client_output(c).len);
}

struct exchange {
	const char *name;
	const char *method;
	const char *response;
	bool is_closed;	 /* the server closes behind it */
	unsigned status; /* 0: no head */
	int code;	 /* of on_fail; 0: on_end */
	int feed;	 /* of the last http_client_feed() */
	const char *body;
	bool is_idle; /* afterwards */
};

static void check_cut(const struct exchange *x, size_t cut, size_t step)
{
	struct http_client c;
	struct answer a;
	size_t len = strlen(x->response);
	bool is_good = true;
	int r = 0;

	begin(&c, &a, x->method);
	for (size_t at = 0; at < len && r == 0; at = cut, cut += step) {
		struct span in = span_of(x->response + at,
					 (cut < len ? cut : len) - at);

		r = http_client_feed(&c, &in);
		is_good &= CHECK_EQ(in.len > 0 && r == 0, false);
	}
	if (x->is_closed)
		http_client_eof(&c);
	is_good &= CHECK_EQ(r, x->feed);
	is_good &= CHECK_EQ(a.heads, x->status != 0);
	is_good &= CHECK_EQ(a.status, x->status);
	is_good &= CHECK_EQ(a.ends, x->code == 0);
	is_good &= CHECK_EQ(a.fails, x->code != 0);
	is_good &= CHECK_EQ(a.code, x->code);
	is_good &= CHECK(x->code != 0 || span_is(buf_span(&a.body), x->body));
	is_good &= CHECK_EQ(http_client_is_idle(&c), x->is_idle);
	if (!is_good)
		printf("# in: %s, cut %zu\n", x->name, cut);
	http_client_fini(&c);
	buf_fini(&a.body);
}

static void check_exchange(const struct exchange *x)
{
	size_t len = strlen(x->response);

	check_cut(x, len, 1);
	check_cut(x, 1, 1);
	for (size_t cut = 1; cut < len; cut++)
		check_cut(x, cut, len);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define CL "Content-Length: "

TEST(responses_1_end_once)
{
	static const struct exchange LIST[] = {
		{ "a length", "GET", OK CL "2\r\n\r\nab", false, 200, 0, 0,
		  "ab", true },
		{ "no body", "GET", OK CL "0\r\n\r\n", false, 200, 0, 0, "",
		  true },
		{ "chunks", "GET",
		  OK
		  "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: t\r\n\r\n",
		  false, 200, 0, 0, "a", true },
		{ "204", "GET", "HTTP/1.1 204 x\r\n\r\n", false, 204, 0, 0, "",
		  true },
		{ "304 with a length", "GET",
		  "HTTP/1.1 304 x\r\n" CL "5\r\n\r\n", false, 304, 0, 0, "",
		  true },
		{ "HEAD", "HEAD", OK CL "5\r\n\r\n", false, 200, 0, 0, "",
		  true },
		{ "6.3 until close", "GET", OK "\r\nabc", true, 200, 0, 0,
		  "abc", false },
		{ "6.3 until close, empty", "GET", OK "\r\n", true, 200, 0, 0,
		  "", false },
		{ "9.6 close", "GET", OK CL "1\r\nConnection: close\r\n\r\na",
		  false, 200, 0, 0, "a", false },
		{ "9.3 1.0", "GET", "HTTP/1.0 200 OK\r\n" CL "1\r\n\r\na",
		  false, 200, 0, 0, "a", false },
		{ "1xx are swallowed", "GET",
		  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n" OK CL
		  "1\r\n\r\na",
		  false, 200, 0, 0, "a", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		check_exchange(&LIST[i]);
}

TEST(responses_1_fail_once)
{
	static const struct exchange LIST[] = {
		{ "no answer", "GET", "", true, 0, -ECONNRESET, 0, NULL,
		  false },
		{ "half a head", "GET", "HTTP/1.1 2", true, 0, -ECONNRESET, 0,
		  NULL, false },
		{ "half a body", "GET", OK CL "2\r\n\r\na", true, 200,
		  -ECONNRESET, 0, NULL, false },
		{ "half a chunk", "GET",
		  OK "Transfer-Encoding: chunked\r\n\r\n2\r\na", true, 200,
		  -ECONNRESET, 0, NULL, false },
		{ "no last chunk", "GET",
		  OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true, 200,
		  -ECONNRESET, 0, NULL, false },
		{ "only 1xx", "GET", "HTTP/1.1 100 Continue\r\n\r\n", true, 0,
		  -ECONNRESET, 0, NULL, false },
		{ "not HTTP", "GET", "SSH-2.0-x\r\n\r\n", true, 0, -EBADMSG,
		  -EBADMSG, NULL, false },
		{ "NUL", "GET", OK "A: \x01", true, 0, -EBADMSG, -EBADMSG, NULL,
		  false },
		{ "bad chunks", "GET", OK "Transfer-Encoding: chunked\r\n\r\nx",
		  true, 200, -EBADMSG, -EBADMSG, NULL, false },
		{ "both lengths", "GET",
		  OK CL "1\r\nTransfer-Encoding: chunked\r\n\r\n", true, 0,
		  -EBADMSG, -EBADMSG, NULL, false },
		{ "101 was not asked for", "GET", "HTTP/1.1 101 x\r\n\r\n",
		  true, 0, -EBADMSG, -EBADMSG, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		check_exchange(&LIST[i]);
}

TEST(bytes_that_nobody_asked_for_end_the_connection)
{
	struct http_client c;
	struct answer a;
	struct span in = span_str(OK CL "1\r\n\r\na" OK CL "1\r\n\r\nb");

	begin(&c, &a, "GET");
	a.starts_again = true;
	CHECK_EQ(http_client_feed(&c, &in), -EBADMSG);
	CHECK_EQ(a.ends, 1);
	CHECK_EQ(a.fails, 0);
	CHECK_EQ(a.again, -ENOTCONN);
	CHECK(span_is(buf_span(&a.body), "a"));
	http_client_fini(&c);
	buf_fini(&a.body);
}

TEST(an_idle_connection_expects_nothing)
{
	struct http_client c;
	struct answer a = { 0 };
	struct span in = span_str("H");

	http_client_init(&c, &OPS, &a);
	CHECK(http_client_is_idle(&c));
	CHECK_EQ(http_client_feed(&c, &in), -EBADMSG);
	CHECK(!http_client_is_idle(&c));
	http_client_eof(&c);
	CHECK_EQ(a.fails + a.ends, 0);
	http_client_fini(&c);
}

TEST(an_answer_before_the_request_was_sent_is_no_answer)
{
	struct http_client c;
	struct answer a;
	struct span in = span_str(OK CL "0\r\n\r\n");
	struct span early = span_str(OK CL "0\r\n\r\n");

	begin(&c, &a, "GET");
	a.starts_again = true;
	CHECK_EQ(http_client_feed(&c, &in), 0);
	CHECK_EQ(a.again, 0);
	CHECK_EQ(http_client_feed(&c, &early), -EBADMSG);
	CHECK_EQ(a.ends, 1);
	CHECK_EQ(a.fails, 1);
	http_client_fini(&c);
	buf_fini(&a.body);
}

TEST(requests_that_cannot_be_are_refused_and_nothing_is_written)
{
	static const char LONG[HTTP_HEAD_MAX_BYTES + 1];
	static const struct {
		const char *method;
		const char *target;
		const char *headers;
	} LIST[] = {
		{ "G T", "/", HOST },
		{ "", "/", HOST },
		{ "CONNECT", "/", HOST },
		{ "GET", "", HOST },
		{ "GET", "a", HOST },
		{ "GET", "/ HTTP/1.1\r\nA: b", HOST },
		{ "GET", "/\r\n", HOST },
		{ "GET", "/#a", HOST },
		{ "GET", "/", "" },
		{ "GET", "/", HOST HOST },
		{ "GET", "/", HOST "\r\n" },
		{ "GET", "/", HOST CL "5\r\n" },
		{ "GET", "/", HOST "Transfer-Encoding: chunked\r\n" },
		{ "GET", "/", HOST "Connection: close\r\n" },
		{ "POST", "/", HOST CL "0\r\n" },
		{ "GET", "/", "Host: a" },
		{ "GET", "/", HOST "\r\nGET / HTTP/1.1\r\n" HOST },
	};
	struct answer a = { 0 };
	struct http_client c;

	http_client_init(&c, &OPS, &a);
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++) {
		if (!CHECK_EQ(http_client_start(&c, LIST[i].method,
						span_str(LIST[i].target),
						span_str(LIST[i].headers), 0),
			      -EINVAL))
			printf("# in: %s %s %s\n", LIST[i].method,
			       LIST[i].target, LIST[i].headers);
		CHECK_EQ(http_client_output(&c).len, 0);
	}
	CHECK(http_client_start(&c, "GET", span_of(LONG, sizeof(LONG)),
				span_str(HOST), 0) < 0);
	CHECK_EQ(http_client_start(&c, "GET", span_str("/"), span_str(HOST), 0),
		 0);
	CHECK(span_is(http_client_output(&c),
		      "GET / HTTP/1.1\r\n" HOST "\r\n"));
	CHECK_EQ(http_client_start(&c, "GET", span_str("/"), span_str(HOST), 0),
		 -EBUSY);
	http_client_fini(&c);
}

TEST(a_body_keeps_its_announced_length)
{
	struct answer a = { 0 };
	struct http_client c;

	http_client_init(&c, &OPS, &a);
	CHECK_EQ(http_client_start(&c, "PUT", span_str("/"), span_str(HOST), 3),
		 0);
	CHECK_EQ(http_client_room(&c), 3);
	CHECK_EQ(http_client_piece(&c, span_str("abcd")), -EMSGSIZE);
	CHECK_EQ(http_client_piece(&c, span_str("ab")), 0);
	CHECK_EQ(http_client_end(&c), -EMSGSIZE);
	CHECK_EQ(http_client_piece(&c, span_str("c")), 0);
	CHECK_EQ(http_client_room(&c), 0);
	CHECK_EQ(http_client_end(&c), 0);
	CHECK_EQ(http_client_end(&c), 0);
	CHECK(span_is(http_client_output(&c),
		      "PUT / HTTP/1.1\r\n" HOST CL "3\r\n\r\nabc"));
	http_client_fini(&c);
}

TEST(an_answer_before_the_request_is_whole_ends_the_connection)
{
	struct answer a = { .body = BUF_EMPTY(64) };
	struct http_client c;
	struct span in = span_str("HTTP/1.1 413 x\r\n" CL "0\r\n\r\n");

	http_client_init(&c, &OPS, &a);
	CHECK_EQ(http_client_start(&c, "PUT", span_str("/"), span_str(HOST),
				   HTTP_LENGTH_UNKNOWN),
		 0);
	http_client_sent(&c, http_client_output(&c).len);
	CHECK_EQ(http_client_feed(&c, &in), 0);
	CHECK(a.status == 413 && a.ends == 1 && a.fails == 0);
	CHECK(!http_client_is_idle(&c));
	CHECK_EQ(http_client_room(&c), 0);
	CHECK_EQ(http_client_piece(&c, span_str("a")), -EMSGSIZE);
	CHECK_EQ(http_client_end(&c), 0);
	CHECK_EQ(http_client_start(&c, "GET", span_str("/"), span_str(HOST), 0),
		 -ENOTCONN);
	http_client_fini(&c);
}

TEST(a_pause_holds_the_body)
{
	struct http_client c;
	struct answer a;
	struct span in = span_str(OK CL "2\r\n\r\nab");

	begin(&c, &a, "GET");
	http_client_pause(&c, true);
	CHECK_EQ(http_client_feed(&c, &in), 0);
	CHECK(in.len == 2 && a.heads == 1 && a.body.len == 0);
	http_client_pause(&c, false);
	CHECK_EQ(http_client_feed(&c, &in), 0);
	CHECK(in.len == 0 && a.ends == 1 && span_is(buf_span(&a.body), "ab"));
	http_client_fini(&c);
	buf_fini(&a.body);
}

/* ---- back to back with the server ---- */

enum { ECHO_MAX_BYTES = 1 << 20 };

struct pair {
	struct http_server server;
	struct http_client client;
	uint32_t seed;
	struct buf up; /* the pipes, for the bytes under way */
	struct buf down;
	struct buf held; /* what the server received and did not echo yet */
	bool is_received;
	struct buf request;
	size_t sent; /* of the request's body */
	struct buf response;
	unsigned status;
	unsigned ends;
	unsigned fails;
};

static uint32_t roll(struct pair *p, uint32_t below)
{
	p->seed = p->seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(p->seed >> 8) * below >> 24);
}

/* Sizes from single bytes to a whole pipe. */
static size_t roll_size(struct pair *p, size_t max)
{
	size_t n = 1 + roll(p, 1U << roll(p, 17));

	return n < max ? n : max;
}

static void echo_some(struct http_server *s)
{
	struct pair *p = s->owner;
	size_t room = http_reply_room(s);
	struct span some = span_to(buf_span(&p->held), room);

	CHECK_EQ(http_reply_piece(s, some), 0);
	buf_drop(&p->held, some.len);
	http_server_pause(s, p->held.len > 0);
	if (p->is_received && p->held.len == 0)
		CHECK_EQ(http_reply_end(s), 0);
}

static void echo_request(struct http_server *s, const struct http_head *head)
{
	struct pair *p = s->owner;
	uint64_t length = head->framing == HTTP_CHUNKED ? HTTP_LENGTH_UNKNOWN :
							  head->content_length;

	p->is_received = false;
	if (span_is(head->path, "/early"))
		CHECK_EQ(http_reply(s, 413, NULL, span_str("no")), 0);
	else
		CHECK_EQ(http_reply_start(s, 200, span_of(NULL, 0), length), 0);
}

static void echo_body(struct http_server *s, struct span piece)
{
	struct pair *p = s->owner;

	CHECK_EQ(buf_put(&p->held, piece), 0);
	echo_some(s);
}

static void echo_end(struct http_server *s)
{
	((struct pair *)s->owner)->is_received = true;
	echo_some(s);
}

static void echo_gone(struct http_server *s)
{
	(void)s;
	CHECK(false);
}

static const struct http_server_ops ECHO_OPS = {
	.on_request = echo_request,
	.on_body = echo_body,
	.on_end = echo_end,
	.on_room = echo_some,
	.on_gone = echo_gone,
};

static void pair_head(struct http_client *c, const struct http_head *head)
{
	((struct pair *)c->owner)->status = head->status;
}

static void pair_body(struct http_client *c, struct span piece)
{
	struct pair *p = c->owner;

	CHECK_EQ(buf_put(&p->response, piece), 0);
	http_client_pause(c, roll(p, 4) == 0);
}

static void pair_end(struct http_client *c)
{
	((struct pair *)c->owner)->ends++;
}

static void pair_fail(struct http_client *c, int code)
{
	(void)code;
	((struct pair *)c->owner)->fails++;
}

static const struct http_client_ops PAIR_OPS = {
	.on_head = pair_head,
	.on_body = pair_body,
	.on_end = pair_end,
	.on_fail = pair_fail,
};

static void send_some(struct pair *p)
{
	struct span rest = span_from(buf_span(&p->request), p->sent);
	size_t room = http_client_room(&p->client);
	struct span some = span_to(rest, roll_size(p, room));

	CHECK_EQ(http_client_piece(&p->client, some), 0);
	p->sent += some.len;
	if (p->sent == p->request.len)
		CHECK_EQ(http_client_end(&p->client), 0);
}

/* Moves some bytes of @out into a pipe. */
static size_t fill_pipe(struct pair *p, struct buf *pipe, struct span out)
{
	size_t n = roll_size(p, out.len);

	if (n > pipe->max - pipe->len)
		n = pipe->max - pipe->len;
	CHECK_EQ(buf_put(pipe, span_to(out, n)), 0);
	return n;
}

/* One random step of the client, the server or a pipe. */
static void step(struct pair *p)
{
	struct span in = span_of(NULL, 0);
	size_t before = 0;

	switch (roll(p, 5)) {
	case 0:
		http_client_sent(&p->client,
				 fill_pipe(p, &p->up,
					   http_client_output(&p->client)));
		break;
	case 1:
		http_server_sent(&p->server,
				 fill_pipe(p, &p->down,
					   http_server_output(&p->server)));
		break;
	case 2:
		in = span_to(buf_span(&p->up), roll_size(p, p->up.len));
		before = in.len;
		CHECK_EQ(http_server_feed(&p->server, &in), 0);
		buf_drop(&p->up, before - in.len);
		break;
	case 3:
		http_client_pause(&p->client, false);
		in = span_to(buf_span(&p->down), roll_size(p, p->down.len));
		before = in.len;
		CHECK_EQ(http_client_feed(&p->client, &in), 0);
		buf_drop(&p->down, before - in.len);
		break;
	default:
		send_some(p);
	}
}

static void exchange(struct pair *p, const char *target, size_t len,
		     bool is_chunked)
{
	p->request.len = 0;
	p->response.len = 0;
	p->sent = 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)roll(p, 256);

		CHECK_EQ(buf_put(&p->request, span_of(&byte, 1)), 0);
	}
	CHECK_EQ(http_client_start(&p->client, "POST", span_str(target),
				   span_str(HOST),
				   is_chunked ? HTTP_LENGTH_UNKNOWN : len),
		 0);
	for (unsigned ends = p->ends, steps = 0;
	     p->ends == ends && p->fails == 0 && CHECK(steps < 10000000);
	     steps++)
		step(p);
}

static void pair_init(struct pair *p, uint32_t seed)
{
	*p = (struct pair){
		.seed = seed,
		.up = BUF_EMPTY(1 + (seed * 977) % 65536),
		.down = BUF_EMPTY(1 + (seed * 7919) % 65536),
		.held = BUF_EMPTY(ECHO_MAX_BYTES),
		.request = BUF_EMPTY(ECHO_MAX_BYTES),
		.response = BUF_EMPTY(ECHO_MAX_BYTES),
	};
	http_server_init(&p->server, &ECHO_OPS, p);
	http_client_init(&p->client, &PAIR_OPS, p);
}

static void pair_fini(struct pair *p)
{
	http_server_fini(&p->server);
	http_client_fini(&p->client);
	buf_fini(&p->up);
	buf_fini(&p->down);
	buf_fini(&p->held);
	buf_fini(&p->request);
	buf_fini(&p->response);
}

TEST(random_bodies_come_back_through_random_pipes)
{
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct pair p;

		pair_init(&p, seed);
		for (unsigned i = 0; i < 5; i++) {
			size_t len = roll(&p, 1U << roll(&p, 19));

			exchange(&p, "/", len, roll(&p, 2) == 0);
			CHECK(p.status == 200 && p.fails == 0);
			CHECK(span_eq(buf_span(&p.request),
				      buf_span(&p.response)));
			if (!CHECK(http_client_is_idle(&p.client)))
				printf("# seed %u\n", seed);
		}
		pair_fini(&p);
	}
}

TEST(an_early_reply_reaches_a_client_that_still_sends)
{
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct pair p;

		pair_init(&p, seed);
		exchange(&p, "/early", roll(&p, 300000), seed % 2 == 0);
		CHECK(p.status == 413 && p.ends == 1 && p.fails == 0);
		CHECK(span_is(buf_span(&p.response), "no"));
		/* Reusable only if the whole request was sent by then. */
		CHECK(!http_client_is_idle(&p.client) ||
		      p.sent == p.request.len);
		if (http_client_is_idle(&p.client)) {
			exchange(&p, "/", 1000, false);
			CHECK(span_eq(buf_span(&p.request),
				      buf_span(&p.response)));
		}
		pair_fini(&p);
	}
}

TESTS(RUN(responses_1_end_once), RUN(responses_1_fail_once),
      RUN(bytes_that_nobody_asked_for_end_the_connection),
      RUN(an_idle_connection_expects_nothing),
      RUN(an_answer_before_the_request_was_sent_is_no_answer),
      RUN(requests_that_cannot_be_are_refused_and_nothing_is_written),
      RUN(a_body_keeps_its_announced_length),
      RUN(an_answer_before_the_request_is_whole_ends_the_connection),
      RUN(a_pause_holds_the_body),
      RUN(random_bodies_come_back_through_random_pipes),
      RUN(an_early_reply_reaches_a_client_that_still_sends))

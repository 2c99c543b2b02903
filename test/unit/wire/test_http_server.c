// SPDX-License-Identifier: Apache-2.0
// The server's connection: conversations, back-pressure, early replies.
// Numbers in names are the invariants of http_server.h.

#include "wire/http_server.h"

#include "http_drive.h"
#include "tap.h"

#define H "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"
#define POST(path, lines) "POST " path " HTTP/1.1\r\n" H lines "\r\n"
#define LATE                                                                   \
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"                      \
	"Content-Length: 4\r\n\r\nlate"
#define LATE_CLOSE                                                             \
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"                      \
	"Content-Length: 4\r\nConnection: close\r\n\r\nlate"
#define EARLY "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nearly"
#define EARLY_CLOSE                                                            \
	"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n"                      \
	"Connection: close\r\n\r\nearly"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define STREAMED                                                               \
	"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"        \
	"4\r\npart\r\n0\r\n\r\n"
#define REFUSED(status, text, len)                                             \
	"HTTP/1.1 " status " " text "\r\nContent-Type: application/json\r\n"   \
	"Content-Length: " len "\r\nConnection: close\r\n\r\n"                 \
	"{\"code\":" status ",\"message\":\"" text "\"}"
#define REFUSED_400 REFUSED("400", "Bad Request", "36")

struct conversation {
	const char *name;
	const char *input;
	const char *output;
	const char *notes; /* a part of them */
};

static bool holds(struct span whole, const char *part)
{
	struct span want = span_str(part);

	return want.len == 0 ||
	       memmem(whole.ptr, whole.len, want.ptr, want.len) != NULL;
}

static void check_once(const struct conversation *c, uint32_t seed, size_t cut)
{
	struct drive d;
	bool is_good = true;

	drive_init(&d, seed);
	d.cut = cut;
	drive_run(&d, span_str(c->input));
	is_good &= CHECK(span_is(buf_span(&d.output), c->output));
	is_good &= CHECK(holds(buf_span(&d.notes), c->notes));
	if (!is_good)
		printf("# in: %s, seed %u, cut %zu\n# %.*s\n# %.*s\n", c->name,
		       seed, cut, (int)d.output.len, (char *)d.output.ptr,
		       (int)d.notes.len, (char *)d.notes.ptr);
	drive_fini(&d);
}

/* At once, cut at every byte, and in random pieces with a slow client. */
static void check_conversation(const struct conversation *c)
{
	check_once(c, 0, 0);
	for (size_t cut = 1; cut < strlen(c->input); cut++)
		check_once(c, 0, cut);
	for (uint32_t seed = 1; seed < 50; seed++)
		check_once(c, seed, 0);
}

#define CHECK_ALL(list)                                                        \
	do {                                                                   \
		for (size_t i_ = 0; i_ < ARRAY_LEN(list); i_++)                \
			check_conversation(&(list)[i_]);                       \
	} while (0)

TEST(whole_conversations)
{
	static const struct conversation LIST[] = {
		{ "a request", GET("/"), LATE, "\nend\n\nover 0 left 0" },
		{ "a body", POST("/", "Content-Length: 3\r\n") "abc", LATE,
		  "body abc\nend\n" },
		{ "chunks",
		  POST("/", "Transfer-Encoding: chunked\r\n") "1\r\na\r\n"
							      "2;x\r\nbc\r\n"
							      "0\r\nT: t\r\n"
							      "\r\n" GET("/q"),
		  LATE LATE, "body abc\nend\n" },
		{ "9.3.2 pipelined", GET("/1") GET("/2") GET("/3"),
		  LATE LATE LATE, "path /3" },
		{ "a body like a request",
		  POST("/", "Content-Length: 28\r\n") GET("/1") GET("/2"),
		  LATE LATE, "path /2" },
		{ "a streamed reply", GET("/s") GET("/"), STREAMED LATE, "" },
		{ "9.6 close",
		  "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n" GET("/"),
		  LATE_CLOSE, "over 1 left 0" },
		{ "9.3 1.0 closes", "GET / HTTP/1.0\r\n\r\n" GET("/"),
		  LATE_CLOSE, "over 1" },
		{ "9.3 1.0 keeps alive if asked",
		  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/"),
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		  "Content-Length: 4\r\nConnection: keep-alive\r\n\r\n"
		  "late" LATE,
		  "over 0" },
		{ "6.1 no chunks to 1.0",
		  "GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/"),
		  "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\npart",
		  "over 1" },
		{ "HEAD has no body", "HEAD / HTTP/1.1\r\n" H "\r\n" GET("/"),
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		  "Content-Length: 4\r\n\r\n" LATE,
		  "" },
		{ "HEAD of a stream has no body",
		  "HEAD /s HTTP/1.1\r\n" H "\r\n" GET("/"),
		  "HTTP/1.1 200 OK\r\nA: b\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n" LATE,
		  "" },
		{ "a pause", POST("/p", "Content-Length: 3\r\n") "abc" GET("/"),
		  LATE LATE, "body abc\nend\n" },
		{ "a head that never ends", "GET / HTTP/1.1\r\n" H, "",
		  "\nover 0 left 0" },
		{ "1 the peer goes before its body",
		  POST("/", "Content-Length: 3\r\n") "ab", "",
		  "body ab\nover 0 left 0\n\ngone\n" },
	};

	CHECK_ALL(LIST);
}

TEST(early_replies_drop_the_body_and_go_on)
{
	static const struct conversation LIST[] = {
		{ "2 a length",
		  POST("/e", "Content-Length: 3\r\n") "abc" GET("/"),
		  EARLY LATE, "request GET" },
		{ "2 chunks",
		  POST("/e", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n0\r\n\r\n" GET(
			  "/"),
		  EARLY LATE, "request GET" },
		{ "and then close",
		  POST("/e",
		       "Content-Length: 3\r\nConnection: close\r\n") "abc" GET("/"),
		  EARLY_CLOSE, "over 1" },
		{ "broken chunks behind it",
		  POST("/e", "Transfer-Encoding: chunked\r\n") "x" GET("/"),
		  EARLY, "over 1" },
		{ "the peer goes", POST("/e", "Content-Length: 3\r\n") "ab",
		  EARLY, "over 0 left 0" },
		{ "too long to be dropped",
		  POST("/e", "Content-Length: 1048577\r\n") "ab", EARLY_CLOSE,
		  "over 0 left 0" },
	};

	CHECK_ALL(LIST);
}

TEST(rfc9110_10_1_1_expect_continue)
{
#define EXPECT "Expect: 100-continue\r\n"
	static const struct conversation LIST[] = {
		{ "invited", POST("/", EXPECT "Content-Length: 3\r\n") "abc",
		  CONTINUE LATE, "body abc" },
		{ "invited, chunked",
		  POST("/",
		       EXPECT "Transfer-Encoding: chunked\r\n") "0\r\n\r\n",
		  CONTINUE LATE, "end" },
		{ "no body, no invitation", POST("/", EXPECT) GET("/"),
		  LATE LATE, "" },
		{ "an empty body, no invitation",
		  POST("/", EXPECT "Content-Length: 0\r\n") GET("/"), LATE LATE,
		  "" },
		{ "1.0 knows none",
		  "POST / HTTP/1.0\r\n" EXPECT "Content-Length: 1\r\n\r\na",
		  LATE_CLOSE, "" },
		{ "refused: nobody knows whether the body comes",
		  POST("/e", EXPECT "Content-Length: 28\r\n") GET("/1")
			  GET("/2"),
		  EARLY_CLOSE, "over 1 left 0" },
		{ "a reply begun closes, too",
		  POST("/s", EXPECT "Content-Length: 3\r\n") "abc" GET("/"),
		  "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n"
		  "Connection: close\r\n\r\n4\r\npart\r\n0\r\n\r\n",
		  "body abc\nend\n\nover 1" },
	};

	CHECK_ALL(LIST);
}

TEST(broken_replies_end_the_connection)
{
	static const struct conversation LIST[] = {
		{ "aborted", GET("/a") GET("/"), "", "over 1" },
		{ "aborted before the body",
		  POST("/a", "Content-Length: 3\r\n") "abc" GET("/"), "",
		  "over 1" },
		{ "shorter than announced", GET("/l") GET("/"),
		  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart",
		  "over 1" },
		{ "shorter than announced, to HEAD",
		  "HEAD /l HTTP/1.1\r\n" H "\r\n" GET("/"),
		  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" LATE,
		  "over 0" },
	};

	CHECK_ALL(LIST);
}

TEST(bad_requests_are_answered_and_closed)
{
	static const struct conversation LIST[] = {
		{ "400", "GET / HTTP/1.1\r\n\r\n" GET("/"), REFUSED_400,
		  "\nover 1 left 0" },
		{ "400 at the first byte", "\x16\x03\x01", REFUSED_400, "" },
		{ "behind a good one", GET("/") "GET\r\n\r\n" GET("/"),
		  LATE REFUSED_400, "over 1" },
		{ "501",
		  POST("/", "Transfer-Encoding: gzip, chunked\r\n") GET("/"),
		  REFUSED("501", "Not Implemented", "40"), "over 1" },
		{ "505", "GET / HTTP/2.0\r\n\r\n",
		  REFUSED("505", "HTTP Version Not Supported", "51"), "" },
		{ "smuggling by both lengths",
		  POST("/",
		       "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\nG",
		  REFUSED_400, "\nover 1" },
		{ "chunks break",
		  POST("/",
		       "Transfer-Encoding: chunked\r\n") "1\r\na\r\nx" GET("/"),
		  REFUSED_400, "body a\ngone\n\nover 1" },
		{ "chunks break behind a reply begun",
		  POST("/s",
		       "Transfer-Encoding: chunked\r\n") "1\r\na\r\nx" GET("/"),
		  "HTTP/1.1 200 OK\r\nA: b\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n",
		  "body a\ngone\n\nover 1" },
		{ "chunks break behind HEAD",
		  "HEAD / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nx",
		  "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json"
		  "\r\nContent-Length: 36\r\nConnection: close\r\n\r\n",
		  "gone" },
	};

	CHECK_ALL(LIST);
}

TEST(a_head_past_the_maximum_is_431)
{
	static char input[HTTP_HEAD_MAX_BYTES + 100];
	struct conversation c = {
		"431", input,
		REFUSED("431", "Request Header Fields Too Large", "56"),
		"\nover 1 left 0"
	};

	memset(input, 'a', sizeof(input) - 1);
	memcpy(input, GET(""), sizeof(GET("")) - 3);
	check_once(&c, 0, 0);
	check_once(&c, 0, 1);
	check_once(&c, 7, 0);
}

/* ---- by hand ---- */

struct handler {
	unsigned requests;
	unsigned bodies;
	unsigned ends;
	unsigned rooms;
	unsigned gones;
	size_t to_stream;
};

static void count_request(struct http_server *s, const struct http_head *head)
{
	(void)head;
	((struct handler *)s->owner)->requests++;
}

static void count_body(struct http_server *s, struct span piece)
{
	(void)piece;
	((struct handler *)s->owner)->bodies++;
}

static void count_end(struct http_server *s)
{
	((struct handler *)s->owner)->ends++;
}

static void stream_on(struct http_server *s)
{
	static const uint8_t ZEROES[HTTP_SERVER_OUT_MAX_BYTES];
	struct handler *h = s->owner;
	size_t room = http_reply_room(s);

	h->rooms++;
	if (room > h->to_stream)
		room = h->to_stream;
	CHECK_EQ(http_reply_piece(s, span_of(ZEROES, room)), 0);
	h->to_stream -= room;
	if (h->to_stream == 0)
		CHECK_EQ(http_reply_end(s), 0);
}

static void count_gone(struct http_server *s)
{
	((struct handler *)s->owner)->gones++;
}

static const struct http_server_ops COUNT_OPS = {
	.on_request = count_request,
	.on_body = count_body,
	.on_end = count_end,
	.on_room = stream_on,
	.on_gone = count_gone,
};

/* Bytes of @text that were not taken. */
static size_t feed(struct http_server *s, const char *text)
{
	struct span in = span_str(text);

	CHECK_EQ(http_server_feed(s, &in), 0);
	return in.len;
}

static void sent_all(struct http_server *s)
{
	http_server_sent(s, http_server_output(s).len);
}

TEST(the_next_request_waits_for_the_reply_and_its_drain)
{
	struct handler h = { 0 };
	struct http_server s;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(feed(&s, GET("/1") GET("/2")), strlen(GET("/2")));
	CHECK_EQ(h.requests, 1);
	CHECK_EQ(http_reply(&s, 200, NULL, span_str("x")), 0);
	CHECK_EQ(feed(&s, GET("/2")), strlen(GET("/2")));
	sent_all(&s);
	CHECK_EQ(feed(&s, GET("/2")), 0);
	CHECK_EQ(h.requests, 2);
	http_server_fini(&s);
	CHECK_EQ(h.gones, 1);
	http_server_fini(&s); /* a second time is harmless */
	CHECK_EQ(h.gones, 1);
}

TEST(output_is_bounded_and_room_is_told)
{
	struct handler h = { .to_stream = 1000000 };
	struct http_server s;
	size_t sent = 0;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(feed(&s, GET("/")), 0);
	CHECK_EQ(http_reply_room(&s), 0);
	CHECK_EQ(http_reply_start(&s, 200, span_of(NULL, 0), 1000000), 0);
	stream_on(&s);
	CHECK(http_reply_room(&s) == 0);
	CHECK_EQ(http_reply_piece(&s, span_str("x")), -EMSGSIZE);
	while (http_server_output(&s).len > 0) {
		CHECK(http_server_output(&s).len <= HTTP_SERVER_OUT_MAX_BYTES);
		sent += 1;
		http_server_sent(&s, 7777);
	}
	CHECK_EQ(h.to_stream, 0);
	CHECK(h.rooms > 100 && sent > 100);
	CHECK_EQ(feed(&s, GET("/2")), 0);
	CHECK_EQ(h.requests, 2);
	http_server_fini(&s);
}

TEST(a_pause_holds_the_body_not_the_reply)
{
	struct handler h = { 0 };
	struct http_server s;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(feed(&s, POST("/", "Content-Length: 3\r\n")), 0);
	http_server_pause(&s, true);
	CHECK_EQ(feed(&s, "abc"), 3);
	CHECK_EQ(h.bodies, 0);
	http_server_pause(&s, false);
	CHECK_EQ(feed(&s, "abc"), 0);
	CHECK_EQ(h.bodies, 1);
	CHECK_EQ(h.ends, 1);
	http_server_fini(&s);
}

TEST(a_reply_may_come_while_the_body_is_paused)
{
	struct handler h = { 0 };
	struct http_server s;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(feed(&s, POST("/", "Content-Length: 3\r\n")), 0);
	http_server_pause(&s, true);
	CHECK_EQ(http_reply(&s, 200, NULL, span_of(NULL, 0)), 0);
	sent_all(&s);
	CHECK_EQ(feed(&s, "abc" GET("/")), 0);
	CHECK_EQ(h.requests, 2);
	CHECK_EQ(h.bodies, 0);
	http_server_fini(&s);
}

TEST(what_is_dropped_of_a_body_is_bounded)
{
	static const char PART[] = "1;padding=padding\r\nx\r\n";
	struct handler h = { 0 };
	struct http_server s;
	size_t fed = 0;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(feed(&s, POST("/", "Transfer-Encoding: chunked\r\n")), 0);
	CHECK_EQ(http_reply(&s, 200, NULL, span_of(NULL, 0)), 0);
	while (!http_server_is_over(&s) && fed < 2000000) {
		CHECK_EQ(feed(&s, PART), 0);
		fed += sizeof(PART) - 1;
	}
	CHECK(fed > HTTP_SERVER_DRAIN_MAX_BYTES &&
	      fed < HTTP_SERVER_DRAIN_MAX_BYTES + 2 * sizeof(PART));
	http_server_fini(&s);
	CHECK_EQ(h.gones, 0);
}

TEST(replies_that_cannot_be_are_refused_and_nothing_is_sent)
{
	static const uint8_t BYTES[HTTP_SERVER_OUT_MAX_BYTES + 1];
	static const char *const HEADERS[] = {
		"Content-Length: 5\r\n",
		"Transfer-Encoding: chunked\r\n",
		"A: b\r\n\r\n",
		"A: b",
		"A: b\r\n\r\nHTTP/1.1 200 OK\r\n",
		"A b\r\n",
		"A: b\nC: d\r\n",
	};
	struct handler h = { 0 };
	struct http_server s;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(http_reply(&s, 200, NULL, span_of(NULL, 0)), -EINVAL);
	CHECK_EQ(feed(&s, GET("/")), 0);
	CHECK_EQ(http_reply(&s, 100, NULL, span_of(NULL, 0)), -EINVAL);
	CHECK_EQ(http_reply(&s, 600, NULL, span_of(NULL, 0)), -EINVAL);
	CHECK_EQ(http_reply(&s, 200, "a\r\nb", span_of(NULL, 0)), -EINVAL);
	CHECK_EQ(http_reply(&s, 200, NULL, span_of(BYTES, sizeof(BYTES))),
		 -E2BIG);
	CHECK_EQ(http_reply_start(&s, 200, span_of(BYTES, sizeof(BYTES)), 0),
		 -E2BIG);
	for (size_t i = 0; i < ARRAY_LEN(HEADERS); i++) {
		if (!CHECK_EQ(http_reply_start(&s, 200, span_str(HEADERS[i]),
					       HTTP_LENGTH_UNKNOWN),
			      -EINVAL))
			printf("# in: %s\n", HEADERS[i]);
	}
	CHECK_EQ(http_reply_piece(&s, span_str("x")), -EMSGSIZE);
	CHECK_EQ(http_reply_end(&s), 0);
	CHECK_EQ(http_server_output(&s).len, 0);
	CHECK_EQ(http_reply(&s, 200, NULL, span_of(BYTES, sizeof(BYTES) - 1)),
		 0);
	CHECK_EQ(http_reply(&s, 200, NULL, span_of(NULL, 0)), -EINVAL);
	CHECK(http_server_output(&s).len > HTTP_SERVER_OUT_MAX_BYTES);
	http_server_fini(&s);
	CHECK_EQ(h.gones, 0);
}

TEST(a_streamed_reply_keeps_its_length)
{
	struct handler h = { 0 };
	struct http_server s;

	http_server_init(&s, &COUNT_OPS, &h);
	CHECK_EQ(feed(&s, GET("/")), 0);
	CHECK_EQ(http_reply_start(&s, 200, span_of(NULL, 0), 4), 0);
	CHECK_EQ(http_reply_room(&s), 4);
	CHECK_EQ(http_reply_piece(&s, span_str("12345")), -EMSGSIZE);
	CHECK_EQ(http_reply_piece(&s, span_str("1234")), 0);
	CHECK_EQ(http_reply_end(&s), 0);
	CHECK(!http_server_is_over(&s));
	sent_all(&s);
	CHECK_EQ(feed(&s, GET("/")), 0);
	CHECK_EQ(http_reply_start(&s, 204, span_of(NULL, 0), 0), 0);
	CHECK_EQ(http_reply_end(&s), 0);
	CHECK(span_is(http_server_output(&s),
		      "HTTP/1.1 204 No Content\r\n\r\n"));
	http_server_fini(&s);
}

TESTS(RUN(whole_conversations), RUN(early_replies_drop_the_body_and_go_on),
      RUN(rfc9110_10_1_1_expect_continue),
      RUN(broken_replies_end_the_connection),
      RUN(bad_requests_are_answered_and_closed),
      RUN(a_head_past_the_maximum_is_431),
      RUN(the_next_request_waits_for_the_reply_and_its_drain),
      RUN(output_is_bounded_and_room_is_told),
      RUN(a_pause_holds_the_body_not_the_reply),
      RUN(a_reply_may_come_while_the_body_is_paused),
      RUN(what_is_dropped_of_a_body_is_bounded),
      RUN(replies_that_cannot_be_are_refused_and_nothing_is_sent),
      RUN(a_streamed_reply_keeps_its_length))

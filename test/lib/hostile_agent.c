// SPDX-License-Identifier: Apache-2.0
// An agent for tests of the shim: honest enough to be served, or hostile in
// the one way its argument names. Descriptor 3 is the wire.
//
//	hostile_agent MODE
//
// Honest answers (all modes that get so far): POST /init, GET /health; GET
// /files?path=N sends N bytes; POST /files counts what it gets. A Start
// request's cmd is what to do: "echo" ends at once, "hold" waits for GET /envs
// (one more piece each) and GET /metrics (the end), "flood" writes for ever.

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "wire/connect.h"
#include "wire/http1.h"
#include "wire/mux.h"

enum { WIRE = 3, OUT_MAX_BYTES = 4 * 1048576, FLOOD_BYTES = 16384 };

struct stream {
	uint32_t id;
	struct buf in;
	struct buf out;
	struct http_body body;
	char path[128];
	bool has_head;
	bool is_answered;
	bool is_holding;
	bool is_flooding;
	bool is_closing;
	uint64_t fill; /* bytes of filling to send */
	uint64_t body_bytes;
};

struct agent {
	struct mux mux;
	struct stream streams[MUX_STREAMS_MAX];
	const struct mode *mode;
	bool is_named;
	bool is_asked;
	bool is_turned; /* the hostile act has begun */
	unsigned pid;
};

struct mode {
	const char *name;
	void (*at_start)(struct agent *a);   /* instead of HELLO */
	void (*once_named)(struct agent *a); /* after /init */
	void (*once_asked)(struct agent *a); /* during a request */
	const char *answer;		     /* to everything but /init */
	size_t answer_len;		     /* 0: a C string */
	const char *repeat;		     /* and then this, for ever */
	const char *init_answer;
};

static void write_raw(const void *bytes, size_t len)
{
	if (fd_write_all(WIRE, span_of(bytes, len)) < 0)
		exit(0);
}

static void put_frame(uint8_t type, uint32_t stream, const void *payload,
		      uint32_t len)
{
	uint8_t head[MUX_HEADER_BYTES] = { type };

	memcpy(head + 4, &stream, 4);
	memcpy(head + 8, &len, 4);
	write_raw(head, sizeof(head));
	write_raw(payload, len);
}

static void sleep_for_ever(void)
{
	for (;;)
		(void)pause();
}

static void drain_wire(void)
{
	struct pollfd on = { .fd = WIRE, .events = POLLIN };
	uint8_t bytes[65536];

	while (poll(&on, 1, 0) == 1 && read(WIRE, bytes, sizeof(bytes)) > 0)
		;
}

/* Hostile acts. */

static void act_silent(struct agent *a)
{
	(void)a;
	sleep_for_ever();
}

static void act_exit(struct agent *a)
{
	(void)a;
	exit(7);
}

static void act_bad_magic(struct agent *a)
{
	uint8_t payload[24] = "NOTCPN!!";

	(void)a;
	put_frame(1, 0, payload, sizeof(payload));
	sleep_for_ever();
}

static void act_half_frame(struct agent *a)
{
	(void)a;
	write_raw("\1\0\0", 3);
	sleep_for_ever();
}

static void act_frame_flood(struct agent *a)
{
	static uint8_t head[MUX_HEADER_BYTES] = { 99 };

	(void)a;
	for (;;)
		write_raw(head, sizeof(head));
}

/* Well-formed frames of a stream that is over. */
static void act_data_flood(struct agent *a)
{
	static uint8_t payload[MUX_PAYLOAD_MAX_BYTES];

	(void)a;
	for (;;) {
		put_frame(3, 1, payload, sizeof(payload));
		drain_wire();
	}
}

static void act_open_flood(struct agent *a)
{
	(void)a;
	for (uint32_t i = 1; i <= 100000; i++) {
		put_frame(2, 2 * i, "x", 1);
		drain_wire();
	}
	exit(9);
}

/* Without reading the RESETs that answer. */
static void act_open_flood_deaf(struct agent *a)
{
	(void)a;
	for (uint32_t i = 1; i <= 1000000; i++)
		put_frame(2, 2 * i, "x", 1);
	exit(9);
}

static void act_credit(struct agent *a)
{
	uint32_t credit = MUX_WINDOW_BYTES;

	for (int i = 0; i < MUX_STREAMS_MAX; i++) {
		if (a->streams[i].id != 0)
			put_frame(4, a->streams[i].id, &credit, 4);
	}
}

static void act_overrun(struct agent *a)
{
	static uint8_t payload[MUX_PAYLOAD_MAX_BYTES];

	for (int i = 0; i < MUX_STREAMS_MAX; i++) {
		for (int n = 0; a->streams[i].id != 0 && n < 64; n++)
			put_frame(3, a->streams[i].id, payload,
				  sizeof(payload));
	}
}

static void act_restart(struct agent *a)
{
	uint8_t payload[24] = "CPNWIRE1\1";

	(void)a;
	put_frame(1, 0, payload, sizeof(payload));
}

#define STREAM_HEAD                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: application/connect+json\r\n"        \
	"Transfer-Encoding: chunked\r\n\r\n"
#define LITERAL(text) .answer = (text), .answer_len = sizeof(text) - 1
#define PLAIN "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

static const struct mode modes[] = {
	{ .name = "good" },
	{ .name = "silent", .at_start = act_silent },
	{ .name = "exit", .at_start = act_exit },
	{ .name = "bad_magic", .at_start = act_bad_magic },
	{ .name = "half_frame", .at_start = act_half_frame },
	{ .name = "flood_at_start", .at_start = act_frame_flood },
	{ .name = "init_500",
	  .init_answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" },
	{ .name = "init_garbage", .init_answer = "HELO there\r\n\r\n" },
	{ .name = "frame_flood", .once_named = act_frame_flood },
	{ .name = "data_flood", .once_named = act_data_flood },
	{ .name = "open_flood", .once_named = act_open_flood },
	{ .name = "open_flood_deaf", .once_named = act_open_flood_deaf },
	{ .name = "credit", .once_asked = act_credit },
	{ .name = "overrun", .once_asked = act_overrun },
	{ .name = "restart", .once_named = act_restart },
	{ .name = "two_lengths",
	  .answer = PLAIN
	  "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" },
	{ .name = "length_and_chunked",
	  .answer = PLAIN "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
			  "\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" },
	{ .name = "bare_lf",
	  .answer = "HTTP/1.1 200 OK\nContent-Length: 0\n\n" },
	{ .name = "header_injection",
	  .answer = PLAIN "Set-Cookie: a=b\r\nX-Evil: 1\r\nConnection: close, "
			  "Content-Type\r\nContent-Length: 2\r\n\r\nok" },
	{ .name = "body_after_end",
	  .answer = PLAIN "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"
			  "Content-Length: 4\r\n\r\nevil" },
	{ .name = "endless_1xx",
	  .answer = "HTTP/1.1 100 Continue\r\n\r\n",
	  .repeat = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" },
	{ .name = "endless_head",
	  .answer = "HTTP/1.1 200 OK\r\n",
	  .repeat = "X-Filler: 0123456789012345678901234567890123456789\r\n" },
	{ .name = "endless_chunk_line",
	  .answer = PLAIN "Transfer-Encoding: chunked\r\n\r\n5;",
	  .repeat = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ .name = "bad_status",
	  .answer = "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n" },
	{ .name = "switching",
	  .answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" },
	{ .name = "early_reset", .answer = "" },
	{ .name = "tiny_chunks",
	  .answer = PLAIN "Transfer-Encoding: chunked\r\n\r\n",
	  .repeat = "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\ne\r\n" },
	{ .name = "lying_pid",
	  LITERAL(STREAM_HEAD "23\r\n\0\0\0\0\x1e"
			      "{\"event\":{\"start\":{\"pid\":-5}}}\r\n") },
	{ .name = "huge_envelope",
	  LITERAL(STREAM_HEAD "5\r\n\0\x7f\xff\xff\xff\r\n") },
	{ .name = "deep_json",
	  LITERAL(STREAM_HEAD "fff\r\n\0\0\0\x0f\xf0"),
	  .repeat = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" },
};

/* Honest answers. */

static int put_all(struct stream *s, const char *text)
{
	return buf_put_str(&s->out, text);
}

static int put_event(struct stream *s, uint8_t flags, const char *json)
{
	struct buf envelope = BUF_EMPTY(OUT_MAX_BYTES);
	int r = connect_put(&envelope, flags, span_str(json));

	if (r == 0)
		r = http_put_chunk(&s->out, buf_span(&envelope));
	buf_fini(&envelope);
	return r;
}

static int put_piece(struct stream *s, const char *text)
{
	char json[256];

	(void)snprintf(json, sizeof(json),
		       "{\"event\":{\"data\":{\"stdout\":\"%s\"}}}", text);
	return put_event(s, 0, json);
}

static int put_end(struct stream *s)
{
	s->is_holding = false;
	TRY(put_event(s, 0,
		      "{\"event\":{\"end\":{\"exited\":true,"
		      "\"status\":\"exit status 0\"}}}"));
	TRY(put_event(s, CONNECT_FLAG_END, "{}"));
	return http_put_chunk(&s->out, span_of(NULL, 0));
}

static bool has_text(const struct buf *in, const char *text)
{
	return memmem(in->ptr, in->len, text, strlen(text)) != NULL;
}

static int answer_start(struct agent *a, struct stream *s)
{
	char json[96];

	(void)snprintf(json, sizeof(json),
		       "{\"event\":{\"start\":{\"pid\":%u}}}", ++a->pid);
	TRY(put_all(s, STREAM_HEAD));
	TRY(put_event(s, 0, json));
	TRY(put_piece(s, "Zmlyc3Q="));
	s->is_flooding = has_text(&s->in, "\"flood\"");
	s->is_holding = has_text(&s->in, "\"hold\"");
	return s->is_flooding || s->is_holding ? 0 : put_end(s);
}

static int tell_holders(struct agent *a, bool is_end)
{
	for (int i = 0; i < MUX_STREAMS_MAX; i++) {
		struct stream *s = &a->streams[i];

		if (!s->is_holding)
			continue;
		TRY(is_end ? put_end(s) : put_piece(s, "bW9yZQ=="));
	}
	return 0;
}

static int answer_get_files(struct stream *s)
{
	s->fill = strtoull(s->path + strlen("/files?path="), NULL, 10);
	return buf_printf(&s->out, PLAIN "Content-Length: %llu\r\n\r\n",
			  (unsigned long long)s->fill);
}

static int answer_honestly(struct agent *a, struct stream *s)
{
	if (strcmp(s->path, "/envs") == 0 || strcmp(s->path, "/metrics") == 0) {
		TRY(tell_holders(a, s->path[1] == 'm'));
		return put_all(s, PLAIN "Content-Length: 2\r\n\r\nok");
	}
	if (strcmp(s->path, "/health") == 0)
		return put_all(s, "HTTP/1.1 204 No Content\r\n\r\n");
	if (strcmp(s->path, "/process.Process/Start") == 0)
		return answer_start(a, s);
	if (strncmp(s->path, "/files?path=", 12) == 0 && s->body_bytes == 0)
		return answer_get_files(s);
	return buf_printf(&s->out, PLAIN "Content-Length: 20\r\n\r\n%020llu",
			  (unsigned long long)s->body_bytes);
}

static int answer(struct agent *a, struct stream *s)
{
	const struct mode *mode = a->mode;

	s->is_answered = true;
	if (strcmp(s->path, "/init") == 0) {
		a->is_named = true;
		return put_all(s, mode->init_answer != NULL ?
					  mode->init_answer :
					  "HTTP/1.1 204 No Content\r\n\r\n");
	}
	a->is_asked = true;
	if (mode->answer == NULL)
		return answer_honestly(a, s);
	if (mode->answer[0] == '\0')
		mux_reset(&a->mux, s->id, MUX_REASON_ABORTED);
	/* Answers may hold zeroes. */
	return buf_put(&s->out,
		       span_of(mode->answer, mode->answer_len != 0 ?
						     mode->answer_len :
						     strlen(mode->answer)));
}

/* Streams. */

static struct stream *find_stream(struct agent *a, uint32_t id)
{
	for (int i = 0; i < MUX_STREAMS_MAX; i++) {
		if (a->streams[i].id == id)
			return &a->streams[i];
	}
	abort();
}

static void free_stream(struct stream *s)
{
	buf_fini(&s->in);
	buf_fini(&s->out);
	*s = (struct stream){ 0 };
}

static void open_stream(struct agent *a, uint32_t id)
{
	struct stream *s = find_stream(a, 0);

	*s = (struct stream){
		.id = id,
		.in = BUF_EMPTY(OUT_MAX_BYTES),
		.out = BUF_EMPTY(OUT_MAX_BYTES),
	};
}

static int take_head(struct stream *s)
{
	struct http_head head;
	size_t used = 0;

	if (http_parse_request(buf_span(&s->in), &head, &used) != 1)
		return 0;
	(void)snprintf(s->path, sizeof(s->path), "%.*s", (int)head.target.len,
		       (const char *)head.target.ptr);
	http_body_init(&s->body, &head);
	s->has_head = true;
	buf_drop(&s->in, used);
	return 1;
}

static int take_body(struct stream *s)
{
	struct span in = buf_span(&s->in);
	struct span piece = { 0 };
	bool is_start = strcmp(s->path, "/process.Process/Start") == 0;

	/* A Start's body stays to be looked into. */
	if (is_start)
		return 0;
	while (http_body_next(&s->body, &in, &piece) == 1)
		s->body_bytes += piece.len;
	buf_drop(&s->in, s->in.len - in.len);
	return 0;
}

static void on_data(struct agent *a, uint32_t id, struct span bytes)
{
	struct stream *s = find_stream(a, id);

	if (buf_put(&s->in, bytes) < 0)
		abort();
	mux_consumed(&a->mux, id, bytes.len);
	if (!s->has_head && take_head(s) == 0)
		return;
	(void)take_body(s);
	if (!s->is_answered &&
	    (s->body.is_done || has_text(&s->in, "\"cmd\"")) &&
	    answer(a, s) < 0)
		abort();
}

static const uint8_t filling[FLOOD_BYTES];

static void put_flood(struct stream *s)
{
	static char text[FLOOD_BYTES];

	if (text[0] == '\0')
		memset(text, 'A', sizeof(text) - 1);
	while (s->is_flooding && s->out.len < 1000000) {
		static char json[FLOOD_BYTES + 256];

		(void)snprintf(json, sizeof(json),
			       "{\"event\":{\"data\":{\"stdout\":\"%s\"}}}",
			       text);
		if (put_event(s, 0, json) < 0)
			abort();
	}
}

static void pump(struct agent *a, struct stream *s)
{
	size_t n = 1;

	if (s->is_answered && a->mode->repeat != NULL && a->is_named &&
	    strcmp(s->path, "/init") != 0) {
		while (s->out.len < 200000)
			if (put_all(s, a->mode->repeat) < 0)
				abort();
	}
	put_flood(s);
	while (n > 0 && s->out.len > 0) {
		n = mux_send(&a->mux, s->id, buf_span(&s->out));
		buf_drop(&s->out, n);
	}
	while (n > 0 && s->fill > 0 && s->out.len == 0) {
		n = mux_send(&a->mux, s->id,
			     span_to(span_of(filling, sizeof(filling)),
				     s->fill));
		s->fill -= n;
	}
}

static void on_event(struct agent *a, const struct mux_event *event)
{
	switch (event->type) {
	case MUX_EVENT_OPEN:
		open_stream(a, event->stream);
		return;
	case MUX_EVENT_DATA:
		on_data(a, event->stream, event->bytes);
		return;
	case MUX_EVENT_RESET:
		free_stream(find_stream(a, event->stream));
		return;
	case MUX_EVENT_CLOSE:
	case MUX_EVENT_CREDIT:
	case MUX_EVENT_HELLO:
	case MUX_EVENT_NONE:
	case MUX_EVENT_COUNT:
		return;
	}
}

static void act_if_due(struct agent *a)
{
	void (*act)(struct agent *a) = NULL;

	if (a->is_named)
		act = a->mode->once_named;
	if (a->is_asked && a->mode->once_asked != NULL)
		act = a->mode->once_asked;
	if (act == NULL || a->is_turned || mux_output(&a->mux).len != 0)
		return;
	a->is_turned = true;
	if (fd_set_nonblock(WIRE, false) < 0)
		abort();
	(void)usleep(100000); /* the shim takes our answer in */
	act(a);
	if (fd_set_nonblock(WIRE, true) < 0)
		abort();
}

static void turn(struct agent *a)
{
	struct pollfd on = { .fd = WIRE, .events = POLLIN };
	static uint8_t bytes[65536];
	struct mux_event event = { 0 };
	struct span in = { 0 };
	struct span out = { 0 };
	ssize_t n = 0;

	for (int i = 0; i < MUX_STREAMS_MAX; i++) {
		if (a->streams[i].id != 0)
			pump(a, &a->streams[i]);
	}
	out = mux_output(&a->mux);
	on.events = out.len != 0 ? POLLIN | POLLOUT : POLLIN;
	(void)poll(&on, 1, -1);
	if ((on.revents & POLLOUT) != 0) {
		n = write(WIRE, out.ptr, out.len);
		if (n > 0)
			mux_sent(&a->mux, (size_t)n);
	}
	act_if_due(a);
	if ((on.revents & (POLLIN | POLLHUP)) == 0)
		return;
	n = read(WIRE, bytes, sizeof(bytes));
	if (n <= 0)
		exit(0);
	in = span_of(bytes, (size_t)n);
	while (mux_next(&a->mux, &in, &event) == 1)
		on_event(a, &event);
}

int main(int argc, char **argv)
{
	static struct agent a;

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(modes); i++) {
		if (strcmp(argv[1], modes[i].name) == 0)
			a.mode = &modes[i];
	}
	if (a.mode == NULL)
		return 2;
	(void)fprintf(stderr, "agent: %s\n", a.mode->name);
	if (a.mode->at_start != NULL)
		a.mode->at_start(&a);
	if (fd_set_nonblock(WIRE, true) < 0)
		return 2;
	mux_init(&a.mux, MUX_GUEST, 0);
	for (;;)
		turn(&a);
}

// SPDX-License-Identifier: Apache-2.0
// Carrying stdin to a sandbox's command.

#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/session_parts.h"
#include "wire/base64.h"
#include "wire/connect.h"

/* One piece of stdin becomes one StreamInput message. */
enum { PIECE_BYTES = 16384, FRAME_MAX_BYTES = 32768 };

static struct session *session_of(struct http_client *c)
{
	struct api_conn *conn = c->owner;

	return conn->owner;
}

static int put_frame(struct session *s, struct span message)
{
	CLEANUP(buf_fini) struct buf frame = BUF_EMPTY(FRAME_MAX_BYTES);

	TRY(connect_put(&frame, 0, message));
	return http_client_piece(&s->feed.http, buf_span(&frame));
}

static int put_bytes(struct session *s, struct span bytes)
{
	CLEANUP(buf_fini) struct buf json = BUF_EMPTY(FRAME_MAX_BYTES);
	const char *kind = s->request->wants_pty ? "pty" : "stdin";

	TRY(buf_printf(&json, "{\"data\":{\"input\":{\"%s\":\"", kind));
	TRY(base64_put(&json, bytes));
	TRY(buf_put_str(&json, "\"}}}"));
	return put_frame(s, buf_span(&json));
}

static void finish(struct session *s)
{
	s->is_stdin_done = true;
	ev_io_del(&s->stdin_io);
	(void)!http_client_end(&s->feed.http);
}

/* Invariant 2: read only what there is room for. */
static bool pump_once(struct session *s)
{
	uint8_t piece[PIECE_BYTES];
	ssize_t n = 0;

	if (s->is_stdin_done || !s->is_feed_ready)
		return false;
	if (http_client_room(&s->feed.http) < FRAME_MAX_BYTES) {
		ev_io_set(&s->stdin_io, 0);
		return false;
	}
	n = fd_read(STDIN_FILENO, piece, sizeof(piece));
	if (n == -EAGAIN)
		return false;
	if (n <= 0 || put_bytes(s, span_of(piece, (size_t)n)) < 0)
		finish(s);
	return n > 0;
}

static void pump(struct session *s)
{
	/* A terminal or pipe is read once per readiness, a file as long as
	 * there is room. */
	while (pump_once(s) && !s->is_stdin_polled)
		;
	api_conn_pump(&s->feed);
}

static void on_stdin(struct ev_io *io, uint32_t events)
{
	(void)events;
	pump(io->owner);
}

static void on_room(struct http_client *c)
{
	struct session *s = session_of(c);

	if (s->is_stdin_done)
		return;
	ev_io_set(&s->stdin_io, EPOLLIN);
	if (!s->is_stdin_polled)
		while (pump_once(s))
			;
}

static void on_head(struct http_client *c, const struct http_head *head)
{
	(void)c;
	(void)head;
}

static void on_body(struct http_client *c, struct span piece)
{
	(void)c;
	(void)piece;
}

/* Every piece of stdin was taken: now its end may be told. */
static void on_end(struct http_client *c)
{
	struct session *s = session_of(c);

	if (!s->is_stdin_done)
		finish(s); /* the command reads no more */
	if (!s->request->wants_pty)
		calls_put(s, "CloseStdin", "{\"process\":{\"pid\":%llu}}",
			  (unsigned long long)s->pid);
}

static void on_fail(struct http_client *c, int code)
{
	struct session *s = session_of(c);

	(void)code;
	s->is_stdin_done = true;
	ev_io_del(&s->stdin_io);
}

static const struct http_client_ops ops = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
	.on_room = on_room,
};

static int begin(struct session *s)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(4096);
	char start[96];

	TRY(api_conn_open(&s->feed, &s->loop, s->sandbox->api_socket, &ops, s,
			  s->e));
	TRY(session_headers(s, &headers, "application/connect+json"));
	TRY(http_client_start(&s->feed.http, "POST",
			      span_str("/process.Process/StreamInput"),
			      buf_span(&headers), HTTP_LENGTH_UNKNOWN));
	(void)snprintf(start, sizeof(start),
		       "{\"start\":{\"process\":{\"pid\":%llu}}}",
		       (unsigned long long)s->pid);
	return put_frame(s, span_str(start));
}

void feed_start(struct session *s)
{
	int r = 0;

	if (s->request->no_stdin) {
		calls_put(s, "CloseStdin", "{\"process\":{\"pid\":%llu}}",
			  (unsigned long long)s->pid);
		return;
	}
	r = begin(s);
	if (r == 0)
		r = ev_io_add(&s->loop, &s->stdin_io, STDIN_FILENO, EPOLLIN,
			      on_stdin, s);
	s->is_stdin_polled = r == 0;
	if (r < 0 && r != -EPERM) {
		session_fail(s, r);
		return;
	}
	s->is_feed_ready = true;
	if (!s->is_stdin_polled)
		pump(s);
	else
		api_conn_pump(&s->feed);
}

void feed_fini(struct session *s)
{
	ev_io_del(&s->stdin_io);
	api_conn_close(&s->feed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives a server connection with given bytes, cut by a seed, and writes down
 * all that the handler saw and all that was sent. The notes must not depend on
 * the seed. What the handler does is told by the request's path:
 *
 *	/e...  replies in on_request, before the body
 *	/s...  begins a chunked reply in on_request, ends it in on_end
 *	/l...  announces 10 bytes, sends 4
 *	/a...  aborts in on_request
 *	/p...  pauses the body, the driver lets it go on
 *	else   replies in on_end
 */
#ifndef CPN_TEST_HTTP_DRIVE_H
#define CPN_TEST_HTTP_DRIVE_H

#include <stdlib.h>

#include "wire/http_server.h"

struct drive {
	struct http_server server;
	struct buf notes;
	struct buf output;
	uint32_t seed; /* 0: all at once, or in two pieces cut at @cut */
	size_t cut;
	char mode;
	bool is_in_body;
};

static inline void drive_must(int r)
{
	if (r < 0)
		abort();
}

static inline size_t drive_cut(struct drive *d, size_t max)
{
	size_t n = max;

	if (d->seed == 0)
		return max;
	d->seed = d->seed * 1664525 + 1013904223;
	n = (d->seed >> 28) == 0 ? d->seed >> 16 & 0x3ff : d->seed >> 24 & 7;
	n++;
	return n < max ? n : max;
}

static inline void drive_note(struct drive *d, const char *what, struct span s)
{
	drive_must(buf_printf(&d->notes, "%s", what));
	drive_must(buf_put(&d->notes, s));
	drive_must(buf_put_str(&d->notes, "\n"));
	d->is_in_body = false;
}

static inline void drive_on_request(struct http_server *s,
				    const struct http_head *head)
{
	struct drive *d = s->owner;

	drive_note(d, "request ", head->method);
	drive_note(d, "path ", head->path);
	drive_note(d, "query ", head->query);
	drive_must(buf_printf(&d->notes, "%u %d %ju %d %d\n", head->minor,
			      (int)head->framing,
			      (uintmax_t)head->content_length,
			      head->is_keep_alive, head->expects_continue));
	for (size_t i = 0; i < head->header_count; i++) {
		drive_note(d, "name ", head->headers[i].name);
		drive_note(d, "value ", head->headers[i].value);
	}
	d->mode = head->path.len > 1 ? (char)head->path.ptr[1] : '-';
	if (d->mode == 'e')
		drive_must(http_reply(s, 403, NULL, span_str("early")));
	else if (d->mode == 's')
		drive_must(http_reply_start(s, 200, span_str("A: b\r\n"),
					    HTTP_LENGTH_UNKNOWN));
	else if (d->mode == 'l')
		drive_must(http_reply_start(s, 200, span_of(NULL, 0), 10));
	else if (d->mode == 'a')
		http_reply_abort(s);
	else if (d->mode == 'p')
		http_server_pause(s, true);
}

static inline void drive_on_body(struct http_server *s, struct span piece)
{
	struct drive *d = s->owner;

	if (piece.len == 0)
		abort();
	if (!d->is_in_body)
		drive_must(buf_put_str(&d->notes, "body "));
	drive_must(buf_put(&d->notes, piece));
	d->is_in_body = true;
}

static inline void drive_on_end(struct http_server *s)
{
	struct drive *d = s->owner;

	drive_note(d, "\nend", span_of(NULL, 0));
	if (d->mode == 's' || d->mode == 'l') {
		drive_must(http_reply_piece(s, span_str("part")));
		drive_must(http_reply_end(s));
		return;
	}
	drive_must(http_reply(s, 200, "text/plain", span_str("late")));
}

static inline void drive_on_gone(struct http_server *s)
{
	drive_note(s->owner, "\ngone", span_of(NULL, 0));
}

static const struct http_server_ops DRIVE_OPS = {
	.on_request = drive_on_request,
	.on_body = drive_on_body,
	.on_end = drive_on_end,
	.on_gone = drive_on_gone,
};

/* Sends some of the output; whether there was any. */
static inline bool drive_drain(struct drive *d)
{
	struct span out = http_server_output(&d->server);

	if (out.len > HTTP_SERVER_OUT_MAX_BYTES + HTTP_HEAD_MAX_BYTES + 1024)
		abort();
	out = span_to(out, drive_cut(d, out.len));
	drive_must(buf_put(&d->output, out));
	http_server_sent(&d->server, out.len);
	return out.len > 0;
}

static inline void drive_init(struct drive *d, uint32_t seed)
{
	*d = (struct drive){
		.notes = BUF_EMPTY((size_t)64 << 20),
		.output = BUF_EMPTY((size_t)64 << 20),
		.seed = seed,
	};
	http_server_init(&d->server, &DRIVE_OPS, d);
}

static inline void drive_fini(struct drive *d)
{
	buf_fini(&d->notes);
	buf_fini(&d->output);
}

/* Feeds @input up to its end of file. */
static inline void drive_run(struct drive *d, struct span input)
{
	size_t at = 0; /* bytes taken */
	size_t seen = 0;
	bool goes_on = true;

	while (goes_on) {
		size_t more = seen == 0 && d->cut > 0 && d->cut < input.len ?
				      d->cut :
				      drive_cut(d, input.len - seen);
		struct span in = span_to(span_from(input, at),
					 seen + more - at);
		size_t before = in.len;

		seen += more;
		drive_must(http_server_feed(&d->server, &in));
		at += before - in.len;
		goes_on = more > 0 || in.len != before || d->server.is_paused;
		http_server_pause(&d->server, false);
		goes_on = drive_drain(d) || goes_on;
	}
	drive_must(buf_printf(&d->notes, "\nover %d left %zu\n",
			      http_server_is_over(&d->server), input.len - at));
	http_server_fini(&d->server);
}

#endif

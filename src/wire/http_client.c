// SPDX-License-Identifier: Apache-2.0
// The client's side of one HTTP/1.1 connection.
//
// Theory. One enum says what is awaited from the server; MOVES says which
// follows which, and an impossible move ends the connection. The request's
// body runs beside it: it is open while a response is awaited and
// is_request_done is not set.
//
//	IDLE ──► AWAITING ──► READING ──► IDLE, if the connection is reusable
//
// Invariants: see http_client.h.

#include "wire/http_client.h"

enum client_state {
	CLIENT_IDLE,
	CLIENT_AWAITING, /* collects the response's head */
	CLIENT_READING,	 /* its body */
	CLIENT_DEAD,
	CLIENT_STATE_COUNT,
};

enum {
	/* A chunk's size line and CRLF, and the last chunk. */
	CHUNK_OVERHEAD_BYTES = 32,
};

static const bool MOVES[CLIENT_STATE_COUNT][CLIENT_STATE_COUNT] = {
	[CLIENT_IDLE] = { [CLIENT_AWAITING] = true, [CLIENT_DEAD] = true },
	[CLIENT_AWAITING] = { [CLIENT_READING] = true, [CLIENT_DEAD] = true },
	[CLIENT_READING] = { [CLIENT_IDLE] = true, [CLIENT_DEAD] = true },
	[CLIENT_DEAD] = { [CLIENT_DEAD] = true },
};

static void move(struct http_client *c, enum client_state to)
{
	c->state = MOVES[c->state][to] ? (int)to : CLIENT_DEAD;
}

static bool is_under_way(const struct http_client *c)
{
	return c->state == CLIENT_AWAITING || c->state == CLIENT_READING;
}

void http_client_init(struct http_client *c, const struct http_client_ops *ops,
		      void *owner)
{
	*c = (struct http_client){
		.ops = ops,
		.owner = owner,
		.state = CLIENT_IDLE,
		.head = BUF_EMPTY(HTTP_HEAD_MAX_BYTES),
		.out = BUF_EMPTY(HTTP_CLIENT_OUT_MAX_BYTES),
	};
}

void http_client_fini(struct http_client *c)
{
	c->state = CLIENT_DEAD;
	buf_fini(&c->head);
	buf_fini(&c->out);
}

/* ---- the request ---- */

static enum http_framing framing_of(uint64_t length)
{
	if (length == HTTP_LENGTH_UNKNOWN)
		return HTTP_CHUNKED;
	return length > 0 ? HTTP_LENGTH : HTTP_NO_BODY;
}

/* Methods that mean a body: RFC 9110 8.6 wants a zero length told. */
static bool has_body_by_nature(const char *method)
{
	static const char *const METHODS[] = { "POST", "PUT", "PATCH" };

	for (size_t i = 0; i < ARRAY_LEN(METHODS); i++) {
		if (span_is(span_str(method), METHODS[i]))
			return true;
	}
	return false;
}

static int put_head(struct buf *out, const char *method, struct span target,
		    struct span headers, uint64_t length)
{
	TRY(buf_put_str(out, method));
	TRY(buf_put_str(out, " "));
	TRY(buf_put(out, target));
	TRY(buf_put_str(out, " HTTP/1.1\r\n"));
	TRY(buf_put(out, headers));
	if (length == HTTP_LENGTH_UNKNOWN)
		TRY(buf_put_str(out, "Transfer-Encoding: chunked\r\n"));
	else if (length > 0 || has_body_by_nature(method))
		TRY(buf_printf(out, "Content-Length: %ju\r\n",
			       (uintmax_t)length));
	return buf_put_str(out, "\r\n");
}

/* Invariant 3: the head means this one request, with the body announced. */
static int check_head(struct span written, const char *method,
		      struct span target, uint64_t length)
{
	struct http_head head;
	size_t used = 0;
	int r = http_parse_request(written, &head, &used);

	if (r != 1)
		return r == -E2BIG ? -E2BIG : -EINVAL;
	if (head.framing == HTTP_LENGTH && head.content_length == 0)
		head.framing = HTTP_NO_BODY;
	if (!span_is(head.method, method) || !span_eq(head.target, target))
		return -EINVAL;
	if (used != written.len || head.framing != framing_of(length) ||
	    (head.framing == HTTP_LENGTH && head.content_length != length) ||
	    !head.is_keep_alive)
		return -EINVAL;
	return 0;
}

int http_client_start(struct http_client *c, const char *method,
		      struct span target, struct span headers, uint64_t length)
{
	int r = 0;

	if (is_under_way(c))
		return -EBUSY;
	if (c->state == CLIENT_DEAD)
		return -ENOTCONN;
	r = put_head(&c->out, method, target, headers, length);
	if (r == 0)
		r = check_head(buf_span(&c->out), method, target, length);
	if (r < 0) {
		c->out.len = 0; /* as it is in every idle client */
		return r;
	}
	c->is_to_head = span_is(span_str(method), "HEAD");
	c->is_chunked_request = length == HTTP_LENGTH_UNKNOWN;
	c->is_request_done = length == 0;
	c->is_unsent = true;
	c->is_paused = false;
	c->is_keep_alive = false;
	c->request_remaining = length;
	move(c, CLIENT_AWAITING);
	return 0;
}

size_t http_client_room(const struct http_client *c)
{
	size_t taken = c->out.len + CHUNK_OVERHEAD_BYTES;
	size_t room = 0;

	if (!is_under_way(c) || c->is_request_done ||
	    taken >= HTTP_CLIENT_OUT_MAX_BYTES)
		return 0;
	room = HTTP_CLIENT_OUT_MAX_BYTES - taken;
	return c->request_remaining < room ? (size_t)c->request_remaining :
					     room;
}

int http_client_piece(struct http_client *c, struct span bytes)
{
	if (bytes.len > http_client_room(c))
		return -EMSGSIZE;
	if (bytes.len == 0)
		return 0;
	if (c->is_chunked_request)
		return http_put_chunk(&c->out, bytes);
	TRY(buf_put(&c->out, bytes));
	c->request_remaining -= bytes.len;
	c->is_request_done = c->request_remaining == 0;
	return 0;
}

int http_client_end(struct http_client *c)
{
	if (!is_under_way(c) || c->is_request_done)
		return 0;
	if (!c->is_chunked_request)
		return -EMSGSIZE;
	TRY(http_put_chunk(&c->out, span_of(NULL, 0)));
	c->is_request_done = true;
	return 0;
}

/* ---- the response ---- */

static int fail(struct http_client *c, int code)
{
	bool was_under_way = is_under_way(c);

	move(c, CLIENT_DEAD);
	if (was_under_way)
		c->ops->on_fail(c, code);
	return code;
}

/* @rest is what was received behind the response: nothing, if all is well. */
static void finish(struct http_client *c, struct span rest)
{
	bool is_reusable = c->is_keep_alive && c->is_request_done &&
			   c->out.len == 0 && rest.len == 0;

	move(c, is_reusable ? CLIENT_IDLE : CLIENT_DEAD);
	c->ops->on_end(c);
}

static int take_response(struct http_client *c, struct span bytes,
			 struct span rest)
{
	struct http_head head;
	size_t used = 0;
	int r = http_parse_response(bytes, c->is_to_head, &head, &used);

	if (r <= 0 || head.status == 101)
		return fail(c, -EBADMSG);
	if (head.status < 200)
		return 1;
	http_body_init(&c->body, &head);
	c->is_keep_alive = head.is_keep_alive;
	move(c, CLIENT_READING);
	c->ops->on_head(c, &head);
	if (c->state == CLIENT_READING && c->body.is_done)
		finish(c, rest);
	return 1;
}

/* Collects a head. 1 to go on, 0 to wait. */
static int take_head(struct http_client *c, struct span *in)
{
	struct span part;
	size_t used = 0;
	int r = 0;

	if (in->len == 0)
		return 0;
	/* An answer to nothing must not become the next request's. */
	if (c->is_unsent)
		return fail(c, -EBADMSG);
	r = http_scan_head(&c->scan, *in, &used);
	if (r < 0)
		return fail(c, -EBADMSG);
	part = span_to(*in, used);
	*in = span_from(*in, used);
	if (r == 0)
		return buf_put(&c->head, part);
	c->scan = (struct http_scan){ 0 };
	if (c->head.len == 0)
		return take_response(c, part, *in); /* came in one piece */
	TRY(buf_put(&c->head, part));
	r = take_response(c, buf_span(&c->head), *in);
	c->head.len = 0;
	return r;
}

static int take_body(struct http_client *c, struct span *in)
{
	struct span piece = span_of(NULL, 0);
	int r = 0;

	if (in->len == 0 || c->is_paused)
		return 0;
	r = http_body_next(&c->body, in, &piece);
	if (r < 0)
		return fail(c, -EBADMSG);
	if (r == 1)
		c->ops->on_body(c, piece);
	if (c->body.is_done)
		finish(c, *in);
	return 1;
}

int http_client_feed(struct http_client *c, struct span *in)
{
	int r = 1;

	while (r > 0 && is_under_way(c))
		r = c->state == CLIENT_AWAITING ? take_head(c, in) :
						  take_body(c, in);
	if (r < 0 || is_under_way(c) || in->len == 0)
		return r < 0 ? r : 0;
	*in = span_from(*in, in->len);
	return fail(c, -EBADMSG);
}

void http_client_eof(struct http_client *c)
{
	if (c->state == CLIENT_READING && c->body.framing == HTTP_UNTIL_CLOSE) {
		c->body.is_done = true;
		finish(c, span_of(NULL, 0));
		return;
	}
	(void)fail(c, -ECONNRESET);
}

void http_client_pause(struct http_client *c, bool on)
{
	c->is_paused = on;
}

/* ---- output ---- */

struct span http_client_output(const struct http_client *c)
{
	return buf_span(&c->out);
}

void http_client_sent(struct http_client *c, size_t n)
{
	if (n > 0)
		c->is_unsent = false;
	buf_drop(&c->out, n);
	if (c->ops->on_room != NULL && http_client_room(c) > 0)
		c->ops->on_room(c);
}

bool http_client_is_idle(const struct http_client *c)
{
	return c->state == CLIENT_IDLE;
}

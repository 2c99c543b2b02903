// SPDX-License-Identifier: Apache-2.0
// The server's side of one HTTP/1.1 connection.
//
// Theory. One enum says what is awaited from the client; MOVES says which
// follows which, and an impossible move ends the connection. A reply is open
// in RECEIVING (the body still arrives) and ANSWERING (it is complete).
//
//	HEAD ──► RECEIVING ──► ANSWERING ──► HEAD, if both sides keep alive
//	              ├─► DRAINING ────────► HEAD
//	              └────────────────────► HEAD, both complete at once
//
// Invariants: see http_server.h. Further:
//  4. A request's head is consumed only while the output is empty, so that
//     every reply has the whole output for itself.

#include "wire/http_server.h"

#include <stdio.h>

enum server_state {
	SERVER_HEAD,	  /* collects the next request's head */
	SERVER_RECEIVING, /* the body arrives, the reply is open */
	SERVER_ANSWERING, /* the body is complete, the reply is open */
	SERVER_DRAINING,  /* the reply is complete, the body is not */
	SERVER_OVER,
	SERVER_STATE_COUNT,
};

enum {
	/* A chunk's size line and CRLF, and the last chunk. */
	CHUNK_OVERHEAD_BYTES = 32,
	/* What stands in the output beside bodies: 100 Continue and a head. */
	OUT_HEADS_MAX_BYTES = HTTP_HEAD_MAX_BYTES + 1024,
};

static const bool MOVES[SERVER_STATE_COUNT][SERVER_STATE_COUNT] = {
	[SERVER_HEAD] = { [SERVER_RECEIVING] = true, [SERVER_OVER] = true },
	[SERVER_RECEIVING] = { [SERVER_ANSWERING] = true,
			       [SERVER_DRAINING] = true,
			       [SERVER_HEAD] = true,
			       [SERVER_OVER] = true },
	[SERVER_ANSWERING] = { [SERVER_HEAD] = true, [SERVER_OVER] = true },
	[SERVER_DRAINING] = { [SERVER_HEAD] = true, [SERVER_OVER] = true },
	[SERVER_OVER] = { [SERVER_OVER] = true },
};

static void move(struct http_server *s, enum server_state to)
{
	s->state = MOVES[s->state][to] ? (int)to : SERVER_OVER;
}

static bool is_reply_open(const struct http_server *s)
{
	return s->state == SERVER_RECEIVING || s->state == SERVER_ANSWERING;
}

void http_server_init(struct http_server *s, const struct http_server_ops *ops,
		      void *owner)
{
	*s = (struct http_server){
		.ops = ops,
		.owner = owner,
		.state = SERVER_HEAD,
		.head = BUF_EMPTY(HTTP_HEAD_MAX_BYTES),
		.out = BUF_EMPTY(HTTP_SERVER_OUT_MAX_BYTES +
				 OUT_HEADS_MAX_BYTES),
	};
}

/* Ends the connection without the reply that is open, if one is. */
static void give_up(struct http_server *s)
{
	bool was_open = is_reply_open(s);

	move(s, SERVER_OVER);
	if (was_open && s->ops->on_gone != NULL)
		s->ops->on_gone(s);
}

void http_server_fini(struct http_server *s)
{
	if (s->ops != NULL)
		give_up(s);
	buf_fini(&s->head);
	buf_fini(&s->out);
}

/* ---- replies ---- */

/* RFC 9112 6.1, 6.3: which length the head tells. */
static int put_framing(struct http_server *s, unsigned status, uint64_t length)
{
	if (status == 204 || status == 304)
		return 0;
	if (length != HTTP_LENGTH_UNKNOWN)
		return buf_printf(&s->out, "Content-Length: %ju\r\n",
				  (uintmax_t)length);
	return s->minor == 0 ?
		       0 :
		       buf_put_str(&s->out, "Transfer-Encoding: chunked\r\n");
}

/* RFC 9112 9.3: what the client would not assume by itself. */
static int put_connection(struct http_server *s)
{
	if (s->is_closing)
		return buf_put_str(&s->out, "Connection: close\r\n");
	return s->minor == 0 ?
		       buf_put_str(&s->out, "Connection: keep-alive\r\n") :
		       0;
}

static int put_head(struct http_server *s, unsigned status, const char *type,
		    struct span headers, uint64_t length)
{
	if (status < 200 || status > 599)
		return -EINVAL;
	TRY(buf_printf(&s->out, "HTTP/1.1 %u %s\r\n", status,
		       http_status_text(status)));
	if (type != NULL)
		TRY(http_put_header(&s->out, "Content-Type", span_str(type)));
	TRY(buf_put(&s->out, headers));
	TRY(put_framing(s, status, length));
	TRY(put_connection(s));
	return buf_put_str(&s->out, "\r\n");
}

/* Whether what was put at @from is the head that was meant, and all of it. */
static int check_head(const struct http_server *s, size_t from, uint64_t length)
{
	struct span written = span_from(buf_span(&s->out), from);
	enum http_framing framing = HTTP_LENGTH;
	struct http_head head;
	size_t used = 0;
	int r = http_parse_response(written, false, &head, &used);

	if (r != 1)
		return r == -E2BIG ? -E2BIG : -EINVAL;
	if (head.status == 204 || head.status == 304)
		framing = HTTP_NO_BODY;
	else if (length == HTTP_LENGTH_UNKNOWN)
		framing = s->minor == 0 ? HTTP_UNTIL_CLOSE : HTTP_CHUNKED;
	if (used != written.len || head.framing != framing ||
	    (framing == HTTP_LENGTH && head.content_length != length))
		return -EINVAL;
	return 0;
}

/* Writes the head of the answer, or nothing; takes note of what it promises. */
static int begin_reply(struct http_server *s, unsigned status, const char *type,
		       struct span headers, uint64_t length)
{
	size_t old_len = s->out.len;
	bool was_closing = s->is_closing;
	int r = 0;

	if (!is_reply_open(s) || s->is_reply_started)
		return -EINVAL;
	s->is_closing = was_closing || s->owes_continue ||
			(length == HTTP_LENGTH_UNKNOWN && s->minor == 0);
	r = put_head(s, status, type, headers, length);
	if (r == 0)
		r = check_head(s, old_len, length);
	if (r < 0) {
		s->out.len = old_len;
		s->is_closing = was_closing;
		return r;
	}
	s->is_reply_started = true;
	s->is_bodiless_reply = s->is_head_request || status == 204 ||
			       status == 304;
	s->is_chunked_reply = length == HTTP_LENGTH_UNKNOWN && s->minor == 1;
	s->reply_remaining = length;
	return 0;
}

/* The reply is complete: on to the next request, or to the rest of this. */
static void finish_reply(struct http_server *s)
{
	s->drained_bytes = 0;
	if (s->state == SERVER_RECEIVING && !s->body.is_done) {
		/* Nobody can tell whether an uninvited body will come. */
		move(s, s->owes_continue ? SERVER_OVER : SERVER_DRAINING);
		return;
	}
	move(s, s->is_closing ? SERVER_OVER : SERVER_HEAD);
}

/* Whether more of the body is announced than will be drained. */
static bool is_body_too_long(const struct http_server *s)
{
	return s->body.framing == HTTP_LENGTH &&
	       s->body.remaining > HTTP_SERVER_DRAIN_MAX_BYTES;
}

int http_reply(struct http_server *s, unsigned status, const char *type,
	       struct span body)
{
	size_t old_len = s->out.len;
	bool was_closing = s->is_closing;
	int r = 0;

	if (body.len > HTTP_SERVER_OUT_MAX_BYTES)
		return -E2BIG;
	s->is_closing = was_closing || is_body_too_long(s);
	r = begin_reply(s, status, type, span_of(NULL, 0), body.len);
	if (r == 0 && !s->is_bodiless_reply)
		r = buf_put(&s->out, body);
	if (r < 0) {
		s->out.len = old_len;
		s->is_closing = was_closing;
		return r;
	}
	finish_reply(s);
	return 0;
}

int http_reply_start(struct http_server *s, unsigned status,
		     struct span headers, uint64_t length)
{
	if (headers.len > HTTP_HEAD_MAX_BYTES)
		return -E2BIG;
	return begin_reply(s, status, NULL, headers, length);
}

static bool is_streaming(const struct http_server *s)
{
	return is_reply_open(s) && s->is_reply_started;
}

size_t http_reply_room(const struct http_server *s)
{
	size_t taken = s->out.len + CHUNK_OVERHEAD_BYTES;
	size_t room = 0;

	if (!is_streaming(s) || taken >= HTTP_SERVER_OUT_MAX_BYTES)
		return 0;
	room = HTTP_SERVER_OUT_MAX_BYTES - taken;
	return s->reply_remaining < room ? (size_t)s->reply_remaining : room;
}

int http_reply_piece(struct http_server *s, struct span bytes)
{
	if (bytes.len > http_reply_room(s))
		return -EMSGSIZE;
	if (bytes.len == 0)
		return 0;
	if (s->is_chunked_reply && !s->is_bodiless_reply)
		TRY(http_put_chunk(&s->out, bytes));
	else if (!s->is_bodiless_reply)
		TRY(buf_put(&s->out, bytes));
	if (s->reply_remaining != HTTP_LENGTH_UNKNOWN)
		s->reply_remaining -= bytes.len;
	return 0;
}

int http_reply_end(struct http_server *s)
{
	bool is_unmeasured = s->reply_remaining == HTTP_LENGTH_UNKNOWN;

	if (!is_streaming(s))
		return 0;
	if (s->reply_remaining > 0 && !is_unmeasured && !s->is_bodiless_reply) {
		http_reply_abort(s);
		return 0;
	}
	if (s->is_chunked_reply && !s->is_bodiless_reply)
		TRY(http_put_chunk(&s->out, span_of(NULL, 0)));
	finish_reply(s);
	return 0;
}

void http_reply_abort(struct http_server *s)
{
	move(s, SERVER_OVER);
}

/* ---- requests ---- */

/* Answers a request that the handler does not see; then it is over. */
static int refuse(struct http_server *s, unsigned status)
{
	char body[128];
	int len = snprintf(body, sizeof(body),
			   "{\"code\":%u,\"message\":\"%s\"}", status,
			   http_status_text(status));

	s->is_closing = true;
	s->owes_continue = false;
	TRY(put_head(s, status, "application/json", span_of(NULL, 0),
		     (uint64_t)len));
	return s->is_head_request ?
		       0 :
		       buf_put(&s->out, span_of(body, (size_t)len));
}

/* Answers a head that could not be parsed. */
static int refuse_head(struct http_server *s, int code)
{
	static const struct {
		int code;
		unsigned status;
	} ANSWERS[] = {
		{ -E2BIG, 431 },
		{ -EPROTONOSUPPORT, 505 },
		{ -ENOSYS, 501 },
	};
	unsigned status = 400;

	for (size_t i = 0; i < ARRAY_LEN(ANSWERS); i++) {
		if (ANSWERS[i].code == code)
			status = ANSWERS[i].status;
	}
	s->minor = 1;
	s->is_head_request = false;
	move(s, SERVER_OVER);
	return refuse(s, status);
}

/* The body's framing broke; where its end is nobody knows. */
static int refuse_body(struct http_server *s)
{
	bool is_silent = s->is_reply_started || !is_reply_open(s);

	give_up(s);
	return is_silent ? 0 : refuse(s, 400);
}

static void finish_body(struct http_server *s)
{
	if (s->state == SERVER_RECEIVING) {
		move(s, SERVER_ANSWERING);
		s->ops->on_end(s);
	} else if (s->state == SERVER_DRAINING) {
		move(s, s->is_closing ? SERVER_OVER : SERVER_HEAD);
	}
}

static void begin_request(struct http_server *s, const struct http_head *head)
{
	http_body_init(&s->body, head);
	s->is_head_request = span_is(head->method, "HEAD");
	s->is_reply_started = false;
	s->is_chunked_reply = false;
	s->is_bodiless_reply = false;
	s->is_closing = !head->is_keep_alive;
	s->is_paused = false;
	s->owes_continue = head->expects_continue && !s->body.is_done;
	s->reply_remaining = 0;
	s->minor = head->minor;
	move(s, SERVER_RECEIVING);
	s->ops->on_request(s, head);
}

/* A whole head: hands the request to the handler. */
static int take_request(struct http_server *s, struct span bytes)
{
	struct http_head head;
	size_t used = 0;
	int r = http_parse_request(bytes, &head, &used);

	if (r <= 0)
		return refuse_head(s, r == 0 ? -EBADMSG : r);
	begin_request(s, &head);
	if (s->state == SERVER_RECEIVING && s->owes_continue &&
	    !s->is_reply_started) {
		s->owes_continue = false;
		TRY(buf_put_str(&s->out, "HTTP/1.1 100 Continue\r\n\r\n"));
	}
	if (s->body.is_done)
		finish_body(s);
	return 1;
}

/* Collects a head. 1 to go on, 0 to wait. */
static int take_head(struct http_server *s, struct span *in)
{
	struct span part;
	size_t used = 0;
	int r = 0;

	if (in->len == 0 || s->out.len > 0) /* invariant 4 */
		return 0;
	r = http_scan_head(&s->scan, *in, &used);
	if (r < 0)
		return refuse_head(s, r);
	part = span_to(*in, used);
	*in = span_from(*in, used);
	if (r == 0)
		return buf_put(&s->head, part);
	s->scan = (struct http_scan){ 0 };
	if (s->head.len == 0)
		return take_request(s, part); /* came in one piece */
	TRY(buf_put(&s->head, part));
	r = take_request(s, buf_span(&s->head));
	s->head.len = 0;
	return r;
}

/* Counts what is dropped of a body. 1 to go on, 0 when it was too much. */
static int count_drained(struct http_server *s, size_t bytes)
{
	s->drained_bytes += bytes;
	if (s->drained_bytes <= HTTP_SERVER_DRAIN_MAX_BYTES)
		return 1;
	move(s, SERVER_OVER);
	return 0;
}

/* A piece of the body, for the handler or for nobody. */
static int take_body(struct http_server *s, struct span *in)
{
	struct span piece = span_of(NULL, 0);
	bool is_draining = s->state == SERVER_DRAINING;
	size_t before = in->len;
	int r = 0;

	if (in->len == 0 || (s->is_paused && !is_draining))
		return 0;
	r = http_body_next(&s->body, in, &piece);
	if (r < 0)
		return refuse_body(s);
	if (is_draining && count_drained(s, before - in->len) == 0)
		return 0;
	if (r == 1 && !is_draining)
		s->ops->on_body(s, piece);
	if (s->body.is_done)
		finish_body(s);
	return 1;
}

int http_server_feed(struct http_server *s, struct span *in)
{
	int r = 1;

	while (r > 0 && s->state != SERVER_OVER) {
		if (s->state == SERVER_HEAD)
			r = take_head(s, in);
		else if (s->state == SERVER_ANSWERING)
			r = 0;
		else
			r = take_body(s, in);
	}
	if (s->state == SERVER_OVER)
		*in = span_from(*in, in->len);
	return r < 0 ? r : 0;
}

void http_server_pause(struct http_server *s, bool on)
{
	s->is_paused = on;
}

/* ---- output ---- */

struct span http_server_output(const struct http_server *s)
{
	return buf_span(&s->out);
}

void http_server_sent(struct http_server *s, size_t n)
{
	buf_drop(&s->out, n);
	if (s->ops->on_room != NULL && http_reply_room(s) > 0)
		s->ops->on_room(s);
}

bool http_server_is_over(const struct http_server *s)
{
	return s->state == SERVER_OVER;
}

// SPDX-License-Identifier: Apache-2.0
// One HTTP request being answered, and the connection it came on.

#include "agent/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "wire/base64.h"

enum {
	MESSAGE_BYTES = 1024,
	REPLY_MAX_BYTES = 4194304, /* of a whole reply */
	TIMEOUT_MAX_MS = 2147483647,
};

static void advance(struct request *r);

static void broken(struct request *r, int code)
{
	if (code < 0)
		r->is_broken = true;
}

/* ---- answering ---- */

static void complete(struct request *r)
{
	r->is_open = false;
	r->on_cancel = NULL;
}

/* Streams what a whole reply could not give away at once. */
static void send_rest(struct request *r)
{
	size_t n = request_room(r);

	if (n > r->rest.len)
		n = r->rest.len;
	request_piece(r, span_of(r->rest.ptr, n));
	buf_drop(&r->rest, n);
	if (r->rest.len == 0 && !r->is_broken) {
		buf_fini(&r->rest);
		request_end(r);
	}
}

void request_reply(struct request *r, unsigned status, const char *type,
		   struct span body)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(HTTP_HEAD_MAX_BYTES);

	/* The handler has nothing left to free. */
	r->on_cancel = NULL;
	if (r->is_broken)
		return;
	if (body.len <= HTTP_SERVER_OUT_MAX_BYTES / 2) {
		complete(r);
		broken(r, http_reply(&r->http, status, type, body));
		advance(r);
		return;
	}
	r->rest = BUF_EMPTY(REPLY_MAX_BYTES);
	broken(r, buf_put(&r->rest, body));
	if (type != NULL)
		broken(r, http_put_header(&headers, "Content-Type",
					  span_str(type)));
	request_start(r, status, buf_span(&headers), body.len);
	send_rest(r);
}

/* What a JSON string may not hold as it is. */
static int put_json_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c >= 0x7f)
			TRY(buf_printf(out, "\\u%04x", c));
		else if (c == '"' || c == '\\')
			TRY(buf_printf(out, "\\%c", c));
		else
			TRY(buf_put(out, span_of(text, 1)));
	}
	return 0;
}

void request_fail(struct request *r, unsigned status, const char *fmt, ...)
{
	CLEANUP(buf_fini) struct buf body = BUF_EMPTY(8UL * MESSAGE_BYTES);
	char message[MESSAGE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	broken(r, buf_printf(&body, "{\"code\":%u,\"message\":\"", status));
	broken(r, put_json_text(&body, message));
	broken(r, buf_put_str(&body, "\"}"));
	request_reply(r, status, "application/json", buf_span(&body));
}

void request_start(struct request *r, unsigned status, struct span headers,
		   uint64_t length)
{
	if (!r->is_broken)
		broken(r, http_reply_start(&r->http, status, headers, length));
	advance(r);
}

size_t request_room(const struct request *r)
{
	return r->is_broken ? 0 : http_reply_room(&r->http);
}

void request_piece(struct request *r, struct span bytes)
{
	if (bytes.len != 0 && !r->is_broken)
		broken(r, http_reply_piece(&r->http, bytes));
	advance(r);
}

void request_end(struct request *r)
{
	complete(r);
	if (!r->is_broken)
		broken(r, http_reply_end(&r->http));
	advance(r);
}

void request_abort(struct request *r)
{
	/* The handler's state goes with the connection, in on_cancel. */
	r->is_broken = true;
	advance(r);
}

void request_pause(struct request *r, bool on)
{
	http_server_pause(&r->http, on);
	if (!on)
		advance(r);
}

/* ---- the head ---- */

/* "Authorization: Basic" with a name and an empty password. */
static void read_user(struct request *r, const struct http_head *head)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(2UL * REQUEST_USER_BYTES);
	struct span value = { 0 };
	uint8_t *colon = NULL;

	r->user[0] = '\0';
	r->is_user_bad = false;
	if (!http_find(head, "Authorization", &value))
		return;
	r->is_user_bad = true;
	if (!span_is_nocase(span_to(value, 6), "Basic ") ||
	    base64_decode(span_from(value, 6), &text) < 0 || text.len == 0)
		return;
	colon = memchr(text.ptr, ':', text.len);
	if (colon != NULL)
		text.len = (size_t)(colon - text.ptr);
	if (span_copy_str(buf_span(&text), r->user, sizeof(r->user)) == 0)
		r->is_user_bad = false;
}

static uint64_t header_number(const struct http_head *head, const char *name,
			      uint64_t max)
{
	struct span value = { 0 };
	uint64_t n = 0;

	if (!http_find(head, name, &value) || num_parse(value, 0, max, &n) < 0)
		return 0;
	return n;
}

/* Return: whether the request may go to its handler. */
static bool is_admitted(struct request *r, const struct http_head *head)
{
	const struct identity *identity = &r->agent->identity;
	struct span token = { 0 };

	if (!identity->is_known && !r->route->is_init) {
		request_fail(r, 503, "the sandbox has no identity yet");
		return false;
	}
	if (r->route->is_open)
		return true;
	if (http_find(head, "X-Access-Token", &token) &&
	    span_eq_secret(token, span_str(identity->token)))
		return true;
	request_fail(r, 401,
		     "unauthorized access, please provide a valid access "
		     "token");
	return false;
}

static struct request *of(struct http_server *s)
{
	return s->owner;
}

static void on_request(struct http_server *s, const struct http_head *head)
{
	struct request *r = of(s);
	bool is_known = false;

	buf_fini(&r->body);
	buf_fini(&r->rest);
	r->state = NULL;
	r->on_cancel = NULL;
	r->is_open = true;
	r->route = request_route(head->method, head->path, &is_known);
	if (r->route == NULL) {
		request_fail(r, is_known ? 405 : 404, "no such endpoint");
		return;
	}
	if (!is_admitted(r, head))
		return;
	read_user(r, head);
	r->timeout_ns = NS_PER_MS * header_number(head, "Connect-Timeout-Ms",
						  TIMEOUT_MAX_MS);
	r->keepalive_ns = NS_PER_S * header_number(head,
						   "Keepalive-Ping-Interval",
						   TIMEOUT_MAX_MS / 1000);
	r->body = BUF_EMPTY(r->route->handler->body_max_bytes);
	if (r->route->handler->on_head != NULL)
		r->route->handler->on_head(r, head);
}

static void on_body(struct http_server *s, struct span piece)
{
	struct request *r = of(s);
	int code = 0;

	if (r->route->handler->on_body != NULL) {
		r->route->handler->on_body(r, piece);
		return;
	}
	code = buf_put(&r->body, piece);
	if (code == -E2BIG)
		request_fail(r, 413, "the request is larger than %zu bytes",
			     r->body.max);
	else
		broken(r, code);
}

static void on_end(struct http_server *s)
{
	struct request *r = of(s);

	r->route->handler->on_end(r);
}

static void on_room(struct http_server *s)
{
	struct request *r = of(s);

	if (r->rest.len != 0)
		send_rest(r);
	else if (r->route != NULL && r->route->handler->on_room != NULL)
		r->route->handler->on_room(r);
}

static void on_gone(struct http_server *s)
{
	struct request *r = of(s);

	if (r->on_cancel != NULL)
		r->on_cancel(r);
	r->on_cancel = NULL;
}

static const struct http_server_ops server_ops = {
	.on_request = on_request,
	.on_body = on_body,
	.on_end = on_end,
	.on_room = on_room,
	.on_gone = on_gone,
};

/* ---- the connection ---- */

static void request_free(struct request *r)
{
	/* on_gone may still want to answer: nobody listens. */
	r->is_broken = true;
	r->is_busy = true;
	ev_timer_del(&r->reaper);
	http_server_fini(&r->http);
	buf_fini(&r->body);
	buf_fini(&r->rest);
	buf_fini(&r->in);
	mem_free(r);
}

static void feed(struct request *r)
{
	struct span in = buf_span(&r->in);
	size_t used = 0;

	if (in.len == 0 || r->is_broken)
		return;
	broken(r, http_server_feed(&r->http, &in));
	used = r->in.len - in.len;
	buf_drop(&r->in, used);
	if (used != 0)
		wire_consumed(&r->stream, used);
	if (r->in.len == 0)
		buf_fini(&r->in);
}

/* Return: whether anything moved. */
static bool drain(struct request *r)
{
	struct span out = http_server_output(&r->http);
	size_t n = out.len == 0 ? 0 : wire_send(&r->stream, out);

	if (n != 0)
		http_server_sent(&r->http, n);
	return n != 0;
}

static bool is_over(const struct request *r)
{
	if (http_server_output(&r->http).len != 0)
		return false;
	return http_server_is_over(&r->http) ||
	       (r->is_input_over && r->in.len == 0 && !r->is_open);
}

static void on_reap(struct ev_timer *timer)
{
	request_free(timer->owner);
}

/* Ends the stream now; the memory goes when no handler is on the stack. */
static void finish(struct request *r)
{
	if (r->is_broken)
		wire_reset(&r->stream, MUX_REASON_ABORTED);
	else
		wire_close(&r->stream);
	r->is_finished = true;
	ev_timer_set(&r->agent->loop, &r->reaper, 0, on_reap, r);
}

/*
 * Goes on with whatever can: input, output, the end. Whatever a callback does
 * to the request meanwhile only asks for another round.
 */
static void advance(struct request *r)
{
	r->is_again = true;
	if (r->is_busy || r->is_finished)
		return;
	r->is_busy = true;
	while (r->is_again && !r->is_broken) {
		r->is_again = false;
		feed(r);
		if (drain(r))
			r->is_again = true;
	}
	r->is_busy = false;
	if (r->is_broken || is_over(r))
		finish(r);
}

static struct request *from(struct wire_stream *s)
{
	return (struct request *)((char *)s - offsetof(struct request, stream));
}

static void stream_data(struct wire_stream *s, struct span bytes)
{
	struct request *r = from(s);

	broken(r, buf_put(&r->in, bytes));
	advance(r);
}

static void stream_close(struct wire_stream *s)
{
	from(s)->is_input_over = true;
	advance(from(s));
}

static void stream_room(struct wire_stream *s)
{
	advance(from(s));
}

static void stream_gone(struct wire_stream *s)
{
	request_free(from(s));
}

static const struct wire_stream_ops stream_ops = {
	.on_data = stream_data,
	.on_close = stream_close,
	.on_room = stream_room,
	.on_gone = stream_gone,
};

void request_serve(struct agent *agent, uint32_t stream_id)
{
	struct request *r = mem_new(1, sizeof(*r));

	if (r == NULL)
		return;
	r->agent = agent;
	r->in = BUF_EMPTY(MUX_WINDOW_BYTES);
	http_server_init(&r->http, &server_ops, r);
	wire_accept(&agent->wire, stream_id, &r->stream, &stream_ops);
}

// SPDX-License-Identifier: Apache-2.0
// Small calls of a session: signals, window sizes, the end of input.

#include <stdarg.h>
#include <stdio.h>

#include "cli/session_parts.h"

static void start_next(struct session *s);

static void on_head(struct http_client *c, const struct http_head *head)
{
	(void)c;
	(void)head; /* a process that is gone needs no signal any more */
}

static void on_body(struct http_client *c, struct span piece)
{
	(void)c;
	(void)piece;
}

static struct session *session_of(struct http_client *c)
{
	struct api_conn *conn = c->owner;

	return conn->owner;
}

static void on_end(struct http_client *c)
{
	struct session *s = session_of(c);

	s->queue_head = (s->queue_head + 1) % CALLS_MAX;
	s->queue_len--;
	start_next(s);
}

static void on_fail(struct http_client *c, int code)
{
	(void)c;
	(void)code; /* the sandbox's end comes over the control channel */
}

static const struct http_client_ops ops = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
};

static int send_call(struct session *s, const struct call *call)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(4096);
	struct span body = span_str(call->body);
	char target[64];

	(void)snprintf(target, sizeof(target), "/process.Process/%s",
		       call->method);
	TRY(session_headers(s, &headers, "application/json"));
	TRY(http_client_start(&s->calls.http, "POST", span_str(target),
			      buf_span(&headers), body.len));
	TRY(http_client_piece(&s->calls.http, body));
	return http_client_end(&s->calls.http);
}

static void start_next(struct session *s)
{
	if (s->queue_len == 0 || !http_client_is_idle(&s->calls.http))
		return;
	if (send_call(s, &s->queue[s->queue_head]) == 0)
		api_conn_pump(&s->calls);
}

void calls_put(struct session *s, const char *method, const char *fmt, ...)
{
	struct call *call =
		&s->queue[(s->queue_head + s->queue_len) % CALLS_MAX];
	va_list ap;

	if (s->pid == 0 || s->queue_len == CALLS_MAX)
		return;
	/* The shim closes what rests for a minute. A call it did not answer is
	 * still the first of the queue and goes out again. */
	if (api_conn_is_lost(&s->calls))
		api_conn_close(&s->calls);
	if (s->calls.fd < 0 &&
	    api_conn_open(&s->calls, &s->loop, s->sandbox->api_socket, &ops, s,
			  NULL) < 0)
		return;
	call->method = method;
	va_start(ap, fmt);
	(void)vsnprintf(call->body, sizeof(call->body), fmt, ap);
	va_end(ap);
	s->queue_len++;
	start_next(s);
}

void calls_fini(struct session *s)
{
	api_conn_close(&s->calls);
}

// SPDX-License-Identifier: Apache-2.0
// The host's side of a wire, for tests.

#include "wire_client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rng.h"
#include "wire/base64.h"
#include "wire/connect.h"

static void must(int r)
{
	if (r < 0) {
		(void)fprintf(stderr, "# wire_client: %s\n", strerror(-r));
		abort();
	}
}

/* ---- replies ---- */

static void on_head(struct http_client *h, const struct http_head *head)
{
	struct reply *r = h->owner;

	r->status = head->status;
	for (size_t i = 0; i < head->header_count; i++)
		must(buf_printf(&r->headers, "%.*s: %.*s\n",
				(int)head->headers[i].name.len,
				(const char *)head->headers[i].name.ptr,
				(int)head->headers[i].value.len,
				(const char *)head->headers[i].value.ptr));
}

static void on_body(struct http_client *h, struct span piece)
{
	struct reply *r = h->owner;

	must(buf_put(&r->body, piece));
}

static void on_end(struct http_client *h)
{
	((struct reply *)h->owner)->is_done = true;
}

static void on_fail(struct http_client *h, int code)
{
	(void)code;
	((struct reply *)h->owner)->is_failed = true;
}

static const struct http_client_ops http_ops = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
};

static bool is_over(const struct reply *r)
{
	return r->is_done || r->is_failed;
}

/* The request's body, as far as there is room for it. */
static void push_upload(struct reply *r)
{
	size_t n = http_client_room(&r->http);

	if (r->is_raw || r->is_request_done || is_over(r))
		return;
	if (n > r->upload.len)
		n = r->upload.len;
	if (n != 0)
		must(http_client_piece(&r->http, span_of(r->upload.ptr, n)));
	buf_drop(&r->upload, n);
	if (r->upload.len == 0 && !r->is_upload_held) {
		must(http_client_end(&r->http));
		r->is_request_done = true;
	}
}

static void push(struct reply *r)
{
	struct mux *m = &r->client->mux;

	for (;;) {
		struct span out = r->is_raw ? buf_span(&r->upload) :
					      http_client_output(&r->http);
		size_t n = 0;

		if (out.len != 0)
			n = mux_send(m, r->stream, out);
		if (n == 0)
			break;
		if (r->is_raw)
			buf_drop(&r->upload, n);
		else
			http_client_sent(&r->http, n);
		push_upload(r);
	}
}

static void pull(struct reply *r)
{
	struct span in = buf_span(&r->received);
	size_t used = 0;

	if (r->is_stalled || in.len == 0)
		return;
	if (r->is_raw) {
		must(buf_put(&r->body, in));
		in.len = 0;
	} else if (is_over(r) || http_client_feed(&r->http, &in) < 0) {
		in.len = 0;
	}
	used = r->received.len - in.len;
	buf_drop(&r->received, used);
	mux_consumed(&r->client->mux, r->stream, used);
}

/* ---- the wire ---- */

static struct reply *find(struct client *c, uint32_t stream)
{
	for (size_t i = 0; i < CLIENT_REPLIES_MAX; i++) {
		if (c->replies[i] != NULL && c->replies[i]->stream == stream)
			return c->replies[i];
	}
	return NULL;
}

static void handle(struct client *c, const struct mux_event *event)
{
	struct reply *r = find(c, event->stream);

	if (event->type == MUX_EVENT_HELLO)
		c->epoch_seen = event->epoch;
	if (event->type == MUX_EVENT_OPEN)
		mux_reset(&c->mux, event->stream, MUX_REASON_REFUSED);
	if (r == NULL) {
		if (event->type == MUX_EVENT_DATA)
			mux_consumed(&c->mux, event->stream, event->bytes.len);
		return;
	}
	if (event->type == MUX_EVENT_DATA) {
		must(buf_put(&r->received, event->bytes));
	} else if (event->type == MUX_EVENT_CLOSE) {
		if (r->is_raw)
			r->is_done = true;
		else
			http_client_eof(&r->http);
	} else if (event->type == MUX_EVENT_RESET) {
		r->is_failed = true;
		r->stream = 0;
	}
}

static void take(struct client *c)
{
	for (;;) {
		struct span in = span_of(c->in + c->in_start, c->in_len);
		struct mux_event event = { 0 };
		int r = mux_next(&c->mux, &in, &event);

		c->in_start = (size_t)(in.ptr - c->in);
		c->in_len = in.len;
		if (r < 0)
			c->is_dead = true;
		if (r <= 0)
			return;
		handle(c, &event);
	}
}

static void write_out(struct client *c)
{
	for (;;) {
		struct span out = mux_output(&c->mux);
		ssize_t n = out.len == 0 ? 0 : fd_write(c->fd, out);

		if (n == -EPIPE)
			c->is_dead = true;
		if (n <= 0)
			return;
		mux_sent(&c->mux, (size_t)n);
	}
}

static void work(struct client *c)
{
	take(c);
	for (size_t i = 0; i < CLIENT_REPLIES_MAX; i++) {
		if (c->replies[i] != NULL) {
			pull(c->replies[i]);
			push_upload(c->replies[i]);
			push(c->replies[i]);
		}
	}
	write_out(c);
}

void client_step(struct client *c, int wait_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n = 0;

	work(c);
	if (mux_output(&c->mux).len != 0)
		p.events |= POLLOUT;
	if (poll(&p, 1, wait_ms) <= 0 || c->in_len != 0)
		return;
	if ((p.revents & (POLLIN | POLLHUP)) != 0) {
		n = fd_read(c->fd, c->in, sizeof(c->in));
		if (n == 0 || (n < 0 && n != -EAGAIN))
			c->is_dead = true;
		c->in_start = 0;
		c->in_len = n > 0 ? (size_t)n : 0;
	}
	work(c);
}

void client_init(struct client *c, int fd, uint64_t epoch)
{
	*c = (struct client){ .fd = fd };
	must(fd_set_nonblock(fd, true));
	mux_init(&c->mux, MUX_HOST, epoch);
}

void client_fini(struct client *c)
{
	for (size_t i = 0; i < CLIENT_REPLIES_MAX; i++)
		reply_free(c->replies[i]);
	fd_close(&c->fd);
}

/* ---- requests ---- */

static struct reply *open_stream(struct client *c, const char *target)
{
	struct reply *r = mem_new(1, sizeof(*r));
	uint64_t deadline = clock_boot_ns() + CLIENT_WAIT_MS * NS_PER_MS;
	size_t slot = 0;
	int code = 0;

	must(r == NULL ? -ENOMEM : 0);
	while ((code = mux_open(&c->mux, span_str(target), r, &r->stream)) ==
		       -EAGAIN ||
	       code == -ENOTCONN) {
		client_step(c, 10);
		if (clock_boot_ns() > deadline || c->is_dead)
			break;
	}
	if (code < 0) {
		(void)fprintf(stderr, "# open %s: %s\n", target,
			      strerror(-code));
		abort();
	}
	while (c->replies[slot] != NULL)
		slot++;
	c->replies[slot] = r;
	r->client = c;
	r->headers = BUF_EMPTY(65536);
	r->received = BUF_EMPTY(MUX_WINDOW_BYTES);
	r->body = BUF_EMPTY(CLIENT_REPLY_MAX_BYTES);
	r->upload = BUF_EMPTY(CLIENT_REPLY_MAX_BYTES);
	return r;
}

struct reply *client_raw(struct client *c, const char *target)
{
	struct reply *r = open_stream(c, target);

	r->is_raw = true;
	client_step(c, 0);
	return r;
}

static void put_headers(struct client *c, const char *type, struct buf *out)
{
	CLEANUP(buf_fini) struct buf user = BUF_EMPTY(256);

	must(http_put_header(out, "Host", span_str("sandbox")));
	if (c->token[0] != '\0')
		must(http_put_header(out, "X-Access-Token",
				     span_str(c->token)));
	if (type != NULL)
		must(http_put_header(out, "Content-Type", span_str(type)));
	if (c->timeout_ms != 0)
		must(buf_printf(out, "Connect-Timeout-Ms: %u\r\n",
				c->timeout_ms));
	if (c->extra != NULL)
		must(buf_put_str(out, c->extra));
	if (c->user[0] == '\0')
		return;
	must(buf_put_str(&user, c->user));
	must(buf_put_str(&user, ":"));
	must(buf_put_str(out, "Authorization: Basic "));
	must(base64_put(out, buf_span(&user)));
	must(buf_put_str(out, "\r\n"));
}

struct reply *client_request(struct client *c, const char *method,
			     const char *target, const char *type,
			     struct span body, bool is_held)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(16384);
	struct reply *r = open_stream(c, "agent");

	put_headers(c, type, &headers);
	http_client_init(&r->http, &http_ops, r);
	must(http_client_start(&r->http, method, span_str(target),
			       buf_span(&headers),
			       is_held ? HTTP_LENGTH_UNKNOWN : body.len));
	r->is_upload_held = is_held;
	must(buf_put(&r->upload, body));
	client_step(c, 0);
	return r;
}

void reply_send(struct reply *r, struct span bytes)
{
	must(buf_put(&r->upload, bytes));
	client_step(r->client, 0);
}

void reply_close(struct reply *r)
{
	r->is_upload_held = false;
	if (r->is_raw)
		mux_close(&r->client->mux, r->stream);
	client_step(r->client, 0);
}

void reply_free(struct reply *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < CLIENT_REPLIES_MAX; i++) {
		if (r->client->replies[i] == r)
			r->client->replies[i] = NULL;
	}
	if (r->stream != 0)
		mux_reset(&r->client->mux, r->stream, MUX_REASON_ABORTED);
	write_out(r->client);
	http_client_fini(&r->http);
	buf_fini(&r->headers);
	buf_fini(&r->received);
	buf_fini(&r->body);
	buf_fini(&r->upload);
	mem_free(r);
}

bool reply_wait(struct reply *r)
{
	uint64_t deadline = clock_boot_ns() + CLIENT_WAIT_MS * NS_PER_MS;

	while (!is_over(r) && !r->client->is_dead && clock_boot_ns() < deadline)
		client_step(r->client, 100);
	return r->is_done;
}

unsigned client_call(struct client *c, const char *method, const char *target,
		     const char *body, json_t **ret)
{
	struct reply *r = client_request(c, method, target, "application/json",
					 span_str(body == NULL ? "" : body),
					 false);
	unsigned status = reply_wait(r) ? r->status : 0;

	if (ret != NULL)
		*ret = json_loadb((const char *)r->body.ptr, r->body.len,
				  JSON_DECODE_ANY, NULL);
	reply_free(r);
	return status;
}

/* ---- streams ---- */

struct reply *client_stream(struct client *c, const char *target,
			    const char *message)
{
	CLEANUP(buf_fini) struct buf body = BUF_EMPTY(2097152);

	must(connect_put(&body, 0, span_str(message)));
	return client_request(c, "POST", target, "application/connect+json",
			      buf_span(&body), false);
}

json_t *reply_event(struct reply *r)
{
	uint64_t deadline = clock_boot_ns() + CLIENT_WAIT_MS * NS_PER_MS;

	for (;;) {
		struct span rest = span_from(buf_span(&r->body), r->taken);
		struct span message = span_of(NULL, 0);
		uint8_t flags = 0;
		int code = connect_next(&rest, CONNECT_MESSAGE_MAX_BYTES,
					&flags, &message);

		if (code == 1) {
			r->taken = r->body.len - rest.len;
			return json_loadb((const char *)message.ptr,
					  message.len, 0, NULL);
		}
		if (code < 0 || is_over(r) || r->client->is_dead ||
		    clock_boot_ns() > deadline)
			return NULL;
		client_step(r->client, 100);
	}
}

static void copy_text(const json_t *object, const char *name, char *dst,
		      size_t cap)
{
	const char *text = json_string_value(json_object_get(object, name));

	(void)snprintf(dst, cap, "%s", text == NULL ? "" : text);
}

static void take_bytes(const json_t *data, const char *name, struct buf *to)
{
	const char *text = json_string_value(json_object_get(data, name));

	if (text != NULL)
		must(base64_decode(span_str(text), to));
}

static void take_event(const json_t *message, struct outcome *ret)
{
	const json_t *event = json_object_get(message, "event");
	const json_t *data = json_object_get(event, "data");
	const json_t *end = json_object_get(event, "end");
	const json_t *error = json_object_get(message, "error");

	take_bytes(data, "stdout", &ret->out);
	take_bytes(data, "pty", &ret->out);
	take_bytes(data, "stderr", &ret->err);
	if (end != NULL) {
		ret->is_ended = true;
		ret->exit_code = (int)json_integer_value(
			json_object_get(end, "exitCode"));
		ret->signal =
			(int)json_integer_value(json_object_get(end, "signal"));
		copy_text(end, "status", ret->status, sizeof(ret->status));
		copy_text(end, "cause", ret->cause, sizeof(ret->cause));
	}
	if (error != NULL) {
		copy_text(error, "code", ret->error, sizeof(ret->error));
		copy_text(error, "message", ret->message, sizeof(ret->message));
	}
}

void reply_outcome(struct reply *r, struct outcome *ret)
{
	json_t *event = NULL;

	*ret = (struct outcome){
		.exit_code = -2,
		.out = BUF_EMPTY(CLIENT_REPLY_MAX_BYTES),
		.err = BUF_EMPTY(CLIENT_REPLY_MAX_BYTES),
	};
	while ((event = reply_event(r)) != NULL) {
		take_event(event, ret);
		json_decref(event);
	}
}

void outcome_fini(struct outcome *o)
{
	buf_fini(&o->out);
	buf_fini(&o->err);
}

void client_run(struct client *c, const char *script, struct outcome *ret)
{
	json_t *message = json_pack("{s:{s:s,s:[s,s]},s:b}", "process", "cmd",
				    "/bin/sh", "args", "-c", script, "stdin",
				    0);
	char *text = json_dumps(message, JSON_COMPACT);
	struct reply *r = client_stream(c, "/process.Process/Start", text);

	reply_outcome(r, ret);
	reply_free(r);
	mem_free(text);
	json_decref(message);
}

unsigned client_identify(struct client *c)
{
	CLEANUP(buf_fini) struct buf entropy = BUF_EMPTY(256);
	uint8_t bytes[64];
	char machine_id[33];
	char now[64];
	time_t t = time(NULL);
	json_t *body = NULL;
	char *text = NULL;
	unsigned status = 0;

	must(rng_fill(bytes, sizeof(bytes)));
	must(base64_put(&entropy, span_of(bytes, sizeof(bytes))));
	must(rng_hex(machine_id, 16));
	must(rng_hex(c->token, 32));
	(void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%S.123456789Z",
		       gmtime(&t));
	body = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s},s:s,s:s,s:I}",
			 "id", "itest", "template", "base", "hostname", "itest",
			 "token", c->token, "timestamp", now, "entropy",
			 buf_cstr(&entropy), "machineId", machine_id, "envVars",
			 "GREETING", "hello there", "defaultUser", "root",
			 "defaultWorkdir", "/tmp", "diskBytes", (json_int_t)1);
	text = json_dumps(body, JSON_COMPACT);
	status = client_call(c, "POST", "/init", text, NULL);
	mem_free(text);
	json_decref(body);
	return status;
}

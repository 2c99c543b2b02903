// SPDX-License-Identifier: Apache-2.0
// StreamInput: one request held open, whose body is input as it comes.
//
// Theory. Messages are taken out of the body one by one. While the process
// has not read one, the body is not read further: the client feels the
// process's own pace. An error is answered at once; the rest of the body is
// then read and dropped by the server below, so that the client sees the
// answer and not a broken connection.

#include "agent/proc_rpc.h"

#include "base/mem.h"
#include "wire/connect.h"

struct stream_input {
	struct process_input input; /* first: see of() */
	struct request *request;
	pid_t pid;
	struct ev_timer deadline;
	bool is_waiting; /* for the process to read */
	bool is_parsing;
	bool is_body_over;
};

static struct stream_input *of(struct process_input *input)
{
	return (struct stream_input *)input;
}

static void stream_free(struct stream_input *s)
{
	s->request->state = NULL;
	s->request->on_cancel = NULL;
	process_unsend(&s->input);
	buf_fini(&s->input.bytes);
	ev_timer_del(&s->deadline);
	mem_free(s);
}

static void on_cancel(struct request *r)
{
	stream_free(r->state);
}

static void fail(struct stream_input *s, const struct rpc_error *error)
{
	struct request *r = s->request;

	stream_free(s);
	request_pause(r, false);
	rpc_fail(r, error);
}

static void finish(struct stream_input *s)
{
	struct request *r = s->request;

	stream_free(s);
	rpc_stream_start(r);
	rpc_stream_put(r, json_object());
	rpc_stream_end(r);
}

static enum rpc_code take_start(struct stream_input *s, const json_t *start,
				struct rpc_error *error)
{
	struct process *p = proc_select(s->request, start, false, error);

	if (p == NULL)
		return error->code;
	s->pid = p->pid;
	return RPC_OK;
}

static enum rpc_code take_data(struct stream_input *s, const json_t *message,
			       struct rpc_error *error)
{
	struct process *p = process_find(&s->request->agent->processes, s->pid);

	if (s->pid == 0)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "the first message must be start");
	if (p == NULL || !process_is_live(p))
		return rpc_error(error, RPC_NOT_FOUND,
				 "process with pid %d not found", (int)s->pid);
	buf_fini(&s->input.bytes);
	if (proc_parse_input(p, message, &s->input.bytes, error) != RPC_OK)
		return error->code;
	s->is_waiting = true;
	process_send(p, &s->input);
	return RPC_OK;
}

static enum rpc_code take_message(struct stream_input *s, struct span text,
				  struct rpc_error *error)
{
	json_t *in = json_loadb((const char *)text.ptr, text.len, 0, NULL);
	const json_t *start = json_object_get(in, "start");
	const json_t *data = json_object_get(in, "data");
	enum rpc_code code = RPC_OK;

	if (!json_is_object(in))
		code = rpc_error(error, RPC_INVALID_ARGUMENT,
				 "a message is not a JSON object");
	else if (start != NULL)
		code = take_start(s, start, error);
	else if (data != NULL)
		code = take_data(s, data, error);
	json_decref(in);
	return code;
}

/* Takes messages until one has to wait. */
static void advance(struct stream_input *s)
{
	struct request *r = s->request;
	struct span rest = buf_span(&r->body);
	struct span message = span_of(NULL, 0);
	struct rpc_error error = { 0 };
	uint8_t flags = 0;
	int code = 1;

	s->is_parsing = true;
	while (code == 1 && !s->is_waiting && error.code == RPC_OK) {
		code = connect_next(&rest, CONNECT_MESSAGE_MAX_BYTES, &flags,
				    &message);
		if (code == 1 && (flags & CONNECT_FLAG_END) == 0)
			(void)take_message(s, message, &error);
	}
	s->is_parsing = false;
	buf_drop(&r->body, r->body.len - rest.len);
	if (code < 0)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT,
				"a message is broken or too long");
	if (error.code != RPC_OK)
		fail(s, &error);
	else if (s->is_body_over && !s->is_waiting)
		finish(s);
	else
		request_pause(r, s->is_waiting);
}

static void on_done(struct process_input *input, int code)
{
	struct stream_input *s = of(input);
	struct rpc_error error = { 0 };

	s->is_waiting = false;
	if (code < 0 && !s->is_parsing) {
		(void)proc_input_error(code, &error);
		fail(s, &error);
	} else if (!s->is_parsing) {
		advance(s);
	}
}

static void on_deadline(struct ev_timer *timer)
{
	struct rpc_error error = { 0 };

	(void)rpc_error(&error, RPC_DEADLINE_EXCEEDED,
			"the stream lasted longer than its time-out");
	fail(timer->owner, &error);
}

static void on_head(struct request *r, const struct http_head *head)
{
	struct stream_input *s = mem_new(1, sizeof(*s));
	struct rpc_error error = { 0 };

	(void)head;
	if (s == NULL) {
		(void)rpc_error(&error, RPC_RESOURCE_EXHAUSTED, "no memory");
		rpc_fail(r, &error);
		return;
	}
	s->request = r;
	s->input.on_done = on_done;
	s->input.bytes = BUF_EMPTY(CONNECT_MESSAGE_MAX_BYTES);
	r->state = s;
	r->on_cancel = on_cancel;
	if (r->timeout_ns != 0)
		ev_timer_set(&r->agent->loop, &s->deadline,
			     clock_boot_ns() + r->timeout_ns, on_deadline, s);
}

static void on_body(struct request *r, struct span piece)
{
	struct rpc_error error = { 0 };

	if (buf_put(&r->body, piece) < 0) {
		(void)rpc_error(&error, RPC_RESOURCE_EXHAUSTED,
				"the stream is too far ahead");
		fail(r->state, &error);
		return;
	}
	/* A paused server may still hand over what it has begun. */
	if (!((struct stream_input *)r->state)->is_waiting)
		advance(r->state);
}

static void on_end(struct request *r)
{
	struct stream_input *s = r->state;

	s->is_body_over = true;
	if (!s->is_waiting)
		advance(s);
}

const struct handler proc_stream_input = {
	.body_max_bytes = RPC_BODY_MAX_BYTES + MUX_WINDOW_BYTES,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

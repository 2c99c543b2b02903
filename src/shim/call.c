// SPDX-License-Identifier: Apache-2.0
// One HTTP request to the agent, on a lane of its own.

#include "shim/call.h"

#include "base/mem.h"

static void call_free(struct call *call)
{
	agenda_forget(call->agenda, &call->task);
	http_client_fini(&call->http);
	buf_fini(&call->pending);
	mem_free(call);
}

static void end_call(struct call *call, bool is_good)
{
	if (call->is_over || call->is_dropped)
		return;
	call->is_over = true;
	lane_reset(&call->lane);
	if (is_good)
		call->ops->on_end(call);
	else
		call->ops->on_fail(call);
}

/* The lane's side. */

static void on_lane_bytes(struct lane *lane, struct span bytes)
{
	struct call *call = lane->owner;

	/* The window bounds it, so this fails for want of memory only. */
	if (buf_put(&call->pending, bytes) < 0)
		call->is_broken = true;
	agenda_add(call->agenda, &call->task);
}

static void on_lane_eof(struct lane *lane)
{
	struct call *call = lane->owner;

	call->is_eof = true;
	agenda_add(call->agenda, &call->task);
}

static void on_lane_gone(struct lane *lane)
{
	struct call *call = lane->owner;

	call->is_broken = true;
	agenda_add(call->agenda, &call->task);
}

static const struct lane_ops lane_ops = {
	.on_bytes = on_lane_bytes,
	.on_eof = on_lane_eof,
	.on_gone = on_lane_gone,
};

/* The answer's side. */

static void on_http_head(struct http_client *http, const struct http_head *head)
{
	struct call *call = http->owner;

	call->has_head = true;
	if (!call->is_dropped)
		call->ops->on_head(call, head);
}

static void on_http_body(struct http_client *http, struct span piece)
{
	struct call *call = http->owner;

	if (!call->is_dropped)
		call->ops->on_body(call, piece);
}

static void on_http_end(struct http_client *http)
{
	end_call(http->owner, true);
}

static void on_http_fail(struct http_client *http, int code)
{
	(void)code;
	end_call(http->owner, false);
}

static const struct http_client_ops http_ops = {
	.on_head = on_http_head,
	.on_body = on_http_body,
	.on_end = on_http_end,
	.on_fail = on_http_fail,
};

/* The task. */

static bool is_done(const struct call *call)
{
	return call->is_over || call->is_dropped;
}

static void push(struct call *call)
{
	for (;;) {
		struct span out = http_client_output(&call->http);
		ssize_t n = out.len != 0 ? lane_send(&call->lane, out) : 0;

		if (n < 0)
			call->is_broken = true;
		if (n <= 0)
			break;
		http_client_sent(&call->http, (size_t)n);
	}
	if (!is_done(call) && call->ops->on_room != NULL && call_has_room(call))
		call->ops->on_room(call);
}

/* Feed one slice; 1 to go on, 0 to stop. */
static int take_slice(struct call *call, struct span *rest)
{
	struct span slice = span_to(*rest, CALL_SLICE_BYTES);
	size_t had = slice.len;
	int r = 0;

	if (had == 0 || is_done(call) || !call->ops->may_take(call))
		return 0;
	r = http_client_feed(&call->http, &slice);
	*rest = span_from(*rest, had - slice.len);
	if (!call->has_head)
		call->prelude_bytes += had - slice.len;
	if (r < 0 || call->prelude_bytes > CALL_PRELUDE_MAX_BYTES) {
		end_call(call, false);
		return 0;
	}
	return 1;
}

static void take(struct call *call)
{
	struct span rest = buf_span(&call->pending);
	size_t had = rest.len;
	int r = 1;

	while (r == 1)
		r = take_slice(call, &rest);
	lane_consumed(&call->lane, had - rest.len);
	buf_drop(&call->pending, had - rest.len);
	if (rest.len == 0)
		buf_fini(&call->pending); /* long calls are mostly silent */
	if (rest.len == 0 && call->is_eof && !is_done(call))
		http_client_eof(&call->http);
	if (rest.len == 0 && call->is_broken)
		end_call(call, false);
}

static void run(struct task *task)
{
	struct call *call = task->owner;

	call->is_running = true;
	push(call);
	take(call);
	call->is_running = false;
	if (call->is_dropped)
		call_free(call);
}

/* The owner's side. */

struct call *call_new(struct link *link, const struct call_ops *ops,
		      void *owner)
{
	struct call *call = mem_new(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->agenda = link->agenda;
	call->pending = BUF_EMPTY(MUX_WINDOW_BYTES);
	call->task = (struct task){ .run = run, .owner = call };
	call->ops = ops;
	call->owner = owner;
	http_client_init(&call->http, &http_ops, call);
	call->lane = (struct lane){
		.ops = &lane_ops,
		.task = &call->task,
		.owner = call,
	};
	lane_add(link, &call->lane);
	return call;
}

int call_start(struct call *call, const char *method, struct span target,
	       struct span headers, uint64_t length)
{
	agenda_add(call->agenda, &call->task);
	return http_client_start(&call->http, method, target, headers, length);
}

int call_body(struct call *call, struct span piece)
{
	agenda_add(call->agenda, &call->task);
	return http_client_piece(&call->http, piece);
}

int call_body_end(struct call *call)
{
	agenda_add(call->agenda, &call->task);
	return http_client_end(&call->http);
}

bool call_has_room(const struct call *call)
{
	return http_client_output(&call->http).len <= CALL_OUT_HIGH_BYTES;
}

void call_go_on(struct call *call)
{
	agenda_add(call->agenda, &call->task);
}

void call_drop(struct call **call)
{
	struct call *dropped = *call;

	*call = NULL;
	if (dropped == NULL)
		return;
	lane_reset(&dropped->lane);
	dropped->is_dropped = true;
	if (!dropped->is_running)
		call_free(dropped);
}

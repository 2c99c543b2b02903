// SPDX-License-Identifier: Apache-2.0
// Naming the agent: the first request of an epoch gives it its identity.

#include "shim/identity.h"
#include "shim/shim.h"

/* Room for the specification's environment and the other members. */
enum { INIT_BODY_MAX_BYTES = 2 * SANDBOX_SPEC_MAX_BYTES };

static void lose_agent(struct shim *shim)
{
	if (shim->init_status != 0)
		shim_end(shim, CAUSE_AGENT_LOST,
			 "the agent refused its identity with status %u",
			 shim->init_status);
	else
		shim_end(shim, CAUSE_AGENT_LOST,
			 "the agent gave no valid answer to its identity");
}

static bool may_take(struct call *call)
{
	(void)call;
	return true;
}

static void on_head(struct call *call, const struct http_head *head)
{
	struct shim *shim = call->owner;

	shim->init_status = head->status;
}

static void on_body(struct call *call, struct span piece)
{
	(void)call;
	(void)piece;
}

static void on_end(struct call *call)
{
	struct shim *shim = call->owner;

	call_drop(&shim->init);
	if (shim->init_status == 204)
		shim_on_ready(shim);
	else
		lose_agent(shim);
}

static void on_fail(struct call *call)
{
	struct shim *shim = call->owner;

	call_drop(&shim->init);
	lose_agent(shim);
}

/* The environment may be larger than a call takes at once. */
static void on_room(struct call *call)
{
	struct shim *shim = call->owner;
	struct span piece = span_to(buf_span(&shim->init_body),
				    CALL_SLICE_BYTES);

	if (piece.len == 0)
		return;
	if (call_body(call, piece) < 0)
		shim_end(shim, CAUSE_HOST, "the shim is out of memory");
	buf_drop(&shim->init_body, piece.len);
	if (shim->init_body.len == 0)
		buf_fini(&shim->init_body);
}

static const struct call_ops init_ops = {
	.may_take = may_take,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
	.on_room = on_room,
};

void shim_name_agent(struct shim *shim)
{
	static const char headers[] = "Host: sandbox\r\n"
				      "Content-Type: application/json\r\n";

	shim->init_body = BUF_EMPTY(INIT_BODY_MAX_BYTES);
	shim->init = call_new(&shim->link, &init_ops, shim);
	if (shim->init == NULL ||
	    identity_put(&shim->spec, &shim->init_body) < 0 ||
	    call_start(shim->init, "POST", span_str("/init"), span_str(headers),
		       shim->init_body.len) < 0)
		shim_end(shim, CAUSE_HOST, "the shim is out of memory");
}

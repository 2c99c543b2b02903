// SPDX-License-Identifier: Apache-2.0
// The small endpoints: identity, health, environment, power.

#include "agent/basics.h"

#include <string.h>

#include "agent/rpc.h"

enum {
	INIT_MAX_BYTES = 1048576,
	NOTHING_MAX_BYTES = 4096,
};

static void on_health(struct request *r)
{
	request_reply(r, 204, NULL, span_of(NULL, 0));
}

static void on_init(struct request *r)
{
	struct agent *agent = r->agent;
	struct identity next = { 0 };
	struct err e = { 0 };

	if (agent->identity.is_known) {
		request_fail(r, 409, "this epoch has its identity already");
		return;
	}
	if (identity_parse(buf_span(&r->body), &next, &e) < 0) {
		request_fail(r, 400, "%s", err_text(&e, e.code));
		return;
	}
	next.grown_bytes = agent->identity.grown_bytes;
	if (!agent->is_identity_skipped && identity_apply(&next, &e) < 0) {
		identity_fini(&next);
		request_fail(r, 500, "%s", err_text(&e, e.code));
		return;
	}
	identity_fini(&agent->identity);
	next.is_known = true;
	agent->identity = next;
	explicit_bzero(r->body.ptr, r->body.len);
	request_reply(r, 204, NULL, span_of(NULL, 0));
}

static void on_envs(struct request *r)
{
	rpc_reply(r, json_incref(r->agent->identity.env));
}

/* Host only: the shim lets no client's request come here. */
static void on_power_off(struct request *r)
{
	request_reply(r, 204, NULL, span_of(NULL, 0));
	wire_flush(&r->agent->wire);
	r->agent->is_power_off_wanted = true;
	ev_stop(&r->agent->loop);
}

const struct handler basics_health = {
	.body_max_bytes = NOTHING_MAX_BYTES,
	.on_end = on_health,
};

const struct handler basics_init = {
	.body_max_bytes = INIT_MAX_BYTES,
	.on_end = on_init,
};

const struct handler basics_power_off = {
	.body_max_bytes = NOTHING_MAX_BYTES,
	.on_end = on_power_off,
};

const struct handler basics_envs = {
	.body_max_bytes = NOTHING_MAX_BYTES,
	.on_end = on_envs,
};

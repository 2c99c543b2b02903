// SPDX-License-Identifier: Apache-2.0
// The shim: its phases, its wire, its engine.

#include "shim/shim.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/rng.h"

enum { QUOTE_BYTES = 700 };

/* How long a dead wire's engine has to show its exit status. */
#define GRACE_NS (1 * NS_PER_S)

static const bool moves[PHASE_COUNT][PHASE_COUNT] = {
	[PHASE_BOOTING] = { [PHASE_NAMING] = true, [PHASE_OVER] = true },
	[PHASE_NAMING] = { [PHASE_SERVING] = true, [PHASE_OVER] = true },
	[PHASE_SERVING] = { [PHASE_QUIESCING] = true, [PHASE_OVER] = true },
	[PHASE_QUIESCING] = { [PHASE_SAVING] = true, [PHASE_OVER] = true },
	[PHASE_SAVING] = { [PHASE_OVER] = true },
};

void shim_enter(struct shim *shim, enum phase to)
{
	if (!moves[shim->phase][to])
		return;
	shim->phase = to;
	shim->api.is_serving = to == PHASE_SERVING;
}

void shim_end(struct shim *shim, enum cause cause, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict_vset(&shim->verdict, cause, fmt, args);
	va_end(args);
	shim_enter(shim, PHASE_OVER);
	ev_stop(&shim->loop);
}

void shim_say(struct shim *shim, const char *json)
{
	(void)!send(shim->control_fd, json, strlen(json),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

void shim_leave_verdict(struct shim *shim)
{
	CLEANUP(buf_fini) struct buf json = BUF_EMPTY(VERDICT_MESSAGE_BYTES);

	/* Without a verdict the keeper finds a cause itself. */
	if (verdict_put(&shim->verdict, NULL, &json) == 0)
		(void)!fd_write_all(shim->verdict_fd, buf_span(&json));
}

void shim_settle(struct shim *shim)
{
	if (shim->phase == PHASE_OVER)
		return;
	/* Writing makes room, and room makes work. */
	do {
		agenda_run(&shim->agenda);
		link_flush(&shim->link);
	} while (shim->agenda.first != NULL && shim->phase != PHASE_OVER);
}

/* The engine. */

void shim_end_with_engine(struct shim *shim, const char *fact)
{
	enum cause cause = shim->stopping.cause;
	const char *said = shim->stopping.detail;
	char quote[QUOTE_BYTES] = "";

	console_quote(&shim->console, quote, sizeof(quote));
	shim_end(shim, cause != CAUSE_NONE ? cause : CAUSE_ENGINE_FAILED,
		 "%s%s%s; the guest's console ends with: %s", fact,
		 said[0] != '\0' ? "; before that: " : "", said,
		 quote[0] != '\0' ? quote : "(nothing)");
}

static void on_grace_over(struct ev_timer *timer)
{
	shim_end_with_engine(timer->owner, "the engine closed its connections");
}

/* Its exit status, which follows at once, says more. */
static void await_engine(struct shim *shim)
{
	if (shim->grace.loop == NULL)
		ev_timer_set(&shim->loop, &shim->grace,
			     clock_boot_ns() + GRACE_NS, on_grace_over, shim);
}

static void on_engine_stopping(struct engine *engine, enum cause cause,
			       const char *detail)
{
	struct shim *shim = engine->owner;

	verdict_set(&shim->stopping, cause, "%s", detail);
	await_engine(shim);
}

static void on_engine_running(struct engine *engine)
{
	(void)engine; /* the agent's HELLO says more */
}

static void on_engine_saved(struct engine *engine)
{
	shim_say(engine->owner, "{\"event\":\"saved\"}");
}

static const struct engine_events engine_events = {
	.on_running = on_engine_running,
	.on_saved = on_engine_saved,
	.on_stopping = on_engine_stopping,
};

/* The wire. */

static void on_hello(struct link *link, uint64_t epoch)
{
	struct shim *shim = link->owner;

	if (epoch == 0) {
		shim_end(shim, CAUSE_AGENT_LOST,
			 "the agent in the guest ended and began anew");
		return;
	}
	shim_enter(shim, PHASE_NAMING);
	shim_name_agent(shim);
}

static void on_broken(struct link *link)
{
	shim_end(link->owner, CAUSE_AGENT_LOST,
		 "what comes from the guest is not the wire's protocol");
}

static void on_closed(struct link *link)
{
	await_engine(link->owner);
}

static void on_link_turn(struct link *link)
{
	shim_settle(link->owner);
}

static const struct link_ops link_ops = {
	.on_hello = on_hello,
	.on_broken = on_broken,
	.on_closed = on_closed,
	.on_turn = on_link_turn,
};

static int start_link(struct shim *shim)
{
	uint64_t epoch = 0;

	while (epoch == 0)
		TRY(rng_fill(&epoch, sizeof(epoch)));
	shim->link.ops = &link_ops;
	shim->link.owner = shim;
	shim->link.agenda = &shim->agenda;
	return link_init(&shim->link, &shim->loop, shim->engine.wire_fd, epoch);
}

/* Clients. */

static void on_idle(struct ev_timer *timer)
{
	struct shim *shim = timer->owner;

	shim_end(shim, CAUSE_IDLE, "no request for %u s", shim->spec.idle_s);
}

static void on_busy(struct api *api)
{
	struct shim *shim = api->owner;

	if (api->busy_count != 0)
		ev_timer_del(&shim->idleness);
	else if (shim->spec.idle_s != 0)
		ev_timer_set(&shim->loop, &shim->idleness,
			     clock_boot_ns() + shim->spec.idle_s * NS_PER_S,
			     on_idle, shim);
}

static void on_api_turn(struct api *api)
{
	shim_settle(api->owner);
}

static int start_api(struct shim *shim)
{
	struct api *api = &shim->api;

	api->loop = &shim->loop;
	api->agenda = &shim->agenda;
	api->link = &shim->link;
	api->sandbox_id = shim->spec.id;
	api->token = shim->spec.token;
	api->on_busy = on_busy;
	api->on_turn = on_api_turn;
	api->owner = shim;
	return api_init(api, shim->listener_fd);
}

/* Life. */

int shim_start(struct shim *shim, struct err *e)
{
	int r = start_link(shim);

	if (r == 0)
		r = start_api(shim);
	if (r == 0)
		r = shim_watch(shim);
	if (r < 0)
		return err_set(e, r,
			       "cannot watch the sandbox: %s; look at the "
			       "limits of open files and memory",
			       err_text(NULL, r));
	return shim->engine_ops->start(&shim->engine, &shim->spec, &shim->loop,
				       &engine_events, shim, e);
}

int shim_run(struct shim *shim)
{
	int r = ev_run(&shim->loop);

	if (r < 0)
		shim_end(shim, CAUSE_HOST, "the shim's loop failed: %s",
			 err_text(NULL, r));
	shim_leave_verdict(shim);
	api_farewell(&shim->api);
	return 0;
}

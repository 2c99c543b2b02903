// SPDX-License-Identifier: Apache-2.0
// What the shim watches beside wire and clients: its launcher, its keeper, its
// engine and the clock.

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "shim/shim.h"

enum { CONTROL_MESSAGE_MAX_BYTES = 4096, CONSOLE_PIECE_BYTES = 4096 };

/* Silence on the wire after which no frame is half delivered any more. */
#define QUIET_NS (250 * NS_PER_MS)

/* A guest that has not answered then hangs. */
static const unsigned start_limit_s[BOOT_COUNT] = {
	[BOOT_COLD] = SANDBOX_BOOT_MAX_S,
	[BOOT_TEMPLATE] = SANDBOX_BOOT_MAX_S,
	[BOOT_RESTORE] = SANDBOX_RESTORE_MAX_S,
};

/* The engine's end. */

static void on_engine_end(struct ev_io *io, uint32_t events)
{
	struct shim *shim = io->owner;
	siginfo_t status = { 0 };
	char fact[96];

	(void)events;
	ev_io_del(io);
	if (waitid(P_PIDFD, (id_t)io->fd, &status, WEXITED | WNOHANG) < 0 ||
	    status.si_pid == 0)
		(void)snprintf(fact, sizeof(fact), "the engine ended");
	else if (status.si_code == CLD_EXITED)
		(void)snprintf(fact, sizeof(fact),
			       "the engine ended with status %d",
			       status.si_status);
	else
		(void)snprintf(fact, sizeof(fact),
			       "the engine was killed by signal %d",
			       status.si_status);
	shim_end_with_engine(shim, fact);
}

/* The guest's console. */

static void on_console(struct ev_io *io, uint32_t events)
{
	struct shim *shim = io->owner;
	uint8_t piece[CONSOLE_PIECE_BYTES];
	ssize_t n = fd_read(io->fd, piece, sizeof(piece));

	(void)events;
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		ev_io_del(io);
	else
		console_put(&shim->console, span_of(piece, (size_t)n));
}

/* Saving a template's guest. */

static void on_quiet_check(struct ev_timer *timer)
{
	struct shim *shim = timer->owner;
	uint64_t quiet_at = shim->link.last_traffic_ns + QUIET_NS;
	struct err e = { 0 };
	int r = -ENOTSUP;

	if (!link_is_quiet(&shim->link) || clock_boot_ns() < quiet_at) {
		ev_timer_set(&shim->loop, timer, clock_boot_ns() + QUIET_NS,
			     on_quiet_check, shim);
		return;
	}
	shim_enter(shim, PHASE_SAVING);
	if (shim->engine_ops->save != NULL)
		r = shim->engine_ops->save(&shim->engine, &e);
	if (r < 0)
		shim_end(shim, CAUSE_ENGINE_FAILED, "%s", err_text(&e, r));
}

static void save(struct shim *shim)
{
	if (shim->phase != PHASE_SERVING)
		return;
	shim_enter(shim, PHASE_QUIESCING);
	on_quiet_check(&shim->quiet);
}

/* The launcher. */

static void drop_json(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static void on_order(struct shim *shim, struct span text)
{
	CLEANUP(drop_json)
	json_t *doc = json_loadb((const char *)text.ptr, text.len, 0, NULL);
	const char *stop = json_string_value(json_object_get(doc, "stop"));
	enum cause cause = CAUSE_NONE;

	if (json_is_true(json_object_get(doc, "save")))
		save(shim);
	else if (stop != NULL && cause_parse(span_str(stop), &cause) == 0)
		shim_end(shim, cause, "the launcher asked for it");
}

static void on_control(struct ev_io *io, uint32_t events)
{
	struct shim *shim = io->owner;
	uint8_t text[CONTROL_MESSAGE_MAX_BYTES];
	ssize_t n = fd_read(io->fd, text, sizeof(text));

	(void)events;
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		shim_end(shim, CAUSE_KILLED, "the launcher is gone");
	else
		on_order(shim, span_of(text, (size_t)n));
	shim_settle(shim);
}

/* The keeper holds the other end: it is dead, and so are we. The parent-death
 * signal says the same; it is lost if the keeper dies before it is set. */
static void on_keeper_gone(struct ev_io *io, uint32_t events)
{
	(void)events;
	shim_end(io->owner, CAUSE_HOST, "the keeper is gone");
}

/* The clock. */

static void on_start_late(struct ev_timer *timer)
{
	struct shim *shim = timer->owner;
	char fact[96];

	(void)snprintf(fact, sizeof(fact), "the agent did not answer in %u s",
		       start_limit_s[shim->spec.boot]);
	shim_end_with_engine(shim, fact);
}

static void on_lifetime_over(struct ev_timer *timer)
{
	struct shim *shim = timer->owner;

	shim_end(shim, CAUSE_TIMEOUT, "its %u s are over",
		 shim->spec.timeout_s);
}

void shim_on_ready(struct shim *shim)
{
	uint64_t now = clock_boot_ns();
	char json[128];

	ev_timer_del(&shim->start_deadline);
	/* It is the template's; the engine has taken it in. */
	if (shim->spec.boot == BOOT_RESTORE)
		fd_close(&shim->engine.state_fd);
	if (shim->spec.timeout_s != 0)
		ev_timer_set(&shim->loop, &shim->lifetime,
			     now + shim->spec.timeout_s * NS_PER_S,
			     on_lifetime_over, shim);
	shim_enter(shim, PHASE_SERVING);
	shim->api.on_busy(&shim->api); /* idleness begins */
	(void)snprintf(json, sizeof(json),
		       "{\"event\":\"ready\",\"boot_ms\":%ju,\"restored\":%s}",
		       (uintmax_t)((now - shim->born_ns) / NS_PER_MS),
		       shim->spec.boot == BOOT_RESTORE ? "true" : "false");
	shim_say(shim, json);
}

int shim_watch(struct shim *shim)
{
	struct ev *loop = &shim->loop;

	TRY(ev_io_add(loop, &shim->control_io, shim->control_fd, EPOLLIN,
		      on_control, shim));
	TRY(ev_io_add(loop, &shim->verdict_io, shim->verdict_fd, 0,
		      on_keeper_gone, shim));
	TRY(ev_io_add(loop, &shim->engine_io, shim->engine.pid_fd, EPOLLIN,
		      on_engine_end, shim));
	if (shim->engine.console_fd >= 0)
		TRY(ev_io_add(loop, &shim->console_io, shim->engine.console_fd,
			      EPOLLIN, on_console, shim));
	shim->quiet.owner = shim;
	ev_timer_set(loop, &shim->start_deadline,
		     shim->born_ns + start_limit_s[shim->spec.boot] * NS_PER_S,
		     on_start_late, shim);
	return 0;
}

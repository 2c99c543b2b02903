// SPDX-License-Identifier: Apache-2.0
// Start and Connect: the streams that watch a process.
//
// Theory. A session is one client's view of one process: a watcher that turns
// what it hears into events. Start's session and Connect's differ only in
// where the process comes from, and in whose time-out it is: Start's kills
// the process, Connect's ends the stream.

#include "agent/proc_rpc.h"

#include <string.h>
#include <sys/wait.h>

#include "agent/environment.h"
#include "agent/path.h"
#include "agent/signals.h"
#include "base/mem.h"
#include "wire/base64.h"
#include "wire/connect.h"

#define KEEPALIVE_DEFAULT_NS (90 * NS_PER_S)

enum {
	/* Kept free for the events that are not output. */
	RESERVE_BYTES = 8192,
	/* What stands around the base64 of an output event. */
	EVENT_BYTES = 64,
};

struct session {
	struct process_watcher watcher;
	struct request *request;
	struct ev_timer keepalive;
	struct ev_timer deadline;
	bool is_starter;
};

static struct session *of(struct process_watcher *w)
{
	return (struct session *)w;
}

static void session_free(struct session *s)
{
	s->request->on_cancel = NULL;
	process_unwatch(&s->watcher);
	ev_timer_del(&s->keepalive);
	ev_timer_del(&s->deadline);
	mem_free(s);
}

static void on_cancel(struct request *r)
{
	session_free(r->state);
}

static void fail(struct session *s, const struct rpc_error *error)
{
	struct request *r = s->request;

	session_free(s);
	rpc_fail(r, error);
}

/* ---- events ---- */

static void put_event(struct session *s, const char *name, json_t *event)
{
	rpc_stream_put(s->request, json_pack("{s:{s:o}}", "event", name, event));
}

static void on_keepalive(struct ev_timer *timer)
{
	struct session *s = timer->owner;
	uint64_t interval = s->request->keepalive_ns;

	if (request_room(s->request) >= RESERVE_BYTES)
		put_event(s, "keepalive", json_object());
	ev_timer_set(&s->request->agent->loop, timer,
		     clock_boot_ns() + (interval != 0 ? interval :
							KEEPALIVE_DEFAULT_NS),
		     on_keepalive, s);
}

static size_t room(const struct process_watcher *w)
{
	size_t bytes = request_room(((const struct session *)w)->request);

	if (bytes < RESERVE_BYTES + EVENT_BYTES)
		return 0;
	return (bytes - RESERVE_BYTES - EVENT_BYTES) / 4 * 3;
}

static void on_started(struct process_watcher *w)
{
	struct session *s = of(w);

	rpc_stream_start(s->request);
	put_event(s, "start", json_pack("{s:i}", "pid", (int)w->process->pid));
	on_keepalive_first(s);
}

static void on_output(struct process_watcher *w, enum process_channel channel,
		      struct span bytes)
{
	static const char *const names[] = {
		[PROCESS_STDOUT] = "stdout",
		[PROCESS_STDERR] = "stderr",
		[PROCESS_PTY] = "pty",
	};
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(HTTP_SERVER_OUT_MAX_BYTES);
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(HTTP_SERVER_OUT_MAX_BYTES);

	/* By hand: this is the one event that is large and frequent. */
	if (buf_printf(&text, "{\"event\":{\"data\":{\"%s\":\"",
		       names[channel]) < 0 ||
	    base64_put(&text, bytes) < 0 || buf_put_str(&text, "\"}}}") < 0 ||
	    connect_put(&out, 0, buf_span(&text)) < 0)
		request_abort(of(w)->request);
	else
		request_piece(of(w)->request, buf_span(&out));
}

/* What E2B's end event says: Go's words for a wait status. */
static json_t *end_event(const struct process *p)
{
	int status = p->wait_status;
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	const char *text = signal_text(signal);
	char words[64];
	json_t *event = NULL;

	if (signal == 0)
		(void)snprintf(words, sizeof(words), "exit status %d",
			       WEXITSTATUS(status));
	else if (text != NULL)
		(void)snprintf(words, sizeof(words), "signal: %s%s", text,
			       WCOREDUMP(status) ? " (core dumped)" : "");
	else
		(void)snprintf(words, sizeof(words), "signal: signal %d",
			       signal);
	event = json_pack("{s:i,s:b,s:s}", "exitCode",
			  signal == 0 ? WEXITSTATUS(status) : -1, "exited",
			  signal == 0, "status", words);
	if (status != 0)
		(void)json_object_set_new(event, "error", json_string(words));
	/* Ours: what the words do not say. */
	if (signal != 0)
		(void)json_object_set_new(event, "signal",
					  json_integer(signal));
	if (p->is_out_of_memory)
		(void)json_object_set_new(event, "cause",
					  json_string("memory"));
	return event;
}

static void on_end(struct process_watcher *w)
{
	struct session *s = of(w);
	struct request *r = s->request;
	struct process *p = s->ended;
	struct rpc_error error = { 0 };

	if (p->is_timed_out && s->is_starter) {
		(void)rpc_error(&error, RPC_DEADLINE_EXCEEDED,
				"the process took longer than its time-out "
				"and was killed");
		fail(s, &error);
		return;
	}
	put_event(s, "end", end_event(p));
	session_free(s);
	rpc_stream_end(r);
}

static void on_failed(struct process_watcher *w,
		      const struct spawn_failure *failure)
{
	struct session *s = of(w);
	struct rpc_error error = { 0 };
	const char *why = strerror(-failure->code);

	if (failure->stage == SPAWN_STAGE_CWD && failure->code == -ENOENT)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT,
				"cwd '%s' does not exist", s->cwd);
	else if (failure->stage == SPAWN_STAGE_CWD)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT, "cwd '%s': %s",
				s->cwd, why);
	else if (failure->stage == SPAWN_STAGE_EXEC)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT,
				"error starting process '%s': %s", s->cmd, why);
	else
		(void)rpc_error(&error, rpc_of_errno(failure->code),
				"error starting process '%s': %s", s->cmd, why);
	fail(s, &error);
}

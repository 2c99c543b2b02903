// SPDX-License-Identifier: Apache-2.0
// Start and Connect: the streams that watch a process.
//
// Theory. A session is one client's view of one process: a watcher that turns
// what it hears into events. Start's session and Connect's differ only in
// where the process comes from, and in whose time-out it is: Start's kills
// the process, Connect's ends the stream.

#include "agent/proc_rpc.h"

#include <stdio.h>
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
	bool is_begun; /* the head is sent, the start event comes next */
};

static struct session *of(struct process_watcher *w)
{
	return (struct session *)w;
}

static void session_free(struct session *s)
{
	s->request->state = NULL;
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
	rpc_stream_put(s->request,
		       json_pack("{s:{s:o}}", "event", name, event));
}

static void wait_keepalive(struct session *s);

static void on_keepalive(struct ev_timer *timer)
{
	struct session *s = timer->owner;

	if (request_room(s->request) >= RESERVE_BYTES)
		put_event(s, "keepalive", json_object());
	wait_keepalive(s);
}

static void wait_keepalive(struct session *s)
{
	uint64_t interval = s->request->keepalive_ns;

	if (interval == 0)
		interval = KEEPALIVE_DEFAULT_NS;
	ev_timer_set(&s->request->agent->loop, &s->keepalive,
		     clock_boot_ns() + interval, on_keepalive, s);
}

static size_t room(const struct process_watcher *w)
{
	const struct session *s = (const struct session *)w;
	size_t bytes = s->is_begun ? request_room(s->request) : 0;

	if (bytes < RESERVE_BYTES + EVENT_BYTES)
		return 0;
	return (bytes - RESERVE_BYTES - EVENT_BYTES) / 4 * 3;
}

static void on_started(struct process_watcher *w)
{
	struct session *s = of(w);

	/* Sending the head makes room, which must not let output in before the
	 * start event. */
	rpc_stream_start(s->request);
	s->is_begun = true;
	put_event(s, "start", json_pack("{s:i}", "pid", (int)w->process->pid));
	wait_keepalive(s);
}

static void on_output(struct process_watcher *w, enum process_channel channel,
		      struct span bytes)
{
	static const char *const names[] = {
		[PROCESS_STDOUT] = "stdout",
		[PROCESS_STDERR] = "stderr",
		[PROCESS_PTY] = "pty",
	};
	CLEANUP(buf_fini)
	struct buf text = BUF_EMPTY(HTTP_SERVER_OUT_MAX_BYTES);
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

static void on_end(struct process_watcher *w, const struct process *p)
{
	struct session *s = of(w);
	struct request *r = s->request;
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

static void on_failed(struct process_watcher *w, const struct process *p,
		      const struct spawn_failure *failure)
{
	const char *cwd = rpc_text(p->config, "cwd");
	const char *why = strerror(-failure->code);
	struct rpc_error error = { 0 };

	if (failure->stage == SPAWN_STAGE_CWD && failure->code == -ENOENT)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT,
				"cwd '%s' does not exist", cwd);
	else if (failure->stage == SPAWN_STAGE_CWD)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT, "cwd '%s': %s",
				cwd, why);
	else
		(void)rpc_error(&error,
				failure->stage == SPAWN_STAGE_EXEC ?
					RPC_INVALID_ARGUMENT :
					RPC_INTERNAL,
				"error starting process '%s': %s",
				rpc_text(p->config, "cmd"), why);
	fail(of(w), &error);
}

static const struct process_watcher_ops watcher_ops = {
	.room = room,
	.on_started = on_started,
	.on_failed = on_failed,
	.on_output = on_output,
	.on_end = on_end,
};

static struct session *session_new(struct request *r, bool is_starter)
{
	struct session *s = mem_new(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->watcher.ops = &watcher_ops;
	s->request = r;
	s->is_starter = is_starter;
	r->state = s;
	r->on_cancel = on_cancel;
	return s;
}

/* ---- Start ---- */

/* What Start was asked for, as far as it must be checked and kept. */
struct start {
	struct passwd_user user;
	struct strings argv;
	struct strings envp;
	char cwd[PATH_MAX];
	struct process_request what;
};

static void start_fini(struct start *start)
{
	strings_fini(&start->argv);
	strings_fini(&start->envp);
	json_decref(start->what.config);
}

static enum rpc_code read_config(struct request *r, json_t *config,
				 struct start *ret, struct rpc_error *error)
{
	struct identity *identity = &r->agent->identity;

	if (path_resolve(rpc_text(config, "cwd"), ret->user.home,
			 identity->default_workdir, ret->cwd,
			 sizeof(ret->cwd)) < 0)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "cwd '%s' is not a path",
				 rpc_text(config, "cwd"));
	if (strings_of_command(config, &ret->argv) < 0)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "process.cmd and process.args must be "
				 "strings, within 2 MiB");
	if (strings_of_environment(&ret->user, identity->env,
				   json_object_get(config, "envs"),
				   &ret->envp) < 0)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "process.envs must hold strings, within 2 "
				 "MiB");
	/* List and error messages show what was really used. */
	ret->what.config = json_deep_copy(config);
	(void)json_object_set_new(ret->what.config, "cwd",
				  json_string(ret->cwd));
	return RPC_OK;
}

static enum rpc_code read_start(struct request *r, json_t *in,
				struct start *ret, struct rpc_error *error)
{
	json_t *config = json_object_get(in, "process");
	const json_t *pty = json_object_get(in, "pty");
	const char *tag = json_string_value(json_object_get(in, "tag"));

	if (!json_is_object(config))
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "process is missing");
	if (rpc_user(r, &ret->user, error) != RPC_OK ||
	    read_config(r, config, ret, error) != RPC_OK)
		return error->code;
	if (json_is_object(pty)) {
		ret->what.is_pty = true;
		if (proc_parse_size(pty, &ret->what.size, error) != RPC_OK)
			return error->code;
	}
	ret->what.argv = ret->argv.list;
	ret->what.envp = ret->envp.list;
	ret->what.cwd = ret->cwd;
	ret->what.user = &ret->user;
	ret->what.tag = tag;
	ret->what.has_stdin = !json_is_false(json_object_get(in, "stdin"));
	ret->what.timeout_ns = r->timeout_ns;
	return RPC_OK;
}

static void start_process(struct request *r, json_t *in)
{
	CLEANUP(start_fini) struct start start = { 0 };
	struct rpc_error error = { 0 };
	struct session *s = NULL;
	int code = 0;

	if (read_start(r, in, &start, &error) != RPC_OK) {
		rpc_fail(r, &error);
		return;
	}
	s = session_new(r, true);
	code = s == NULL ? -ENOMEM :
			   process_start(&r->agent->processes, &start.what,
					 &s->watcher);
	if (code == 0)
		return;
	(void)rpc_error(&error, rpc_of_errno(code),
			"error starting process: %s", strerror(-code));
	if (s != NULL)
		session_free(s);
	rpc_fail(r, &error);
}

/* ---- Connect ---- */

static void on_deadline(struct ev_timer *timer)
{
	struct rpc_error error = { 0 };

	(void)rpc_error(&error, RPC_DEADLINE_EXCEEDED,
			"the stream lasted longer than its time-out");
	fail(timer->owner, &error);
}

static void connect_process(struct request *r, json_t *in)
{
	struct rpc_error error = { 0 };
	struct process *p = proc_select(r, in, true, &error);
	struct session *s = p == NULL ? NULL : session_new(r, false);

	if (s == NULL) {
		if (p != NULL)
			(void)rpc_error(&error, RPC_RESOURCE_EXHAUSTED,
					"no memory");
		rpc_fail(r, &error);
		return;
	}
	if (r->timeout_ns != 0)
		ev_timer_set(&r->agent->loop, &s->deadline,
			     clock_boot_ns() + r->timeout_ns, on_deadline, s);
	process_watch(p, &s->watcher);
}

/* ---- the handlers ---- */

/* The one message of a server stream's request. */
static void with_message(struct request *r,
			 void (*serve)(struct request *r, json_t *in))
{
	struct span body = buf_span(&r->body);
	struct span message = span_of(NULL, 0);
	struct rpc_error error = { 0 };
	uint8_t flags = 0;
	json_t *in = NULL;

	if (connect_next(&body, CONNECT_MESSAGE_MAX_BYTES, &flags, &message) ==
	    1)
		in = json_loadb((const char *)message.ptr, message.len, 0,
				NULL);
	if (json_is_object(in)) {
		buf_fini(&r->body);
		serve(r, in);
	} else {
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT,
				"the request is not one enveloped JSON "
				"object");
		rpc_fail(r, &error);
	}
	json_decref(in);
}

static void on_start_end(struct request *r)
{
	with_message(r, start_process);
}

static void on_connect_end(struct request *r)
{
	with_message(r, connect_process);
}

static void on_session_room(struct request *r)
{
	struct session *s = r->state;

	if (s != NULL && s->watcher.process != NULL)
		process_room(s->watcher.process);
}

const struct handler proc_start = {
	.body_max_bytes = RPC_BODY_MAX_BYTES,
	.on_end = on_start_end,
	.on_room = on_session_room,
};

const struct handler proc_connect = {
	.body_max_bytes = RPC_BODY_MAX_BYTES,
	.on_end = on_connect_end,
	.on_room = on_session_room,
};

// SPDX-License-Identifier: Apache-2.0
// The Start stream of a session: the command's output and its end.

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/session_parts.h"
#include "wire/base64.h"
#include "wire/connect.h"

/* Room kept free in an output before more is taken from the sandbox. */
enum { OUTPUT_HIGH_BYTES = 65536 };

static struct session *session_of(struct http_client *c)
{
	struct api_conn *conn = c->owner;

	return conn->owner;
}

static void json_drop(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static void broken(struct session *s, const char *why)
{
	session_fail(s, err_set(s->e, -EPROTO,
				"cannot follow the command: %s; the sandbox is "
				"not to be trusted, start another",
				why));
}

static void refused(struct session *s, json_t *error)
{
	const char *message =
		json_string_value(json_object_get(error, "message"));

	session_fail(s, err_set(s->e, -EINVAL,
				"cannot start the command: %s; correct the "
				"command, --user or --workdir",
				message != NULL ? message : "it was refused"));
}

/* Events. */

static void on_start(struct session *s, json_t *event)
{
	json_int_t pid = json_integer_value(json_object_get(event, "pid"));

	if (pid <= 0 || s->pid != 0) {
		broken(s, "it started twice, or with a bad pid");
		return;
	}
	s->pid = (uint64_t)pid;
	feed_start(s);
}

static int put_output(struct session *s, struct output *out, json_t *text)
{
	CLEANUP(buf_fini) struct buf bytes = BUF_EMPTY(MESSAGE_MAX_BYTES);

	TRY(base64_decode(span_of(json_string_value(text),
				  json_string_length(text)),
			  &bytes));
	if (s->result->first_output_ms == 0)
		s->result->first_output_ms =
			(unsigned)((clock_boot_ns() - s->start_ns) / NS_PER_MS);
	if (s->request->drops_output)
		return 0;
	return output_put(out, buf_span(&bytes));
}

static void on_data(struct session *s, json_t *event)
{
	const struct {
		const char *name;
		struct output *out;
	} kinds[] = {
		{ "stdout", &s->out },
		{ "stderr", &s->err_out },
		{ "pty", &s->out },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		json_t *text = json_object_get(event, kinds[i].name);

		if (json_is_string(text) && put_output(s, kinds[i].out, text)) {
			broken(s, "its output is not base64");
			return;
		}
	}
	if (s->out.pending.len + s->err_out.pending.len > OUTPUT_HIGH_BYTES)
		http_client_pause(&s->stream.http, true);
}

static void on_command_end(struct session *s, json_t *event)
{
	const char *cause = json_string_value(json_object_get(event, "cause"));
	json_int_t code =
		json_integer_value(json_object_get(event, "exitCode"));
	json_int_t signal =
		json_integer_value(json_object_get(event, "signal"));

	s->has_ended = true;
	s->result->exit_code = (int)code;
	s->result->signal = signal > 0 && signal < 65 ? (int)signal : 0;
	s->result->cause = s->result->signal != 0 ? CAUSE_SIGNALED :
						    CAUSE_EXITED;
	if (cause != NULL)
		(void)!cause_parse(span_str(cause), &s->result->cause);
	session_ended(s);
}

static void on_event(struct session *s, json_t *event)
{
	static const struct {
		const char *name;
		void (*fn)(struct session *s, json_t *event);
	} kinds[] = {
		{ "data", on_data },
		{ "start", on_start },
		{ "end", on_command_end },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		json_t *value = json_object_get(event, kinds[i].name);

		if (json_is_object(value)) {
			kinds[i].fn(s, value);
			return;
		}
	}
}

static void on_message(struct session *s, uint8_t flags, struct span message)
{
	CLEANUP(json_drop)
	json_t *doc = json_loadb((const char *)message.ptr, message.len, 0,
				 NULL);
	json_t *error = json_object_get(doc, "error");

	if (doc == NULL)
		broken(s, "an event is not JSON");
	else if (error != NULL)
		refused(s, error);
	else if ((flags & CONNECT_FLAG_END) == 0)
		on_event(s, json_object_get(doc, "event"));
}

static int send_unsent(struct session *s) MUST_CHECK;

/* The HTTP answer. */

static void on_head(struct http_client *c, const struct http_head *head)
{
	session_of(c)->stream_status = head->status;
}

static void on_body(struct http_client *c, struct span piece)
{
	struct session *s = session_of(c);
	struct span rest;
	struct span message;
	uint8_t flags = 0;
	int r = 1;

	if (s->has_ended || s->code != 0)
		return;
	if (buf_put(&s->messages, piece) < 0) {
		broken(s, "an event is too large");
		return;
	}
	if (s->stream_status != 200)
		return; /* an error body, read at its end */
	rest = buf_span(&s->messages);
	while (r == 1 && !s->has_ended && s->code == 0) {
		r = connect_next(&rest, MESSAGE_MAX_BYTES, &flags, &message);
		if (r == 1)
			on_message(s, flags, message);
	}
	if (r < 0)
		broken(s, "an event has a broken frame");
	buf_drop(&s->messages, s->messages.len - rest.len);
}

static void on_end(struct http_client *c)
{
	struct session *s = session_of(c);
	CLEANUP(json_drop) json_t *doc = NULL;

	if (s->has_ended || s->code != 0)
		return;
	if (s->stream_status == 200) {
		broken(s, "its events ended before the command did");
		return;
	}
	if (s->stream_status == HTTP_BAD_GATEWAY) {
		session_await_end(s);
		return;
	}
	doc = json_loadb((const char *)s->messages.ptr, s->messages.len, 0,
			 NULL);
	refused(s, doc);
}

static void on_fail(struct http_client *c, int code)
{
	(void)c;
	(void)code; /* the sandbox's end comes over the control channel */
}

static void on_room(struct http_client *c)
{
	struct session *s = session_of(c);

	if (!s->is_request_sent)
		(void)!send_unsent(s);
}

static const struct http_client_ops ops = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
	.on_room = on_room,
};

static void on_drained(struct output *out)
{
	struct session *s = out->owner;

	if (s->stream.fd < 0)
		return;
	http_client_pause(&s->stream.http, false);
	api_conn_pump(&s->stream);
}

/* The request. */

static json_t *start_args(char *const *argv)
{
	json_t *args = json_array();

	for (size_t i = 1; argv[i] != NULL; i++)
		(void)!json_array_append_new(args, json_string(argv[i]));
	return args;
}

static json_t *start_envs(const struct option_list *env)
{
	json_t *envs = json_object();

	for (size_t i = 0; i < env->count; i++) {
		const char *equals = strchr(env->items[i], '=');
		size_t len = (size_t)(equals - env->items[i]);

		(void)!json_object_setn_new(envs, env->items[i], len,
					    json_string(equals + 1));
	}
	return envs;
}

static char *start_message(const struct session_request *request)
{
	CLEANUP(json_drop)
	json_t *doc = json_pack("{s:{s:s,s:o,s:o}}", "process", "cmd",
				request->argv[0], "args",
				start_args(request->argv), "envs",
				start_envs(request->env));
	json_t *process = json_object_get(doc, "process");

	if (request->workdir != NULL)
		(void)!json_object_set_new(process, "cwd",
					   json_string(request->workdir));
	if (request->wants_pty) {
		struct winsize size = { .ws_row = 24, .ws_col = 80 };

		(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
		(void)!json_object_set_new(doc, "pty",
					   json_pack("{s:{s:i,s:i}}", "size",
						     "cols", (int)size.ws_col,
						     "rows", (int)size.ws_row));
	}
	return json_dumps(doc, JSON_COMPACT);
}

static int send_unsent(struct session *s)
{
	struct span piece = span_to(buf_span(&s->unsent),
				    http_client_room(&s->stream.http));

	TRY(http_client_piece(&s->stream.http, piece));
	buf_drop(&s->unsent, piece.len);
	if (s->unsent.len != 0)
		return 0;
	s->is_request_sent = true;
	return http_client_end(&s->stream.http);
}

static int begin(struct session *s)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(4096);
	CLEANUP(buf_fini)
	struct buf frame = BUF_EMPTY(CONNECT_MESSAGE_MAX_BYTES + 16);
	CLEANUP(mem_free_ptr) char *message = start_message(s->request);

	if (message == NULL)
		return err_set(s->e, -EINVAL,
			       "cannot start the command: an argument or "
			       "variable is not UTF-8; pass it in a file");
	if (connect_put(&frame, 0, span_str(message)) < 0)
		return err_set(s->e, -E2BIG,
			       "cannot start the command: its arguments and "
			       "variables are longer than %d bytes; pass them "
			       "in a file",
			       CONNECT_MESSAGE_MAX_BYTES);
	TRY(api_conn_open(&s->stream, &s->loop, s->sandbox->api_socket, &ops, s,
			  s->e));
	TRY(session_headers(s, &headers, "application/connect+json"));
	TRY(http_client_start(&s->stream.http, "POST",
			      span_str("/process.Process/Start"),
			      buf_span(&headers), frame.len));
	s->unsent = frame;
	frame = BUF_EMPTY(0); /* ownership moved to the session */
	return send_unsent(s);
}

void stream_start(struct session *s)
{
	int r = output_init(&s->out, &s->loop, STDOUT_FILENO, on_drained, s);

	s->messages = BUF_EMPTY(MESSAGE_MAX_BYTES + CONNECT_HEADER_BYTES +
				API_IN_BYTES);
	if (r == 0)
		r = output_init(&s->err_out, &s->loop, STDERR_FILENO,
				on_drained, s);
	if (r == 0)
		r = begin(s);
	if (r < 0)
		session_fail(s, r);
	else
		api_conn_pump(&s->stream);
}

void stream_fini(struct session *s)
{
	output_finish(&s->out);
	output_finish(&s->err_out);
	output_fini(&s->out);
	output_fini(&s->err_out);
	api_conn_close(&s->stream);
	buf_fini(&s->messages);
	buf_fini(&s->unsent);
}

// SPDX-License-Identifier: Apache-2.0
// The unary calls of process.Process.

#include "agent/proc_rpc.h"

#include <string.h>

#include "agent/signals.h"
#include "base/mem.h"
#include "wire/base64.h"
#include "wire/connect.h"

struct process *proc_select(struct request *r, const json_t *in,
			    bool with_ended, struct rpc_error *error)
{
	const json_t *selector = json_object_get(in, "process");
	const json_t *pid = json_object_get(selector, "pid");
	const char *tag = json_string_value(json_object_get(selector, "tag"));
	struct process *p = NULL;

	if (json_is_integer(pid) && json_integer_value(pid) > 0 &&
	    json_integer_value(pid) <= INT32_MAX)
		p = process_find(&r->agent->processes,
				 (pid_t)json_integer_value(pid));
	else if (tag != NULL)
		p = process_find_tag(&r->agent->processes, tag);
	if (p != NULL && (with_ended || process_is_live(p)))
		return p;
	if (tag != NULL)
		(void)rpc_error(error, RPC_NOT_FOUND,
				"process with tag '%s' not found", tag);
	else
		(void)rpc_error(error, RPC_NOT_FOUND,
				"process with pid %lld not found",
				(long long)json_integer_value(pid));
	return NULL;
}

static json_t *describe(const struct process *p)
{
	json_t *entry = json_pack("{s:O,s:i}", "config", p->config, "pid",
				  (int)p->pid);

	if (entry != NULL && p->tag != NULL)
		(void)json_object_set_new(entry, "tag", json_string(p->tag));
	return entry;
}

enum rpc_code proc_list(struct request *r, json_t *in, json_t **ret_out,
			struct rpc_error *error)
{
	json_t *list = json_array();

	(void)in;
	(void)error;
	for (struct process *p = r->agent->processes.first; p != NULL;
	     p = p->next) {
		/* Oldest first, as they were started. */
		if (process_is_live(p))
			(void)json_array_insert_new(list, 0, describe(p));
	}
	*ret_out = json_pack("{s:o}", "processes", list);
	return RPC_OK;
}

enum rpc_code proc_parse_size(const json_t *pty, struct pty_size *ret,
			      struct rpc_error *error)
{
	const json_t *size = json_object_get(pty, "size");
	json_int_t cols = json_integer_value(json_object_get(size, "cols"));
	json_int_t rows = json_integer_value(json_object_get(size, "rows"));

	if (!json_is_object(size) || cols < 0 || cols > UINT16_MAX ||
	    rows < 0 || rows > UINT16_MAX)
		return rpc_error(
			error, RPC_INVALID_ARGUMENT,
			"pty size must hold cols and rows up to 65535");
	*ret = (struct pty_size){
		.rows = (uint16_t)rows,
		.cols = (uint16_t)cols,
	};
	return RPC_OK;
}

enum rpc_code proc_update(struct request *r, json_t *in, json_t **ret_out,
			  struct rpc_error *error)
{
	struct process *p = proc_select(r, in, false, error);
	const json_t *pty = json_object_get(in, "pty");
	struct pty_size size = { 0 };

	if (p == NULL)
		return error->code;
	if (pty != NULL) {
		if (proc_parse_size(pty, &size, error) != RPC_OK)
			return error->code;
		if (!p->is_pty || pty_resize(p->outputs[0].fd, size) < 0)
			return rpc_error(error, RPC_INTERNAL,
					 "error resizing tty: tty not "
					 "assigned to process");
	}
	*ret_out = json_object();
	return RPC_OK;
}

enum rpc_code proc_send_signal(struct request *r, json_t *in, json_t **ret_out,
			       struct rpc_error *error)
{
	struct process *p = proc_select(r, in, false, error);
	const json_t *name = json_object_get(in, "signal");
	int signal = -EINVAL;
	int code = 0;

	if (p == NULL)
		return error->code;
	/* The JSON mapping allows an enum's number as well. */
	if (json_is_integer(name) && json_integer_value(name) > 0 &&
	    json_integer_value(name) < 32)
		signal = (int)json_integer_value(name);
	else if (json_is_string(name))
		signal = signal_parse(span_str(json_string_value(name)));
	if (signal < 0)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "invalid signal: '%s'",
				 rpc_text(in, "signal"));
	code = process_signal(p, signal);
	if (code < 0)
		return rpc_error(error, rpc_of_errno(code),
				 "error sending signal: %s", strerror(-code));
	*ret_out = json_object();
	return RPC_OK;
}

/* ---- input ---- */

/* A SendInput or CloseStdin whose bytes are on their way. */
struct sending {
	struct process_input input;
	struct request *request;
};

enum rpc_code proc_input_error(int code, struct rpc_error *error)
{
	return rpc_error(error, RPC_INTERNAL, "error writing to stdin: %s",
			 strerror(-code));
}

static void sending_free(struct sending *s)
{
	process_unsend(&s->input);
	buf_fini(&s->input.bytes);
	mem_free(s);
}

static void on_sent(struct process_input *input, int code)
{
	struct sending *s = (struct sending *)input;
	struct request *r = s->request;
	struct rpc_error error = { 0 };

	sending_free(s);
	if (code < 0) {
		(void)proc_input_error(code, &error);
		rpc_fail(r, &error);
	} else {
		rpc_reply(r, json_object());
	}
}

static void on_sending_cancel(struct request *r)
{
	sending_free(r->state);
}

enum rpc_code proc_parse_input(const struct process *p, const json_t *in,
			       struct buf *ret, struct rpc_error *error)
{
	const json_t *input = json_object_get(in, "input");
	const json_t *bytes = json_object_get(input,
					      p->is_pty ? "pty" : "stdin");

	if (!json_is_string(bytes))
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 p->is_pty ? "tty assigned to process: input "
					     "should be written to the pty" :
					     "tty not assigned to process: "
					     "input should be written to "
					     "stdin");
	if (p->input_fd < 0)
		return rpc_error(error, RPC_INTERNAL,
				 "error writing to stdin: stdin not enabled "
				 "or closed");
	if (base64_decode(span_of(json_string_value(bytes),
				  json_string_length(bytes)),
			  ret) < 0)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "input is not base64");
	return RPC_OK;
}

/* Hands @s over to the process; it may be answered when this returns. */
static enum rpc_code send_to(struct process *p, struct request *r,
			     struct sending *s)
{
	s->request = r;
	s->input.on_done = on_sent;
	r->state = s;
	r->on_cancel = on_sending_cancel;
	process_send(p, &s->input);
	return RPC_OK;
}

static struct sending *sending_new(struct rpc_error *error)
{
	struct sending *s = mem_new(1, sizeof(*s));

	if (s == NULL)
		(void)rpc_error(error, RPC_RESOURCE_EXHAUSTED, "no memory");
	else
		s->input.bytes = BUF_EMPTY(CONNECT_MESSAGE_MAX_BYTES);
	return s;
}

enum rpc_code proc_send_input(struct request *r, json_t *in, json_t **ret_out,
			      struct rpc_error *error)
{
	struct process *p = proc_select(r, in, false, error);
	struct sending *s = NULL;

	(void)ret_out;
	if (p == NULL)
		return error->code;
	s = sending_new(error);
	if (s == NULL)
		return error->code;
	if (proc_parse_input(p, in, &s->input.bytes, error) != RPC_OK) {
		sending_free(s);
		return error->code;
	}
	return send_to(p, r, s);
}

enum rpc_code proc_close_stdin(struct request *r, json_t *in, json_t **ret_out,
			       struct rpc_error *error)
{
	struct process *p = proc_select(r, in, false, error);
	struct sending *s = NULL;

	if (p == NULL)
		return error->code;
	if (p->is_pty)
		return rpc_error(error, RPC_FAILED_PRECONDITION,
				 "cannot close stdin for PTY process: send "
				 "Ctrl+D (0x04) instead");
	if (p->input_fd < 0) {
		*ret_out = json_object();
		return RPC_OK;
	}
	s = sending_new(error);
	if (s == NULL)
		return error->code;
	s->input.is_close = true;
	return send_to(p, r, s);
}

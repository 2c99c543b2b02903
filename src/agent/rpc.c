// SPDX-License-Identifier: Apache-2.0
// The Connect protocol in JSON: unary calls and server streams.

#include "agent/rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "wire/connect.h"

static const struct {
	const char *name;
	unsigned status;
} codes[] = {
	[RPC_OK] = { "ok", 200 },
	[RPC_CANCELED] = { "canceled", 499 },
	[RPC_INVALID_ARGUMENT] = { "invalid_argument", 400 },
	[RPC_DEADLINE_EXCEEDED] = { "deadline_exceeded", 504 },
	[RPC_NOT_FOUND] = { "not_found", 404 },
	[RPC_ALREADY_EXISTS] = { "already_exists", 409 },
	[RPC_PERMISSION_DENIED] = { "permission_denied", 403 },
	[RPC_RESOURCE_EXHAUSTED] = { "resource_exhausted", 429 },
	[RPC_FAILED_PRECONDITION] = { "failed_precondition", 400 },
	[RPC_UNIMPLEMENTED] = { "unimplemented", 501 },
	[RPC_INTERNAL] = { "internal", 500 },
	[RPC_UNAVAILABLE] = { "unavailable", 503 },
	[RPC_UNAUTHENTICATED] = { "unauthenticated", 401 },
};
_Static_assert(ARRAY_LEN(codes) == RPC_CODE_COUNT, "a code has no name");

static const struct {
	int code;
	enum rpc_code rpc;
} errnos[] = {
	{ -ENOENT, RPC_NOT_FOUND },
	{ -ESRCH, RPC_NOT_FOUND },
	{ -EEXIST, RPC_ALREADY_EXISTS },
	{ -EACCES, RPC_PERMISSION_DENIED },
	{ -EPERM, RPC_PERMISSION_DENIED },
	{ -EINVAL, RPC_INVALID_ARGUMENT },
	{ -ENOTDIR, RPC_INVALID_ARGUMENT },
	{ -ENAMETOOLONG, RPC_INVALID_ARGUMENT },
	{ -ELOOP, RPC_INVALID_ARGUMENT },
	{ -EAGAIN, RPC_RESOURCE_EXHAUSTED },
	{ -ENOMEM, RPC_RESOURCE_EXHAUSTED },
	{ -ENOSPC, RPC_RESOURCE_EXHAUSTED },
	{ -EMFILE, RPC_RESOURCE_EXHAUSTED },
};

enum rpc_code rpc_of_errno(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++) {
		if (errnos[i].code == code)
			return errnos[i].rpc;
	}
	return RPC_INTERNAL;
}

enum rpc_code rpc_error(struct rpc_error *error, enum rpc_code code,
			const char *fmt, ...)
{
	va_list ap;

	error->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(error->message, sizeof(error->message), fmt, ap);
	va_end(ap);
	return code;
}

/* A clipped message may end within a character: JSON wants whole ones. */
static json_t *text_of(const char *text)
{
	json_t *whole = json_string(text);
	char ascii[RPC_MESSAGE_BYTES];
	size_t i = 0;

	if (whole != NULL)
		return whole;
	for (; text[i] != '\0' && i + 1 < sizeof(ascii); i++)
		ascii[i] = (text[i] & 0x80) != 0 ? '?' : text[i];
	ascii[i] = '\0';
	return json_string(ascii);
}

static json_t *error_json(const struct rpc_error *error)
{
	return json_pack("{s:s,s:o}", "code", codes[error->code].name,
			 "message", text_of(error->message));
}

static char *dump(json_t *message)
{
	char *text = message == NULL ? NULL : json_dumps(message, JSON_COMPACT);

	json_decref(message);
	return text;
}

void rpc_reply(struct request *r, json_t *out)
{
	char *text = dump(out);

	if (text == NULL)
		request_fail(r, 500, "no memory for the answer");
	else
		request_reply(r, 200, "application/json", span_str(text));
	mem_free(text);
}

void rpc_stream_start(struct request *r)
{
	static const char HEADERS[] =
		"Content-Type: application/connect+json\r\n";

	request_start(r, 200, span_str(HEADERS), HTTP_LENGTH_UNKNOWN);
}

static void put(struct request *r, uint8_t flags, json_t *message)
{
	CLEANUP(buf_fini)
	struct buf envelope = BUF_EMPTY(HTTP_SERVER_OUT_MAX_BYTES);
	char *text = dump(message);

	if (text == NULL || connect_put(&envelope, flags, span_str(text)) < 0 ||
	    envelope.len > request_room(r))
		request_abort(r);
	else
		request_piece(r, buf_span(&envelope));
	mem_free(text);
}

void rpc_stream_put(struct request *r, json_t *message)
{
	put(r, 0, message);
}

void rpc_stream_end(struct request *r)
{
	put(r, CONNECT_FLAG_END, json_object());
	request_end(r);
}

void rpc_fail(struct request *r, const struct rpc_error *error)
{
	char *text = NULL;

	if (r->route->is_rpc_stream) {
		if (!r->http.is_reply_started)
			rpc_stream_start(r);
		put(r, CONNECT_FLAG_END,
		    json_pack("{s:o}", "error", error_json(error)));
		request_end(r);
		return;
	}
	text = dump(error_json(error));
	request_reply(r, codes[error->code].status, "application/json",
		      span_str(text == NULL ? "{}" : text));
	mem_free(text);
}

enum rpc_code rpc_user(const struct request *r, struct passwd_user *ret,
		       struct rpc_error *error)
{
	const char *name = r->user[0] != '\0' ? r->user :
						r->agent->identity.default_user;

	if (r->is_user_bad)
		return rpc_error(error, RPC_UNAUTHENTICATED,
				 "invalid username: not a Basic user name");
	if (passwd_load(name, ret) < 0)
		return rpc_error(error, RPC_UNAUTHENTICATED,
				 "invalid username: '%s'", name);
	return RPC_OK;
}

const char *rpc_text(const json_t *in, const char *name)
{
	const char *text = json_string_value(json_object_get(in, name));

	return text == NULL ? "" : text;
}

/* An empty body is an empty object. */
static json_t *parse(const struct buf *body)
{
	json_t *in = NULL;

	if (body->len == 0)
		return json_object();
	in = json_loadb((const char *)body->ptr, body->len, 0, NULL);
	if (json_is_object(in))
		return in;
	json_decref(in);
	return NULL;
}

static void on_unary(struct request *r)
{
	struct rpc_error error = { 0 };
	json_t *out = NULL;
	json_t *in = parse(&r->body);

	if (in == NULL)
		(void)rpc_error(&error, RPC_INVALID_ARGUMENT,
				"the body is not a JSON object");
	else
		(void)r->route->rpc->fn(r, in, &out, &error);
	json_decref(in);
	/* Neither an answer nor an error: it answers later. */
	if (error.code != RPC_OK)
		rpc_fail(r, &error);
	else if (out != NULL)
		rpc_reply(r, out);
}

const struct handler rpc_unary = {
	.body_max_bytes = RPC_BODY_MAX_BYTES,
	.on_end = on_unary,
};

static void on_missing(struct request *r)
{
	struct rpc_error error = { 0 };

	(void)rpc_error(&error, RPC_UNIMPLEMENTED,
			"this agent does not have the call");
	rpc_fail(r, &error);
}

const struct handler rpc_missing = {
	.body_max_bytes = RPC_BODY_MAX_BYTES,
	.on_end = on_missing,
};

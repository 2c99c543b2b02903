/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Connect protocol in JSON: unary calls and server streams.
 *
 * Theory. A unary call is a table entry: a function from one JSON object to
 * another, or to an error. It may also answer later. A stream's answer is
 * always 200; its errors come in the end-of-stream envelope.
 *
 * Spec: reference/e2b-wire.md 2.1
 */
#ifndef CPN_AGENT_RPC_H
#define CPN_AGENT_RPC_H

#include <jansson.h>

#include "agent/passwd.h"
#include "agent/request.h"
#include "base/macros.h"

enum {
	RPC_MESSAGE_BYTES = 512,
	/* A message of CONNECT_MESSAGE_MAX_BYTES and its envelope. */
	RPC_BODY_MAX_BYTES = 1048576 + 64,
};

enum rpc_code {
	RPC_OK,
	RPC_CANCELED,
	RPC_INVALID_ARGUMENT,
	RPC_DEADLINE_EXCEEDED,
	RPC_NOT_FOUND,
	RPC_ALREADY_EXISTS,
	RPC_PERMISSION_DENIED,
	RPC_RESOURCE_EXHAUSTED,
	RPC_FAILED_PRECONDITION,
	RPC_UNIMPLEMENTED,
	RPC_INTERNAL,
	RPC_UNAVAILABLE,
	RPC_UNAUTHENTICATED,
	RPC_CODE_COUNT,
};

struct rpc_error {
	enum rpc_code code;
	char message[RPC_MESSAGE_BYTES];
};

/* A unary call; @in and @ret_out are objects. */
typedef enum rpc_code rpc_fn(struct request *r, json_t *in, json_t **ret_out,
			     struct rpc_error *error);

struct rpc_call {
	rpc_fn *fn;
};

extern const struct handler rpc_unary;
/* Calls that E2B has and the agent does not. */
extern const struct handler rpc_missing;

/**
 * rpc_error() - name an error
 *
 * Return: @code, so that callers can write `return rpc_error(...)`.
 * Context: any.
 */
enum rpc_code rpc_error(struct rpc_error *error, enum rpc_code code,
			const char *fmt, ...) PRINTF(3, 4);

/**
 * rpc_of_errno() - the code that fits an errno
 * @code: negative errno
 *
 * Return: the code.
 * Context: any.
 */
enum rpc_code rpc_of_errno(int code);

/**
 * rpc_reply() - answer a unary call
 * @out: its object; a reference is taken over
 * Context: a handler, or later.
 */
void rpc_reply(struct request *r, json_t *out);

/**
 * rpc_fail() - answer with an error: a unary call's, or a stream's end
 *
 * A stream that has not begun is begun first.
 * Context: a handler, or later.
 */
void rpc_fail(struct request *r, const struct rpc_error *error);

/**
 * rpc_stream_start() - begin a stream's answer
 * Context: a handler, or later.
 */
void rpc_stream_start(struct request *r);

/**
 * rpc_stream_put() - send one message; the caller looked at request_room()
 * @message: an object; a reference is taken over
 * Context: a handler, or later.
 */
void rpc_stream_put(struct request *r, json_t *message);

/**
 * rpc_stream_end() - end a stream well
 * Context: a handler, or later.
 */
void rpc_stream_end(struct request *r);

/**
 * rpc_user() - the Linux user a request is for
 *
 * Return: RPC_OK, or RPC_UNAUTHENTICATED.
 * Context: a handler.
 */
enum rpc_code rpc_user(const struct request *r, struct passwd_user *ret,
		       struct rpc_error *error) MUST_CHECK;

/**
 * rpc_text() - a string member of an object
 *
 * Return: the string, borrowed from @in, or "" if absent.
 * Context: any.
 */
const char *rpc_text(const json_t *in, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request being answered, and the connection it came on.
 *
 * Theory. A connection is one stream of the wire with one http_server. Each
 * request is given to the handler of its route. A handler without on_body has
 * the body collected for it, up to its maximum. A failure to answer (no
 * memory) breaks the connection; handlers need not look.
 *
 * Invariants.
 *  0. No call below frees the request: that happens between two callbacks.
 *  1. on_cancel is called exactly when it is set and the connection dies
 *     before the reply is complete; who completes the reply frees itself.
 *  2. Nothing is served before the identity of the epoch is there, but the
 *     identity itself.
 */
#ifndef CPN_AGENT_REQUEST_H
#define CPN_AGENT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/agent.h"
#include "agent/wire.h"
#include "base/buf.h"
#include "base/macros.h"
#include "wire/http_server.h"

enum { REQUEST_USER_BYTES = 64 };

struct request;
struct rpc_call;

struct handler {
	/* Greatest body that is collected; above it the answer is 413. */
	size_t body_max_bytes;
	/* The head has come; may reply; may be NULL. */
	void (*on_head)(struct request *r, const struct http_head *head);
	/* A piece of the body; NULL: it is collected in r->body. */
	void (*on_body)(struct request *r, struct span piece);
	/* The body is whole. */
	void (*on_end)(struct request *r);
	/* A streamed reply has room again; may be NULL. */
	void (*on_room)(struct request *r);
};

/* What a handler is for, besides how it works. */
struct route {
	const char *method;
	const char *path;
	const struct handler *handler;
	bool is_open; /* needs no token */
	bool is_init; /* the one thing served before the identity */
	bool is_rpc_stream;
	const struct rpc_call *rpc; /* of a unary call */
};

struct request {
	struct agent *agent;
	struct http_server http;
	const struct route *route; /* NULL while none is being answered */
	struct buf body;
	struct buf rest; /* of a whole reply, larger than the room */
	/* from the head */
	char user[REQUEST_USER_BYTES]; /* as asked for, or empty */
	bool is_user_bad;
	uint64_t timeout_ns;   /* 0: none */
	uint64_t keepalive_ns; /* 0: none asked for */
	void *state;	       /* the handler's */
	/* Nobody waits for the reply any more: forget the request, free the
	 * state. Set by a handler that has something to free. */
	void (*on_cancel)(struct request *r);
	/* the connection */
	struct wire_stream stream;
	struct buf in; /* received, not yet used up */
	bool is_open;  /* a request is here, its reply is not complete */
	bool is_input_over;
	bool is_finished; /* the stream is gone, the memory soon */
	bool is_broken;
	bool is_busy;
	bool is_again;
	struct ev_timer reaper;
};

/**
 * request_serve() - take a stream to the target `agent`
 *
 * Context: on_open of the wire. Without memory the stream is refused.
 */
void request_serve(struct agent *agent, uint32_t stream_id);

/**
 * request_reply() - answer as a whole, however long
 * @type: Content-Type, or NULL
 * @body: copied
 * Context: a handler, or later.
 */
void request_reply(struct request *r, unsigned status, const char *type,
		   struct span body);

/**
 * request_fail() - answer {"code":status,"message":...}
 * Context: a handler, or later.
 */
void request_fail(struct request *r, unsigned status, const char *fmt, ...)
	PRINTF(3, 4);

/**
 * request_start() - begin a streamed answer
 * @headers: as for http_reply_start()
 * Context: a handler, or later.
 */
void request_start(struct request *r, unsigned status, struct span headers,
		   uint64_t length);

/**
 * request_room() - bytes request_piece() takes now
 *
 * Return: bytes; 0 if the connection is broken.
 * Context: a handler, or later.
 */
size_t request_room(const struct request *r);

/**
 * request_piece() - stream a part of the answer, at most request_room() bytes
 * Context: a handler, or later.
 */
void request_piece(struct request *r, struct span bytes);

/**
 * request_end() - complete a streamed answer
 * Context: a handler, or later.
 */
void request_end(struct request *r);

/**
 * request_abort() - give a streamed answer up: the client sees it broken
 * Context: a handler, or later.
 */
void request_abort(struct request *r);

/**
 * request_pause() - stop (or go on) taking the request's body
 * Context: a handler, or later.
 */
void request_pause(struct request *r, bool on);

/**
 * request_route() - the route of a method and path
 * @ret_known: whether the path exists under another method
 *
 * Return: the route, or NULL.
 * Context: any.
 */
const struct route *request_route(struct span method, struct span path,
				  bool *ret_known);

#endif

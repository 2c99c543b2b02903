/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of one HTTP/1.1 connection, over any byte stream.
 *
 * Theory. Pure: the owner feeds received bytes and drains output. Requests
 * are handled one after another; while one is being answered, and until its
 * answer was drained, further input of the next is left unconsumed
 * (back-pressure). Output is bounded by HTTP_SERVER_OUT_MAX_BYTES and one
 * head: replies are streamed piece by piece as http_reply_room() allows,
 * on_room tells when there is room again.
 *
 * A request that cannot be parsed is answered here (400, 431, 501, 505) and
 * the connection is closed; the handler never sees it. A body whose chunks
 * are malformed ends the connection, with a 400 if no reply was begun.
 * "Expect: 100-continue" is answered here when the handler did not reply in
 * on_request; if it did, the connection closes behind the reply, for nobody
 * can tell whether the body will come. A reply that is complete before the
 * request's body: the rest of the body is read and dropped, up to
 * HTTP_SERVER_DRAIN_MAX_BYTES, then the connection closes.
 *
 * Invariants.
 *  1. Per request exactly one of: a whole reply, on_gone, or an end that the
 *     handler chose (http_reply_abort(), http_reply_end() before the length).
 *  2. on_body and on_end are not called after the reply was completed.
 *  3. Every callback may complete the reply; none may free the server.
 */
#ifndef CPN_WIRE_HTTP_SERVER_H
#define CPN_WIRE_HTTP_SERVER_H

#include "wire/http1.h"

enum {
	HTTP_SERVER_OUT_MAX_BYTES = 131072,
	HTTP_SERVER_DRAIN_MAX_BYTES = 1048576,
};

struct http_server;

struct http_server_ops {
	/* A whole head; its views die with the call. */
	void (*on_request)(struct http_server *s, const struct http_head *head);
	/* A piece of the body, not empty. */
	void (*on_body)(struct http_server *s, struct span piece);
	/* The body is complete (called without a body, too). */
	void (*on_end)(struct http_server *s);
	/* A streamed reply has room again; may be NULL. */
	void (*on_room)(struct http_server *s);
	/* The connection died before the reply was complete; may be NULL. */
	void (*on_gone)(struct http_server *s);
};

struct http_server {
	const struct http_server_ops *ops;
	void *owner;	 /* the user's */
	int state;	 /* private from here on */
	struct buf head; /* the part received of the next request */
	struct http_scan scan;
	struct buf out;
	struct http_body body;
	bool is_chunked_reply;
	bool is_bodiless_reply; /* to HEAD; 204, 304 */
	bool is_head_request;
	bool is_reply_started;
	bool is_closing;
	bool is_paused;
	bool owes_continue;
	uint64_t reply_remaining; /* of a Content-Length reply */
	uint64_t drained_bytes;
	unsigned minor;
};

/**
 * http_server_init() - a connection before its first request
 * @s:     caller's memory
 * @ops:   borrowed for the connection's life
 * @owner: kept in @s->owner
 * Context: any thread.
 */
void http_server_init(struct http_server *s, const struct http_server_ops *ops,
		      void *owner);

/**
 * http_server_fini() - end the connection; calls on_gone if a reply is open
 * Context: not from a callback.
 */
void http_server_fini(struct http_server *s);

/**
 * http_server_feed() - hand over received bytes
 * @in: untrusted; consumed bytes are cut off its front
 *
 * Bytes left over wait for the present reply (or for http_server_pause() to
 * be undone): keep them and feed again after output was drained or the reply
 * was completed. Once http_server_is_over() all bytes are dropped.
 *
 * Return: 0; -ENOMEM: close the connection.
 * Context: calls the callbacks; may allocate.
 */
int http_server_feed(struct http_server *s, struct span *in) MUST_CHECK;

/**
 * http_server_pause() - stop (or go on) consuming the request's body
 * Context: any callback.
 */
void http_server_pause(struct http_server *s, bool on);

/**
 * http_reply() - answer the request as a whole
 * @status: 200..599
 * @type:   Content-Type, or NULL for none
 * @body:   copied; must fit the output's maximum
 *
 * Return: 0; -E2BIG; -EINVAL for a @status or @type that is none, or if no
 * request waits for its answer; -ENOMEM: close the connection. Nothing is
 * sent on failure.
 * Context: a callback, or later; may allocate.
 */
int http_reply(struct http_server *s, unsigned status, const char *type,
	       struct span body) MUST_CHECK;

/**
 * http_reply_start() - begin a streamed answer
 * @status:  200..599
 * @headers: whole header lines made with http_put_header(), may be empty;
 *           without Content-Length, Transfer-Encoding and Connection
 * @length:  bytes of the body, or HTTP_LENGTH_UNKNOWN (chunked; to an
 *           HTTP/1.0 client: until close)
 *
 * To HEAD, and with 204 and 304, the body is taken as ever but not sent.
 *
 * Return: 0; -E2BIG or -EINVAL for a head that a client would refuse, or if
 * no request waits for its answer; -ENOMEM: close the connection. Nothing is
 * sent on failure.
 * Context: a callback, or later; may allocate.
 */
int http_reply_start(struct http_server *s, unsigned status,
		     struct span headers, uint64_t length) MUST_CHECK;

/**
 * http_reply_room() - bytes http_reply_piece() takes now
 *
 * Return: bytes, possibly 0.
 * Context: any thread.
 */
size_t http_reply_room(const struct http_server *s);

/**
 * http_reply_piece() - stream a part of the body
 * @bytes: copied; at most http_reply_room(), at most the announced length
 *
 * Return: 0; -EMSGSIZE if it is more; -ENOMEM: close the connection.
 * Context: a callback, or later; may allocate.
 */
int http_reply_piece(struct http_server *s, struct span bytes) MUST_CHECK;

/**
 * http_reply_end() - complete a streamed answer
 *
 * If bytes of the announced length are missing the connection will close
 * without them (the client sees a broken body).
 *
 * Return: 0, also if no streamed answer is open; -ENOMEM: close the
 * connection.
 * Context: a callback, or later; may allocate.
 */
int http_reply_end(struct http_server *s) MUST_CHECK;

/**
 * http_reply_abort() - give a streamed answer up: the connection will close
 * Context: a callback, or later.
 */
void http_reply_abort(struct http_server *s);

/**
 * http_server_output() - bytes to send to the client
 *
 * Return: a view valid until the server changes.
 * Context: any thread.
 */
struct span http_server_output(const struct http_server *s);

/**
 * http_server_sent() - say that @n bytes of the output were sent
 *
 * Calls on_room when a streamed reply has room again.
 * Context: not from a callback.
 */
void http_server_sent(struct http_server *s, size_t n);

/**
 * http_server_is_over() - whether to close once the output is drained
 *
 * Return: true if no further request will be served.
 * Context: any thread.
 */
bool http_server_is_over(const struct http_server *s);

#endif

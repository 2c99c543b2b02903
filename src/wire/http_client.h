/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of one HTTP/1.1 connection, over any byte stream.
 *
 * Theory. Pure, like http_server.h. One request at a time; its body may be
 * streamed while the response already arrives. 1xx answers are swallowed, but
 * for 101: we never ask for an upgrade. A response that is complete before
 * its request was sent whole ends the connection: what follows on it would
 * belong to nobody knows which request. So do bytes that nobody asked for.
 *
 * Invariants.
 *  1. Per request exactly one of on_end and on_fail is called, last.
 *  2. No callback is called before http_client_feed(), http_client_eof() or
 *     http_client_sent().
 *  3. A request is written only if http_parse_request() takes it as meant.
 */
#ifndef CPN_WIRE_HTTP_CLIENT_H
#define CPN_WIRE_HTTP_CLIENT_H

#include "wire/http1.h"

enum { HTTP_CLIENT_OUT_MAX_BYTES = 131072 };

struct http_client;

struct http_client_ops {
	/* A whole final head (status >= 200); its views die with the call. */
	void (*on_head)(struct http_client *c, const struct http_head *head);
	/* A piece of the body, not empty. */
	void (*on_body)(struct http_client *c, struct span piece);
	/* The response is complete. */
	void (*on_end)(struct http_client *c);
	/* The connection broke or the server broke the protocol. */
	void (*on_fail)(struct http_client *c, int code);
	/* A streamed request body has room again; may be NULL. */
	void (*on_room)(struct http_client *c);
};

struct http_client {
	const struct http_client_ops *ops;
	void *owner;	 /* the user's */
	int state;	 /* private from here on */
	struct buf head; /* the part received of the response's */
	struct http_scan scan;
	struct buf out;
	struct http_body body;
	bool is_to_head;
	bool is_chunked_request;
	bool is_request_done; /* its last byte was put in the output */
	bool is_unsent;	      /* none of its bytes was sent */
	bool is_paused;
	bool is_keep_alive;
	uint64_t request_remaining;
};

/**
 * http_client_init() - a connection before its first request
 * Context: any thread.
 */
void http_client_init(struct http_client *c, const struct http_client_ops *ops,
		      void *owner);

/**
 * http_client_fini() - free what the connection holds; calls nothing
 * Context: not from a callback.
 */
void http_client_fini(struct http_client *c);

/**
 * http_client_start() - begin a request
 * @method:  a token, e.g. "POST"
 * @target:  origin-form
 * @headers: whole header lines made with http_put_header(); must hold Host;
 *           without Content-Length, Transfer-Encoding and Connection
 * @length:  bytes of the body; 0 for none; HTTP_LENGTH_UNKNOWN for chunked
 *
 * Return: 0; -EBUSY while a request is under way; -ENOTCONN if the last
 * answer ended the connection; -EINVAL or -E2BIG for a head that a server
 * would refuse; -ENOMEM. Nothing is sent on failure.
 * Context: any, on_end included; may allocate.
 */
int http_client_start(struct http_client *c, const char *method,
		      struct span target, struct span headers,
		      uint64_t length) MUST_CHECK;

/**
 * http_client_room() - bytes http_client_piece() takes now
 *
 * Return: bytes, possibly 0.
 * Context: any thread.
 */
size_t http_client_room(const struct http_client *c);

/**
 * http_client_piece() - stream a part of the request's body
 *
 * Return: 0; -EMSGSIZE past the room or the announced length, or if the
 * request is over (room is 0 then); -ENOMEM.
 * Context: any; may allocate.
 */
int http_client_piece(struct http_client *c, struct span bytes) MUST_CHECK;

/**
 * http_client_end() - complete the request's body
 *
 * Return: 0, also if the request is over; -EMSGSIZE if bytes of the announced
 * length are missing; -ENOMEM.
 * Context: any; may allocate.
 */
int http_client_end(struct http_client *c) MUST_CHECK;

/**
 * http_client_feed() - hand over received bytes
 * @in: untrusted; consumed bytes are cut off its front
 *
 * Bytes are left over only while http_client_pause() is on.
 *
 * Return: 0; -EBADMSG: close the connection (a request under way got its
 * on_fail); -ENOMEM: close, too.
 * Context: calls the callbacks.
 */
int http_client_feed(struct http_client *c, struct span *in) MUST_CHECK;

/**
 * http_client_eof() - say that the server closed the stream
 *
 * Ends a response that reads until close; fails any other open one with
 * -ECONNRESET. Feed what was received before.
 * Context: calls the callbacks.
 */
void http_client_eof(struct http_client *c);

/**
 * http_client_pause() - stop (or go on) consuming the response's body
 * Context: any.
 */
void http_client_pause(struct http_client *c, bool on);

/**
 * http_client_output() - bytes to send to the server
 *
 * Return: a view valid until the client changes.
 * Context: any thread.
 */
struct span http_client_output(const struct http_client *c);

/**
 * http_client_sent() - say that @n bytes of the output were sent
 *
 * Calls on_room when a streamed request has room again.
 * Context: not from a callback.
 */
void http_client_sent(struct http_client *c, size_t n);

/**
 * http_client_is_idle() - whether http_client_start() may be called
 *
 * Return: true if no request is under way and the connection may be reused.
 * Context: any thread.
 */
bool http_client_is_idle(const struct http_client *c);

#endif

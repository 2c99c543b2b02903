/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP connection to a sandbox's api.sock on an event loop: the glue
 * between a socket and wire/http_client.h.
 *
 * Theory. The owner starts requests on `http` and hears from its callbacks;
 * after anything that queues output or unpauses it calls api_conn_pump().
 */
#ifndef CPN_CLIENT_API_H
#define CPN_CLIENT_API_H

#include "base/err.h"
#include "base/macros.h"
#include "ev/ev.h"
#include "wire/http_client.h"

enum { API_IN_BYTES = 65536 };

struct api_conn {
	int fd; /* -1 while closed */
	struct ev_io io;
	struct http_client http;
	struct buf in; /* received, not yet taken by http */
	bool is_pumping;
	void *owner;
};

/**
 * api_conn_open() - connect to a unix socket
 * @conn:  caller's memory; must not move
 * @ops:   callbacks of the HTTP client; conn->http.owner is @conn; a
 *         connection that is lost is told by on_fail of an open request
 *
 * Return: 0; -errno with a sentence.
 * Context: the loop's thread.
 */
int api_conn_open(struct api_conn *conn, struct ev *loop, const char *path,
		  const struct http_client_ops *ops, void *owner,
		  struct err *e) MUST_CHECK;

/**
 * api_conn_is_lost() - whether the other end closed, as it does after a rest
 *
 * Return: true if so; such a connection is closed and opened anew.
 * Context: the loop's thread.
 */
bool api_conn_is_lost(const struct api_conn *conn);

/**
 * api_conn_close() - close and free; a zeroed or closed one is allowed
 * Context: not from one of its callbacks.
 */
void api_conn_close(struct api_conn *conn);

/**
 * api_conn_pump() - move what can be moved: output out, kept input in
 * Context: the loop's thread; calls the HTTP callbacks.
 */
void api_conn_pump(struct api_conn *conn);

#endif

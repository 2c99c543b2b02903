/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.sock: the sandbox's API for its clients.
 *
 * Theory. Each connection is served by one http_server; each request becomes
 * one call to the agent, or a viewer of a held process. Nothing passes through
 * as bytes: requests and answers are parsed and written anew. Back-pressure
 * goes both ways: a client's bytes are read only while its call has room, an
 * answer's bytes are taken only while the client's output has room.
 *
 * Invariants.
 *  1. At most API_CLIENTS_MAX connections; one more gets 503.
 *  2. A client's connection acts only in its own task (client.c).
 *  3. Requests reach the agent only with the sandbox's token (GET /health
 *     aside) and only while the sandbox serves.
 */
#ifndef CPN_SHIM_API_H
#define CPN_SHIM_API_H

#include "shim/held.h"
#include "shim/route.h"
#include "wire/http_server.h"

enum {
	API_CLIENTS_MAX = 64,
	API_READ_BYTES = 16384,
	/* An answer's output above this takes no further slice. */
	API_OUT_HIGH_BYTES = 65536,
	/* Bodies that the shim itself looks into (Start's tag, Connect). */
	API_PEEK_MAX_BYTES = 65536,
};

/* A head must be whole this long after its first byte (or the accept); a
 * connection may rest that long between requests. */
#define API_HEAD_NS (10 * NS_PER_S)
#define API_REST_NS (60 * NS_PER_S)

struct client;

struct api {
	struct ev *loop;
	struct agenda *agenda;
	struct link *link;
	struct held_list held;
	const char *sandbox_id;
	const char *token;
	struct client *clients;
	size_t client_count;
	size_t busy_count; /* clients with a request under way */
	bool is_serving;
	/* The number of busy clients became zero, or more than zero. */
	void (*on_busy)(struct api *api);
	/* A descriptor or timer was served: time to run the agenda. */
	void (*on_turn)(struct api *api);
	void *owner;
	struct ev_io listener_io;
	uint8_t read_bytes[API_READ_BYTES];
};

/**
 * api_listen() - make the listening socket
 * @path: at most 107 bytes; relative to the working directory
 *
 * Return: an owned descriptor, or -errno.
 * Context: needs the launcher's rights.
 */
int api_listen(const char *path) MUST_CHECK;

/**
 * api_init() - take a listening socket into use
 * @api: zeroed; must not move; loop, agenda, link, sandbox_id, token, on_busy,
 *       on_turn and owner are set
 * @fd:  from api_listen(); borrowed for the api's life
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int api_init(struct api *api, int fd) MUST_CHECK;

/**
 * api_farewell() - the sandbox is dead: say so to who still waits
 *
 * Requests without an answer get a 502, as far as it can be written at once.
 * Context: the loop's thread; the process exits next.
 */
void api_farewell(struct api *api);

/**
 * client_new() - serve a connection
 * @fd: owned by the client, closed on failure
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int client_new(struct api *api, int fd) MUST_CHECK;

/**
 * client_farewell() - see api_farewell()
 * Context: the loop's thread.
 */
void client_farewell(struct client *client);

/**
 * client_next() - the next connection of the api's list
 *
 * Return: the client, or NULL.
 * Context: the loop's thread.
 */
struct client *client_next(const struct client *client);

#endif

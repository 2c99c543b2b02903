/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a wire, for tests: HTTP requests to a real agent, over
 * a socket pair or QEMU's chardev.
 *
 * Theory. Nothing happens but inside client_step(), which moves what can be
 * moved and waits for the descriptor. A reply is collected up to its
 * maximum, unless it is stalled: then the connection takes nothing and the
 * agent feels it.
 */
#ifndef CPN_TEST_WIRE_CLIENT_H
#define CPN_TEST_WIRE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "wire/http_client.h"
#include "wire/mux.h"

enum {
	CLIENT_REPLIES_MAX = 128,
	CLIENT_REPLY_MAX_BYTES = 67108864,
	CLIENT_WAIT_MS = 20000,
};

struct client;

struct reply {
	struct client *client;
	uint32_t stream;
	struct http_client http;
	unsigned status;
	struct buf headers;  /* "name: value\n" */
	struct buf received; /* of the stream, not yet taken */
	struct buf body;
	struct buf upload;   /* of the request, not yet sent */
	bool is_upload_held; /* more of the body will come */
	bool is_request_done;
	bool is_done;
	bool is_failed;
	bool is_stalled;
	bool is_raw;  /* no HTTP: body holds what comes */
	size_t taken; /* envelopes read so far, see reply_event() */
};

struct client {
	int fd;
	char token[128];
	char user[64];
	unsigned timeout_ms; /* Connect-Timeout-Ms; 0: none */
	const char *extra;   /* more header lines, or NULL */
	bool is_dead;
	uint64_t epoch_seen;
	struct mux mux;
	size_t in_start;
	size_t in_len;
	uint8_t in[65536];
	struct reply *replies[CLIENT_REPLIES_MAX];
};

void client_init(struct client *c, int fd, uint64_t epoch);
void client_fini(struct client *c);

/* One turn; waits at most @wait_ms. */
void client_step(struct client *c, int wait_ms);

/* Begin a request; @body is all of it unless @is_held. */
struct reply *client_request(struct client *c, const char *method,
			     const char *target, const char *type,
			     struct span body, bool is_held);

/* Open a stream to any target; what comes collects in the body. */
struct reply *client_raw(struct client *c, const char *target);

/* More of a held body; reply_close() ends it. */
void reply_send(struct reply *r, struct span bytes);
void reply_close(struct reply *r);
void reply_free(struct reply *r);

/* Wait until the reply is whole; false if it fails or takes too long. */
bool reply_wait(struct reply *r);

/* A unary call: the status, and the JSON answer for json_decref(), or NULL. */
unsigned client_call(struct client *c, const char *method, const char *target,
		     const char *body, json_t **ret);

/* Begin a Connect stream with one message; reply_event() reads it. */
struct reply *client_stream(struct client *c, const char *target,
			    const char *message);

/* Wait for the next message; for json_decref(); NULL at the end. */
json_t *reply_event(struct reply *r);

/* Everything a process said, and how it ended. */
struct outcome {
	int exit_code;
	int signal;
	bool is_ended;
	char status[64];
	char cause[32];
	char error[64];	   /* code of an error at the stream's end */
	char message[256]; /* and its message */
	struct buf out;
	struct buf err;
};

/* Read a stream to its end. */
void reply_outcome(struct reply *r, struct outcome *ret);
void outcome_fini(struct outcome *o);

/* Run /bin/sh -c @script to its end. */
void client_run(struct client *c, const char *script, struct outcome *ret);

/* POST /init with a made-up identity; the status. */
unsigned client_identify(struct client *c);

#endif

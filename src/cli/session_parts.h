/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms of a session, private to src/cli/session*.c. */
#ifndef CPN_CLI_SESSION_PARTS_H
#define CPN_CLI_SESSION_PARTS_H

#include <signal.h>

#include "cli/output.h"
#include "cli/session.h"

enum {
	CALLS_MAX = 32,
	CALL_BODY_BYTES = 512,
	MESSAGE_MAX_BYTES = 262144, /* of one Connect event we accept */
	/* The shim's answer when there is no sandbox behind it any more. */
	HTTP_BAD_GATEWAY = 502,
};

struct call {
	const char *method; /* of process.Process */
	char body[CALL_BODY_BYTES];
};

struct session {
	struct ev loop;
	struct launched *sandbox;
	const char *token;
	const struct session_request *request;
	struct session_result *result;
	struct err *e;
	uint64_t start_ns;
	int code; /* 0, or what Caponier failed with */

	struct ev_io control_io;
	struct ev_io signal_io;
	int signal_fd;

	/* files */
	struct api_conn files;
	size_t next_file;
	int file_fd;
	uint64_t file_left;
	unsigned file_status;
	struct buf file_answer;

	/* the Start stream */
	struct api_conn stream;
	struct buf unsent; /* of the request */
	bool is_request_sent;
	struct buf messages;
	unsigned stream_status;
	struct ev_timer last_word; /* for the sandbox's own end to be told */
	uint64_t pid;		   /* of the command inside; 0: not started */
	bool has_ended;
	struct output out;
	struct output err_out;

	/* stdin */
	struct api_conn feed;
	struct ev_io stdin_io;
	bool is_stdin_polled;
	bool is_stdin_done;
	bool is_feed_ready;

	/* small calls, one after another */
	struct api_conn calls;
	struct call queue[CALLS_MAX];
	size_t queue_head;
	size_t queue_len;
};

/* session.c */

/**
 * session_fail() - end the session with a sentence already in s->e
 * Context: the loop.
 */
void session_fail(struct session *s, int code);

/**
 * session_ended() - end the session with the command's outcome in s->result
 * Context: the loop.
 */
void session_ended(struct session *s);

/**
 * session_await_end() - a call found no sandbox any more: why comes shortly
 *
 * Over the control channel; if it does not, the session fails.
 * Context: the loop.
 */
void session_await_end(struct session *s);

/**
 * session_headers() - the header lines every request carries
 * @type: Content-Type
 *
 * Return: as buf_put().
 * Context: the loop.
 */
int session_headers(const struct session *s, struct buf *out,
		    const char *type) MUST_CHECK;

/* session_files.c */

/**
 * files_start() - copy the request's files in, then call stream_start()
 * Context: the loop.
 */
void files_start(struct session *s);

/**
 * files_fini() - free what copying holds
 * Context: after the loop.
 */
void files_fini(struct session *s);

/* session_stream.c */

/**
 * stream_start() - start the command
 * Context: the loop.
 */
void stream_start(struct session *s);

/**
 * stream_fini() - free what the stream holds
 * Context: after the loop.
 */
void stream_fini(struct session *s);

/* session_feed.c */

/**
 * feed_start() - carry stdin to the command; needs s->pid
 * Context: the loop.
 */
void feed_start(struct session *s);

/**
 * feed_fini() - free what feeding holds
 * Context: after the loop.
 */
void feed_fini(struct session *s);

/* session_calls.c */

/**
 * calls_put() - queue one call to process.Process
 * @method: such as "SendSignal"; a constant
 * @fmt:    printf format of the JSON body
 *
 * A full queue drops the call: a terminal cannot be resized, or a signal
 * sent, faster than the sandbox answers.
 * Context: the loop.
 */
void calls_put(struct session *s, const char *method, const char *fmt, ...)
	PRINTF(3, 4);

/**
 * calls_fini() - free what the calls hold
 * Context: after the loop.
 */
void calls_fini(struct session *s);

#endif

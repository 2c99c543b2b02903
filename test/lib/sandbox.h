/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox with a stub engine, for tests of the shim. Programs and working
 * directory come from the environment: SHIM_STUB, HOSTILE_AGENT, TMPDIR.
 */
#ifndef CPN_TEST_SANDBOX_H
#define CPN_TEST_SANDBOX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "domain/sandbox.h"

enum { REQUEST_BYTES = 8192 };

struct sandbox {
	struct sandbox_spec spec;
	char dir[PATH_MAX];
	pid_t keeper;
	int control;
	bool has_ended;
	bool is_ready;
	char message[8192]; /* last one of the control channel */
};

/* What a client got back. */
struct reply {
	unsigned status; /* 0: none */
	char head[32768];
	char body[65536]; /* the beginning of it, unchunked not */
	size_t body_len;  /* all of it, as sent */
};

/* Fill in a specification with the agent @mode, to be changed by the test. */
void sandbox_describe(struct sandbox *s, const char *mode);
/* Make directory and lock, start the keeper. */
void sandbox_launch(struct sandbox *s);
/* Wait for the next message; false when the channel ended or after @ms. */
bool sandbox_next(struct sandbox *s, int ms);
/* Both of the above, until `ready`. */
bool sandbox_start(struct sandbox *s, const char *mode);
/* Send an order to the shim. */
void sandbox_order(struct sandbox *s, const char *json);
/* Wait for `ended`: true with exactly this cause, and nothing is left. */
bool sandbox_ended(struct sandbox *s, const char *cause, int ms);
/* A connection to api.sock, or -1. */
int sandbox_dial(const struct sandbox *s);
/* One request with the token; @body may be NULL. */
void sandbox_ask(struct sandbox *s, const char *method, const char *path,
		 const char *body, struct reply *ret);
/* Send bytes, read to the end of the connection or for @ms. */
void sandbox_exchange(struct sandbox *s, const char *bytes, size_t len, int ms,
		      struct reply *ret);
/* Write a whole request's bytes. */
size_t sandbox_request(const struct sandbox *s, char dst[REQUEST_BYTES],
		       const char *method, const char *path, const char *body,
		       size_t body_len);
/* Read a reply until it is whole, the end comes, or @ms are over. */
void sandbox_read(int fd, int ms, struct reply *ret);
/* The shim's process on the host, or -1. */
pid_t sandbox_shim(const struct sandbox *s);
/* Children of a process (the first), or -1. */
pid_t child_of(pid_t parent);
/* KiB of a field of smaps_rollup. */
long memory_kib(pid_t pid, const char *field);
/* Whether processes, cgroups or files of the sandbox are left; says which. */
bool sandbox_is_gone(const struct sandbox *s);
/* Free what the test holds; the sandbox ends. */
void sandbox_fini(struct sandbox *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Launching sandboxes: the launcher's half of docs/design/0001.
 *
 * Theory. A sandbox is a directory whose `lock` its keeper holds. The
 * directory is made under a hidden name, locked, filled, then renamed: a
 * sandbox directory that nobody holds is therefore a dead one, and whoever
 * meets it removes it.
 *
 * Invariants.
 *  1. launch() leaves nothing behind when it fails.
 *  2. After launch_reap() nothing of the sandbox is left, whoever died.
 */
#ifndef CPN_LAUNCH_LAUNCH_H
#define CPN_LAUNCH_LAUNCH_H

#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"
#include "domain/home.h"
#include "domain/install.h"
#include "domain/sandbox.h"

enum { CONTROL_MESSAGE_MAX_BYTES = 4096, CONTROL_DETAIL_BYTES = 1024 };

/* A launched sandbox, owned by its launcher. */
struct launched {
	char id[SANDBOX_ID_BYTES];
	char dir[PATH_MAX];
	char api_socket[PATH_MAX];
	pid_t keeper;	/* child of the launcher */
	int keeper_fd;	/* pidfd */
	int control_fd; /* SOCK_SEQPACKET, non-blocking */
};

#define LAUNCHED_NONE ((struct launched){ .keeper_fd = -1, .control_fd = -1 })

enum control_event {
	CONTROL_NONE,  /* nothing there now */
	CONTROL_READY, /* the agent serves */
	CONTROL_SAVED, /* a template's guest is saved */
	CONTROL_ENDED, /* the last message: nothing is left */
	CONTROL_LOST,  /* the keeper died without a last message */
};

struct control_message {
	enum control_event event;
	enum cause cause; /* CONTROL_ENDED */
	char detail[CONTROL_DETAIL_BYTES];
	unsigned boot_ms; /* CONTROL_READY */
};

/**
 * launch() - make a sandbox directory and start its keeper
 * @spec: id, layer and uids are filled in here; the rest is the caller's
 * @ret:  owned by the caller (launch_reap()); LAUNCHED_NONE on failure
 *
 * Return: 0; -errno with a sentence.
 * Context: blocks for milliseconds.
 */
int launch(const struct home *home, const struct install *install,
	   struct sandbox_spec *spec, struct launched *ret,
	   struct err *e) MUST_CHECK;

/**
 * launch_read() - take the next message of the control channel
 * @ret: always set
 *
 * Return: 0; -EBADMSG for a message that is none (the shim is broken).
 * Context: never blocks.
 */
int launch_read(struct launched *sandbox,
		struct control_message *ret) MUST_CHECK;

/**
 * launch_stop() - ask for the sandbox's end; CONTROL_ENDED follows
 * Context: never blocks.
 */
void launch_stop(struct launched *sandbox, enum cause cause);

/**
 * launch_ask_save() - ask a BOOT_TEMPLATE's shim to save its guest
 * Context: never blocks.
 */
void launch_ask_save(struct launched *sandbox);

/**
 * launch_reap() - wait for the keeper's end and clear up what it could not
 * @sandbox: LAUNCHED_NONE is allowed; becomes LAUNCHED_NONE
 *
 * The sandbox must have been stopped or have ended.
 * Context: blocks until the keeper has ended.
 */
void launch_reap(const struct home *home, struct launched *sandbox);

/**
 * launch_sweep() - remove every sandbox directory that nobody holds
 *
 * Return: how many were removed, or -errno.
 * Context: blocks briefly.
 */
int launch_sweep(const struct home *home);

#endif

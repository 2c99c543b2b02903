/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes clients have started.
 *
 * Theory. A process has at most two outputs (stdout and stderr, or one pty)
 * and one input. Its output is read only while every watcher has room, so a
 * slow client slows the process down and nothing piles up; with no watcher at
 * all it is read and dropped, so that a process survives its client. Input is
 * a queue of jobs, each one request's; a job ends when its bytes are written.
 *
 * The end is told when the process has exited and what its pipes held at that
 * moment was read: that is all it can have written, and a child it left in
 * the background holds nobody up, quiet or not. Such a child's output is still
 * read, and dropped, so that it does not die of a broken pipe.
 *
 * States: STARTING → RUNNING → EXITED (drains) → ENDED (kept for late
 * clients, PROCESS_KEEP_NS) → freed. A failed start goes from STARTING away.
 *
 * Invariants.
 *  1. Watchers hear on_started or on_failed first, on_end or nothing last;
 *     after on_failed and on_end they are detached.
 *  2. A pid names a live process only until it is reaped: signals go to no
 *     other process.
 */
#ifndef CPN_AGENT_PROCESS_H
#define CPN_AGENT_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/cgroup.h"
#include "agent/pty.h"
#include "agent/spawn.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "ev/ev.h"

#define PROCESS_KEEP_NS (30 * NS_PER_S)

enum {
	PROCESS_COUNT_MAX = 512, /* ended ones give way to new ones */
	PROCESS_OUTPUTS = 2,
	PROCESS_CHUNK_BYTES = 32768,
};

enum process_state {
	PROCESS_STARTING,
	PROCESS_RUNNING,
	PROCESS_EXITED,
	PROCESS_ENDED,
	PROCESS_STATE_COUNT,
};

enum process_channel {
	PROCESS_STDOUT,
	PROCESS_STDERR,
	PROCESS_PTY,
	PROCESS_CHANNEL_COUNT,
};

struct process;
struct process_watcher;
struct process_input;

struct process_watcher_ops {
	/* Bytes on_output() takes now. */
	size_t (*room)(const struct process_watcher *w);
	void (*on_started)(struct process_watcher *w);
	void (*on_failed)(struct process_watcher *w, const struct process *p,
			  const struct spawn_failure *failure);
	void (*on_output)(struct process_watcher *w,
			  enum process_channel channel, struct span bytes);
	void (*on_end)(struct process_watcher *w, const struct process *p);
};

struct process_watcher {
	struct process *process; /* NULL while detached */
	struct process_watcher *next;
	const struct process_watcher_ops *ops;
};

/* Bytes on their way into a process. */
struct process_input {
	struct process *process; /* NULL while not queued */
	struct process_input *next;
	struct buf bytes;
	size_t written;
	bool is_close; /* close stdin, when its turn comes */
	/* Done: written, or -EPIPE: the process reads no more. */
	void (*on_done)(struct process_input *input, int code);
};

struct process_output {
	struct process *process;
	enum process_channel channel;
	int fd; /* owned; -1: at its end */
	/* Once the process has exited: what it may still have left here. */
	size_t left_bytes;
	bool is_drained; /* nothing of it is left */
	struct ev_io io;
};

struct processes {
	struct ev *loop;
	struct cgroup *cgroup;
	struct process *first;
	size_t count;
};

struct process {
	struct processes *table;
	struct process *next;
	enum process_state state;
	pid_t pid;
	int pid_fd;
	int status_fd;
	int wait_status; /* from PROCESS_EXITED on */
	uint64_t oom_kills_before;
	bool is_out_of_memory;
	bool is_timed_out; /* killed by its deadline */
	bool is_pty;
	bool is_pumping;
	char *tag;	/* owned, or NULL */
	json_t *config; /* owned: as given to Start */
	struct ev_io pid_io;
	struct ev_io status_io;
	struct ev_io input_io;
	struct ev_timer deadline;
	struct ev_timer reaper;
	int input_fd; /* owned; the pty's is a duplicate; -1: closed */
	struct process_input *inputs; /* oldest first */
	struct process_output outputs[PROCESS_OUTPUTS];
	struct process_watcher *watchers;
};

/* What to start. */
struct process_request {
	char **argv;
	char **envp;
	const char *cwd;
	const struct passwd_user *user;
	const char *tag; /* or NULL */
	json_t *config;	 /* a reference is taken */
	bool is_pty;
	bool has_stdin;
	struct pty_size size;
	uint64_t timeout_ns; /* killed when it is over; 0: never */
};

/**
 * process_start() - start a process
 * @watcher: attached from the beginning; hears what came of it
 *
 * Return: 0; -EAGAIN if there are PROCESS_COUNT_MAX; -errno.
 * Context: the loop's thread.
 */
int process_start(struct processes *table, const struct process_request *what,
		  struct process_watcher *watcher) MUST_CHECK;

/**
 * process_find() - a process by pid, ended ones included
 *
 * Return: the process, or NULL.
 * Context: the loop's thread.
 */
struct process *process_find(struct processes *table, pid_t pid);

/**
 * process_find_tag() - the youngest process with a tag
 *
 * Return: the process, or NULL.
 * Context: the loop's thread.
 */
struct process *process_find_tag(struct processes *table, const char *tag);

/**
 * process_is_live() - whether signals and input can reach it
 *
 * Return: true if so.
 * Context: the loop's thread.
 */
bool process_is_live(const struct process *p);

/**
 * process_watch() - attach a watcher to a running or ended process
 *
 * Calls on_started, and on_end for an ended one, before it returns.
 * Context: the loop's thread.
 */
void process_watch(struct process *p, struct process_watcher *watcher);

/**
 * process_unwatch() - detach a watcher; detached is allowed
 * Context: the loop's thread.
 */
void process_unwatch(struct process_watcher *watcher);

/**
 * process_room() - say that a watcher has room again
 * Context: the loop's thread.
 */
void process_room(struct process *p);

/**
 * process_send() - queue input; on_done is always called, perhaps at once
 * Context: the loop's thread.
 */
void process_send(struct process *p, struct process_input *input);

/**
 * process_unsend() - take input back that nobody waits for any more
 *
 * Not queued is allowed. What was written stays written.
 * Context: the loop's thread.
 */
void process_unsend(struct process_input *input);

/**
 * process_signal() - send a signal to the process and its group
 *
 * Return: 0; -ESRCH if it has exited; -errno.
 * Context: the loop's thread.
 */
int process_signal(struct process *p, int signal) MUST_CHECK;

/**
 * process_kill_all() - kill every process and forget it
 * Context: the loop's thread; no watcher may be attached.
 */
void process_kill_all(struct processes *table);

#endif

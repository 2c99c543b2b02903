/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: epoll, one timerfd, signals as descriptors.
 *
 * Theory. One loop per process and no threads. Watchers live in their owner's
 * memory; the loop only links them. A callback may add and remove any watcher,
 * its own and those of the same batch included: a removed watcher is never
 * called again, so its memory may be freed at once.
 *
 * Invariants.
 *  1. A watcher is linked exactly between *_add/_set and *_del/expiry.
 *  2. Deadlines are CLOCK_BOOTTIME nanoseconds.
 *  3. The loop allocates nothing after ev_init().
 */
#ifndef CPN_EV_EV_H
#define CPN_EV_EV_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/macros.h"

enum { EV_BATCH = 64 };

struct ev_io;
struct ev_timer;

typedef void ev_io_fn(struct ev_io *io, uint32_t events);
typedef void ev_timer_fn(struct ev_timer *timer);

struct ev {
	int epoll_fd;
	int timer_fd;
	struct ev_timer *timers; /* sorted by deadline, soonest first */
	uint64_t turn;		 /* counts the firings of timers */
	struct epoll_event batch[EV_BATCH];
	int batch_len;
	bool is_stopped;
};

struct ev_io {
	struct ev *loop; /* NULL while not linked */
	int fd;		 /* borrowed: the owner closes it after ev_io_del() */
	uint32_t events;
	ev_io_fn *fn;
	void *owner;
};

struct ev_timer {
	struct ev *loop; /* NULL while not linked */
	struct ev_timer *next;
	uint64_t deadline_ns;
	uint64_t set_in_turn; /* not fired in the one it was set in */
	ev_timer_fn *fn;
	void *owner;
};

#define EV_CLOSED ((struct ev){ .epoll_fd = -1, .timer_fd = -1 })

/**
 * ev_init() - make an empty loop
 * @ret: caller's memory; must not move while watchers are linked
 *
 * Return: 0 or -errno; @ret is EV_CLOSED on failure.
 * Context: one thread for the loop's whole life.
 */
int ev_init(struct ev *ret) MUST_CHECK;

/**
 * ev_fini() - close the loop; EV_CLOSED is allowed
 *
 * Watchers still linked are forgotten, their descriptors stay open.
 * Context: not from a callback.
 */
void ev_fini(struct ev *ev);

/**
 * ev_io_add() - call @fn whenever @fd is ready for @events
 * @io:     caller's memory, not linked
 * @fd:     borrowed until ev_io_del()
 * @events: EPOLLIN, EPOLLOUT; 0 waits for EPOLLHUP and EPOLLERR only
 * @fn:     receives the ready events
 * @owner:  kept in @io->owner for @fn
 *
 * Level-triggered.
 *
 * Return: 0 or -errno; -EPERM for regular files, which are always ready.
 * Context: the loop's thread.
 */
int ev_io_add(struct ev *ev, struct ev_io *io, int fd, uint32_t events,
	      ev_io_fn *fn, void *owner) MUST_CHECK;

/**
 * ev_io_set() - change which events a linked watcher waits for
 *
 * No system call if nothing changes.
 * Context: the loop's thread.
 */
void ev_io_set(struct ev_io *io, uint32_t events);

/**
 * ev_io_del() - unlink a watcher; not linked is allowed
 * Context: the loop's thread; before the descriptor is closed.
 */
void ev_io_del(struct ev_io *io);

/**
 * ev_timer_set() - call @fn once, at @deadline_ns or soon after
 * @timer: caller's memory; a linked timer is moved
 * @deadline_ns: CLOCK_BOOTTIME; the past means at the next turn
 * Context: the loop's thread.
 */
void ev_timer_set(struct ev *ev, struct ev_timer *timer, uint64_t deadline_ns,
		  ev_timer_fn *fn, void *owner);

/**
 * ev_timer_del() - unlink a timer; not linked is allowed
 * Context: the loop's thread.
 */
void ev_timer_del(struct ev_timer *timer);

/**
 * ev_signals() - block @set and watch it through a signalfd
 * @io:  caller's memory for the watcher
 * @fn:  called when the descriptor is readable; reads signalfd_siginfo from
 *       @io->fd
 *
 * Return: 0 or -errno. The descriptor is closed by the caller after
 * ev_io_del().
 * Context: the loop's thread, before any other thread exists.
 */
int ev_signals(struct ev *ev, struct ev_io *io, const sigset_t *set,
	       ev_io_fn *fn, void *owner) MUST_CHECK;

/**
 * ev_run() - dispatch until ev_stop()
 *
 * Return: 0 after ev_stop(), or -errno of epoll.
 * Context: the loop's thread; blocks.
 */
int ev_run(struct ev *ev) MUST_CHECK;

/**
 * ev_stop() - make ev_run() return after the present callback
 * Context: the loop's thread.
 */
void ev_stop(struct ev *ev);

#endif

// SPDX-License-Identifier: Apache-2.0
// The event loop: epoll, one timerfd, signals as descriptors.

#include "ev/ev.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int ev_init(struct ev *ret)
{
	struct epoll_event wake = { .events = EPOLLIN, .data.ptr = NULL };

	*ret = EV_CLOSED;
	ret->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ret->epoll_fd < 0)
		return neg_errno();
	ret->timer_fd = timerfd_create(CLOCK_BOOTTIME,
				       TFD_CLOEXEC | TFD_NONBLOCK);
	if (ret->timer_fd < 0 ||
	    epoll_ctl(ret->epoll_fd, EPOLL_CTL_ADD, ret->timer_fd, &wake) < 0) {
		int r = neg_errno();

		ev_fini(ret);
		return r;
	}
	return 0;
}

void ev_fini(struct ev *ev)
{
	fd_close(&ev->timer_fd);
	fd_close(&ev->epoll_fd);
	*ev = EV_CLOSED;
}

int ev_io_add(struct ev *ev, struct ev_io *io, int fd, uint32_t events,
	      ev_io_fn *fn, void *owner)
{
	struct epoll_event wanted = { .events = events, .data.ptr = io };

	if (epoll_ctl(ev->epoll_fd, EPOLL_CTL_ADD, fd, &wanted) < 0)
		return neg_errno();
	*io = (struct ev_io){
		.loop = ev,
		.fd = fd,
		.events = events,
		.fn = fn,
		.owner = owner,
	};
	return 0;
}

void ev_io_set(struct ev_io *io, uint32_t events)
{
	struct epoll_event wanted = { .events = events, .data.ptr = io };

	if (io->loop == NULL || io->events == events)
		return;
	io->events = events;
	(void)epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &wanted);
}

void ev_io_del(struct ev_io *io)
{
	struct ev *ev = io->loop;

	if (ev == NULL)
		return;
	(void)epoll_ctl(ev->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	/* Invariant 1: what this batch still holds of it is forgotten. */
	for (int i = 0; i < ev->batch_len; i++) {
		if (ev->batch[i].data.ptr == io)
			ev->batch[i].events = 0;
	}
	io->loop = NULL;
}

static void arm(struct ev *ev)
{
	struct itimerspec at = { 0 };
	uint64_t ns = 0;

	if (ev->timers != NULL) {
		/* An all-zero time would disarm. */
		ns = ev->timers->deadline_ns == 0 ? 1 : ev->timers->deadline_ns;
		at.it_value.tv_sec = (time_t)(ns / NS_PER_S);
		at.it_value.tv_nsec = (long)(ns % NS_PER_S);
	}
	(void)timerfd_settime(ev->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void unlink_timer(struct ev_timer *timer)
{
	struct ev_timer **at = &timer->loop->timers;

	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->loop = NULL;
	timer->next = NULL;
}

void ev_timer_set(struct ev *ev, struct ev_timer *timer, uint64_t deadline_ns,
		  ev_timer_fn *fn, void *owner)
{
	struct ev_timer **at = NULL;

	if (timer->loop != NULL)
		unlink_timer(timer);
	*timer = (struct ev_timer){
		.loop = ev,
		.deadline_ns = deadline_ns,
		.set_in_turn = ev->turn,
		.fn = fn,
		.owner = owner,
	};
	for (at = &ev->timers; *at != NULL; at = &(*at)->next) {
		if ((*at)->deadline_ns > deadline_ns)
			break;
	}
	timer->next = *at;
	*at = timer;
	if (ev->timers == timer)
		arm(ev);
}

void ev_timer_del(struct ev_timer *timer)
{
	if (timer->loop != NULL)
		unlink_timer(timer);
}

int ev_signals(struct ev *ev, struct ev_io *io, const sigset_t *set,
	       ev_io_fn *fn, void *owner)
{
	CLEANUP(fd_close) int fd = -1;

	if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
		return neg_errno();
	fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return neg_errno();
	TRY(ev_io_add(ev, io, fd, EPOLLIN, fn, owner));
	(void)fd_take(&fd);
	return 0;
}

/* Those set by a callback of this turn wait for the next. */
static struct ev_timer *first_due(const struct ev *ev, uint64_t now)
{
	struct ev_timer *timer = ev->timers;

	while (timer != NULL && timer->set_in_turn == ev->turn)
		timer = timer->next;
	return timer != NULL && timer->deadline_ns <= now ? timer : NULL;
}

static void fire_timers(struct ev *ev)
{
	uint64_t ticks = 0;
	uint64_t now = clock_boot_ns();
	struct ev_timer *due = NULL;

	(void)!read(ev->timer_fd, &ticks, sizeof(ticks));
	ev->turn++;
	while (!ev->is_stopped && (due = first_due(ev, now)) != NULL) {
		unlink_timer(due);
		due->fn(due);
	}
	arm(ev);
}

static void dispatch(struct ev *ev)
{
	for (int i = 0; i < ev->batch_len && !ev->is_stopped; i++) {
		struct epoll_event *at = &ev->batch[i];
		struct ev_io *io = at->data.ptr;

		if (at->events == 0)
			continue;
		if (io == NULL)
			fire_timers(ev);
		else
			io->fn(io, at->events);
	}
	ev->batch_len = 0;
}

int ev_run(struct ev *ev)
{
	ev->is_stopped = false;
	while (!ev->is_stopped) {
		int n = epoll_wait(ev->epoll_fd, ev->batch, EV_BATCH, -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return neg_errno();
		ev->batch_len = n;
		dispatch(ev);
	}
	return 0;
}

void ev_stop(struct ev *ev)
{
	ev->is_stopped = true;
}

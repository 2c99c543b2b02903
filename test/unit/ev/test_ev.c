// SPDX-License-Identifier: Apache-2.0
// The loop: watchers removed in their own batch, timers in order and in the
// past, signals, and stopping.

#include "ev/ev.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "tap.h"

/* What the callbacks share: the loop and a note of who was called. */
struct notes {
	struct ev ev;
	char called[64];
	size_t count;
	int pipes[2][2];
	struct ev_io ios[2];
	struct ev_timer timers[8];
};

static void note(struct notes *n, char what)
{
	if (n->count + 1 < sizeof(n->called))
		n->called[n->count++] = what;
}

static void stop_at_timer(struct ev_timer *timer)
{
	struct notes *n = timer->owner;

	note(n, '.');
	ev_stop(&n->ev);
}

/* Notes its index, which is its place in the array. */
static void note_timer(struct ev_timer *timer)
{
	struct notes *n = timer->owner;

	note(n, (char)('0' + (timer - n->timers)));
}

static void notes_fini(struct notes *n)
{
	ev_fini(&n->ev);
	for (int i = 0; i < 2; i++) {
		fd_close(&n->pipes[i][0]);
		fd_close(&n->pipes[i][1]);
	}
}

static bool notes_init(struct notes *n)
{
	*n = (struct notes){ .pipes = { { -1, -1 }, { -1, -1 } } };
	return CHECK_EQ(ev_init(&n->ev), 0) &&
	       CHECK_EQ(fd_pair(n->pipes[0]), 0) &&
	       CHECK_EQ(fd_pair(n->pipes[1]), 0);
}

/* Runs the loop for a few turns, up to @ms. */
static void run_for(struct notes *n, uint64_t ms)
{
	ev_timer_set(&n->ev, &n->timers[7], clock_boot_ns() + ms * NS_PER_MS,
		     stop_at_timer, n);
	CHECK_EQ(ev_run(&n->ev), 0);
}

static void make_readable(struct notes *n, int i)
{
	CHECK_EQ(fd_write(n->pipes[i][1], span_str("x")), 1);
}

static void swallow(struct ev_io *io, uint32_t events)
{
	struct notes *n = io->owner;
	char byte = 0;

	(void)events;
	(void)!read(io->fd, &byte, 1);
	note(n, (char)('a' + (io - n->ios)));
}

/* Whoever is called first removes both. */
static void remove_both(struct ev_io *io, uint32_t events)
{
	struct notes *n = io->owner;

	(void)events;
	note(n, 'r');
	ev_io_del(&n->ios[0]);
	ev_io_del(&n->ios[1]);
	ev_io_del(&n->ios[1]); /* not linked is allowed */
}

TEST(a_watcher_removed_in_its_batch_is_not_called)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(ev_io_add(&n.ev, &n.ios[i], n.pipes[i][0], EPOLLIN,
				   remove_both, &n),
			 0);
		make_readable(&n, i);
	}
	run_for(&n, 20);
	CHECK_STR(n.called, "r.");
	CHECK(n.ios[0].loop == NULL);
}

static void remove_and_spoil(struct ev_io *io, uint32_t events)
{
	struct notes *n = io->owner;
	struct ev_io *other = io == &n->ios[0] ? &n->ios[1] : &n->ios[0];
	int fd = other->fd;

	(void)events;
	note(n, 'r');
	ev_io_del(other);
	/* The same memory again, for a descriptor with nothing to read. */
	CHECK_EQ(ev_io_add(&n->ev, other, fd, 0, swallow, n), 0);
	ev_io_del(io);
}

TEST(a_watcher_linked_anew_does_not_get_the_old_events)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(ev_io_add(&n.ev, &n.ios[i], n.pipes[i][0], EPOLLIN,
				   remove_and_spoil, &n),
			 0);
		make_readable(&n, i);
	}
	run_for(&n, 20);
	CHECK_STR(n.called, "r.");
}

TEST(a_watcher_is_called_while_there_is_something)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	CHECK_EQ(ev_io_add(&n.ev, &n.ios[0], n.pipes[0][0], EPOLLIN, swallow,
			   &n),
		 0);
	CHECK_EQ(ev_io_add(&n.ev, &n.ios[0], n.pipes[0][0], EPOLLIN, swallow,
			   &n),
		 -EEXIST);
	CHECK_EQ(fd_write(n.pipes[0][1], span_str("xyz")), 3);
	run_for(&n, 20);
	CHECK_STR(n.called, "aaa.");
	ev_io_set(&n.ios[0], 0);
	make_readable(&n, 0);
	run_for(&n, 20);
	CHECK_STR(n.called, "aaa..");
	ev_io_set(&n.ios[0], EPOLLIN);
	ev_io_set(&n.ios[0], EPOLLIN);
	run_for(&n, 20);
	CHECK_STR(n.called, "aaa..a.");
	ev_io_del(&n.ios[0]);
	ev_io_set(&n.ios[0], EPOLLOUT); /* not linked: nothing */
	run_for(&n, 5);
	CHECK_STR(n.called, "aaa..a..");
}

static void note_hangup(struct ev_io *io, uint32_t events)
{
	note(io->owner, (events & EPOLLHUP) != 0 ? 'h' : '?');
	ev_io_del(io);
}

TEST(no_events_still_tell_of_the_hangup)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	CHECK_EQ(ev_io_add(&n.ev, &n.ios[0], n.pipes[0][0], 0, note_hangup, &n),
		 0);
	fd_close(&n.pipes[0][1]);
	run_for(&n, 20);
	CHECK_STR(n.called, "h.");
}

TEST(regular_files_are_refused)
{
	CLEANUP(notes_fini) struct notes n;
	CLEANUP(fd_close) int file = -1;

	if (!notes_init(&n))
		return;
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(ev_io_add(&n.ev, &n.ios[0], file, EPOLLIN, swallow, &n),
		 -EPERM);
	CHECK(n.ios[0].loop == NULL);
}

TEST(timers_fire_by_deadline_not_by_age)
{
	CLEANUP(notes_fini) struct notes n;
	uint64_t now = clock_boot_ns();

	if (!notes_init(&n))
		return;
	ev_timer_set(&n.ev, &n.timers[0], now + 6 * NS_PER_MS, note_timer, &n);
	ev_timer_set(&n.ev, &n.timers[1], now + 2 * NS_PER_MS, note_timer, &n);
	ev_timer_set(&n.ev, &n.timers[2], now + 4 * NS_PER_MS, note_timer, &n);
	ev_timer_set(&n.ev, &n.timers[3], now + 4 * NS_PER_MS, note_timer, &n);
	ev_timer_set(&n.ev, &n.timers[4], now + 5 * NS_PER_MS, note_timer, &n);
	ev_timer_del(&n.timers[4]);
	ev_timer_del(&n.timers[4]);
	/* Moved: from first to last. */
	ev_timer_set(&n.ev, &n.timers[1], now + 8 * NS_PER_MS, note_timer, &n);
	run_for(&n, 20);
	CHECK_STR(n.called, "2301.");
	CHECK(n.timers[0].loop == NULL);
}

TEST(no_timer_fires_early)
{
	CLEANUP(notes_fini) struct notes n;
	uint64_t deadline = 0;

	if (!notes_init(&n))
		return;
	for (int i = 0; i < 5; i++) {
		deadline = clock_boot_ns() + 3 * NS_PER_MS;
		ev_timer_set(&n.ev, &n.timers[0], deadline, stop_at_timer, &n);
		CHECK_EQ(ev_run(&n.ev), 0);
		CHECK(clock_boot_ns() >= deadline);
	}
}

TEST(a_deadline_in_the_past_is_due_at_once)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	ev_timer_set(&n.ev, &n.timers[1], 1, note_timer, &n);
	ev_timer_set(&n.ev, &n.timers[0], 0, note_timer, &n);
	run_for(&n, 20);
	CHECK_STR(n.called, "01.");
}

/* Sets itself into the past, for ever. */
static void come_again(struct ev_timer *timer)
{
	struct notes *n = timer->owner;

	note(n, 't');
	if (n->count < 40)
		ev_timer_set(&n->ev, timer, 0, come_again, n);
}

TEST(a_timer_that_sets_itself_into_the_past_starves_nobody)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	CHECK_EQ(ev_io_add(&n.ev, &n.ios[0], n.pipes[0][0], EPOLLIN, swallow,
			   &n),
		 0);
	make_readable(&n, 0);
	ev_timer_set(&n.ev, &n.timers[0], 0, come_again, &n);
	ev_timer_set(&n.ev, &n.timers[1], 1, note_timer, &n);
	run_for(&n, 20);
	/* Each turn of the loop once; the others come in between. */
	CHECK(memchr(n.called, 'a', 4) != NULL);
	CHECK(memchr(n.called, '1', 4) != NULL);
	CHECK_EQ(n.count, 41);
}

/* The first removes the second, which is due in the same turn. */
static void remove_next(struct ev_timer *timer)
{
	struct notes *n = timer->owner;

	note(n, 'd');
	ev_timer_del(&n->timers[1]);
}

TEST(a_due_timer_that_is_removed_is_not_called)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	ev_timer_set(&n.ev, &n.timers[0], 1, remove_next, &n);
	ev_timer_set(&n.ev, &n.timers[1], 2, note_timer, &n);
	ev_timer_set(&n.ev, &n.timers[2], 3, note_timer, &n);
	run_for(&n, 20);
	CHECK_STR(n.called, "d2.");
}

static void stop_at_io(struct ev_io *io, uint32_t events)
{
	struct notes *n = io->owner;

	(void)events;
	note(n, 's');
	ev_stop(&n->ev);
}

TEST(a_stop_ends_the_batch_and_loses_nothing)
{
	CLEANUP(notes_fini) struct notes n;

	if (!notes_init(&n))
		return;
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(ev_io_add(&n.ev, &n.ios[i], n.pipes[i][0], EPOLLIN,
				   stop_at_io, &n),
			 0);
		make_readable(&n, i);
	}
	CHECK_EQ(ev_run(&n.ev), 0);
	CHECK_STR(n.called, "s");
	ev_io_del(&n.ios[0]);
	CHECK_EQ(ev_run(&n.ev), 0);
	CHECK_STR(n.called, "ss");
	ev_io_del(&n.ios[1]);
	ev_timer_set(&n.ev, &n.timers[0], 0, stop_at_timer, &n);
	ev_timer_set(&n.ev, &n.timers[1], 1, note_timer, &n);
	CHECK_EQ(ev_run(&n.ev), 0);
	CHECK_STR(n.called, "ss.");
	run_for(&n, 5);
	CHECK_STR(n.called, "ss.1.");
}

static void note_signal(struct ev_io *io, uint32_t events)
{
	struct signalfd_siginfo info = { 0 };

	(void)events;
	if (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		note(io->owner, info.ssi_signo == SIGUSR1 ? '1' : '2');
}

TEST(signals_come_through_the_loop)
{
	CLEANUP(notes_fini) struct notes n;
	struct ev_io io = { 0 };
	sigset_t set;
	sigset_t old;

	if (!notes_init(&n))
		return;
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &old), 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	CHECK_EQ(ev_signals(&n.ev, &io, &set, note_signal, &n), 0);
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(raise(SIGUSR2), 0);
	run_for(&n, 20);
	CHECK_STR(n.called, "12.");
	ev_io_del(&io);
	(void)close(io.fd);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

TEST(a_closed_loop_may_be_closed_again)
{
	struct ev ev = EV_CLOSED;

	ev_fini(&ev);
	CHECK_EQ(ev.epoll_fd, -1);
	CHECK_EQ(ev_init(&ev), 0);
	ev_fini(&ev);
	ev_fini(&ev);
	CHECK_EQ(ev.timer_fd, -1);
	CHECK_EQ(ev_run(&ev), -EBADF);
}

TESTS(RUN(a_watcher_removed_in_its_batch_is_not_called),
      RUN(a_watcher_linked_anew_does_not_get_the_old_events),
      RUN(a_watcher_is_called_while_there_is_something),
      RUN(no_events_still_tell_of_the_hangup), RUN(regular_files_are_refused),
      RUN(timers_fire_by_deadline_not_by_age), RUN(no_timer_fires_early),
      RUN(a_deadline_in_the_past_is_due_at_once),
      RUN(a_timer_that_sets_itself_into_the_past_starves_nobody),
      RUN(a_due_timer_that_is_removed_is_not_called),
      RUN(a_stop_ends_the_batch_and_loses_nothing),
      RUN(signals_come_through_the_loop),
      RUN(a_closed_loop_may_be_closed_again))

// SPDX-License-Identifier: Apache-2.0
// The processes clients have started: output, input, exit.

#include "agent/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/process_start.h"
#include "base/fd.h"
#include "base/mem.h"

enum {
	/* Less room is not read for: small chunks cost more than waiting. */
	ROOM_MIN_BYTES = 4096,
	/* Chunks of each output before others have their turn. */
	CHUNKS_PER_TURN = 4,
	/* What a terminal's buffers can hold. */
	PTY_LEFT_BYTES = 65536,
};

static const bool moves[PROCESS_STATE_COUNT][PROCESS_STATE_COUNT] = {
	[PROCESS_STARTING] = { [PROCESS_RUNNING] = true,
			       [PROCESS_ENDED] = true },
	[PROCESS_RUNNING] = { [PROCESS_EXITED] = true },
	[PROCESS_EXITED] = { [PROCESS_ENDED] = true },
};

/* The only writer of the state. */
static bool move(struct process *p, enum process_state to)
{
	if (!moves[p->state][to])
		return false;
	p->state = to;
	return true;
}

/* ---- output ---- */

/* The least room of all watchers; SIZE_MAX if nobody watches. */
static size_t watchers_room(const struct process *p)
{
	size_t least = SIZE_MAX;

	for (const struct process_watcher *w = p->watchers; w != NULL;
	     w = w->next) {
		size_t room = w->ops->room(w);

		if (room < least)
			least = room;
	}
	return least;
}

static void tell_output(struct process *p, enum process_channel channel,
			struct span bytes)
{
	struct process_watcher *next = NULL;

	for (struct process_watcher *w = p->watchers; w != NULL; w = next) {
		next = w->next;
		w->ops->on_output(w, channel, bytes);
	}
}

static void close_output(struct process_output *o)
{
	ev_io_del(&o->io);
	fd_close(&o->fd);
}

static void on_output_ready(struct ev_io *io, uint32_t events)
{
	struct process_output *o = io->owner;

	(void)events;
	o->is_drained = false;
	process_room(o->process);
}

/* A hung-up pipe is always ready: it is watched only when it may be read. */
static void watch_output(struct process_output *o, bool on)
{
	if (!on)
		ev_io_del(&o->io);
	else if (o->io.loop == NULL &&
		 ev_io_add(o->process->table->loop, &o->io, o->fd, EPOLLIN,
			   on_output_ready, o) < 0)
		close_output(o);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How much of an output may be read now; 0: nothing. */
static size_t readable(struct process_output *o)
{
	bool is_exited = o->process->state == PROCESS_EXITED;
	size_t room = watchers_room(o->process);

	if (is_exited && o->left_bytes == 0) {
		o->is_drained = true;
		return 0;
	}
	if (room < ROOM_MIN_BYTES) {
		watch_output(o, false);
		return 0;
	}
	return least(least(room, PROCESS_CHUNK_BYTES),
		     is_exited ? o->left_bytes : SIZE_MAX);
}

/* Return: whether there may be more. */
static bool read_output(struct process_output *o)
{
	uint8_t chunk[PROCESS_CHUNK_BYTES];
	size_t want = readable(o);
	ssize_t n = 0;

	if (want == 0)
		return false;
	n = fd_read(o->fd, chunk, want);
	if (n > 0) {
		o->left_bytes -= least(o->left_bytes, (size_t)n);
		o->is_drained = o->left_bytes == 0 &&
				o->process->state == PROCESS_EXITED;
		tell_output(o->process, o->channel, span_of(chunk, (size_t)n));
		return true;
	}
	if (n == -EAGAIN) {
		o->is_drained = o->process->state >= PROCESS_EXITED;
		watch_output(o, true);
	} else {
		close_output(o); /* EIO is a pty's way of saying so */
	}
	return false;
}

static bool is_drained(const struct process *p)
{
	for (size_t i = 0; i < PROCESS_OUTPUTS; i++) {
		if (p->outputs[i].fd >= 0 && !p->outputs[i].is_drained)
			return false;
	}
	return true;
}

static void close_input(struct process *p)
{
	ev_io_del(&p->input_io);
	fd_close(&p->input_fd);
	while (p->inputs != NULL) {
		struct process_input *input = p->inputs;

		p->inputs = input->next;
		input->process = NULL;
		input->on_done(input, -EPIPE);
	}
}

static void process_free(struct process *p)
{
	struct process **at = &p->table->first;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->table->count--;
	close_input(p);
	for (size_t i = 0; i < PROCESS_OUTPUTS; i++)
		close_output(&p->outputs[i]);
	ev_io_del(&p->pid_io);
	ev_io_del(&p->status_io);
	ev_timer_del(&p->deadline);
	ev_timer_del(&p->reaper);
	fd_close(&p->pid_fd);
	fd_close(&p->status_fd);
	json_decref(p->config);
	mem_free(p->tag);
	mem_free(p);
}

/* Kept for late clients, and as long as a background child may write. */
static void on_keep_over(struct ev_timer *timer)
{
	struct process *p = timer->owner;

	for (size_t i = 0; i < PROCESS_OUTPUTS; i++) {
		if (p->outputs[i].fd >= 0) {
			ev_timer_set(p->table->loop, timer,
				     clock_boot_ns() + PROCESS_KEEP_NS,
				     on_keep_over, p);
			return;
		}
	}
	process_free(p);
}

/* Detaches everybody, each with a last word. */
static void tell_last(struct process *p, const struct spawn_failure *failure)
{
	struct process_watcher *w = NULL;

	while ((w = p->watchers) != NULL) {
		process_unwatch(w);
		if (failure != NULL)
			w->ops->on_failed(w, p, failure);
		else
			w->ops->on_end(w, p);
	}
}

static void finish(struct process *p)
{
	if (!move(p, PROCESS_ENDED))
		return;
	tell_last(p, NULL);
	ev_timer_set(p->table->loop, &p->reaper,
		     clock_boot_ns() + PROCESS_KEEP_NS, on_keep_over, p);
}

/* One chunk of each in turn; what is left over comes with the next turn. */
static void pump(struct process *p)
{
	bool is_more = true;

	for (int turn = 0; is_more && turn < CHUNKS_PER_TURN; turn++) {
		is_more = false;
		for (size_t i = 0; i < PROCESS_OUTPUTS; i++) {
			struct process_output *o = &p->outputs[i];

			if (o->fd >= 0 && !o->is_drained && read_output(o))
				is_more = true;
		}
	}
	for (size_t i = 0; is_more && i < PROCESS_OUTPUTS; i++) {
		if (p->outputs[i].fd >= 0)
			watch_output(&p->outputs[i], true);
	}
}

void process_room(struct process *p)
{
	if (p->is_pumping || p->state == PROCESS_STARTING)
		return;
	p->is_pumping = true;
	pump(p);
	p->is_pumping = false;
	if (p->state == PROCESS_EXITED && is_drained(p))
		finish(p);
}

/* ---- start and exit ---- */

/* A watcher's reply may find room while it begins: no output before that. */
static void tell_started(struct process *p, struct process_watcher *w)
{
	p->is_pumping = true;
	w->ops->on_started(w);
	p->is_pumping = false;
}

/* What @o held when its process exited is all the process left. */
static void note_left(struct process_output *o)
{
	int bytes = 0;

	o->is_drained = false;
	o->left_bytes = PTY_LEFT_BYTES;
	if (o->channel != PROCESS_PTY && o->fd >= 0 &&
	    ioctl(o->fd, FIONREAD, &bytes) == 0)
		o->left_bytes = (size_t)bytes;
}

/* By SIGKILL itself, or a shell that says so of its last command. */
static bool is_like_killed(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL :
				     WEXITSTATUS(status) == 128 + SIGKILL;
}

static void on_exit_ready(struct ev_io *io, uint32_t events)
{
	struct process *p = io->owner;
	int status = 0;

	(void)events;
	if (waitpid(p->pid, &status, WNOHANG) != p->pid)
		return;
	ev_io_del(&p->pid_io);
	fd_close(&p->pid_fd);
	p->wait_status = status;
	if (!move(p, PROCESS_EXITED))
		return;
	if (is_like_killed(status))
		p->is_out_of_memory = cgroup_claim_oom(p->table->cgroup,
						       p->oom_kills_before);
	close_input(p);
	for (size_t i = 0; i < PROCESS_OUTPUTS; i++)
		note_left(&p->outputs[i]);
	process_room(p);
}

static void on_status_ready(struct ev_io *io, uint32_t events)
{
	struct process *p = io->owner;
	struct spawn_failure failure = { 0 };
	ssize_t n = fd_read(p->status_fd, &failure, sizeof(failure));

	(void)events;
	if (n == -EAGAIN)
		return;
	ev_io_del(&p->status_io);
	fd_close(&p->status_fd);
	if (n == (ssize_t)sizeof(failure)) {
		(void)waitpid(p->pid, NULL, 0); /* it is in _exit() */
		tell_last(p, &failure);
		process_free(p);
		return;
	}
	(void)move(p, PROCESS_RUNNING);
	if (ev_io_add(p->table->loop, &p->pid_io, p->pid_fd, EPOLLIN,
		      on_exit_ready, p) < 0)
		(void)!process_signal(p, SIGKILL);
	for (struct process_watcher *w = p->watchers; w != NULL; w = w->next)
		tell_started(p, w);
	process_room(p);
}

static void on_deadline(struct ev_timer *timer)
{
	struct process *p = timer->owner;

	p->is_timed_out = process_signal(p, SIGKILL) == 0;
}

static void drop_oldest(struct processes *table)
{
	struct process *oldest = NULL;

	for (struct process *p = table->first; p != NULL; p = p->next) {
		if (p->state == PROCESS_ENDED)
			oldest = p;
	}
	if (oldest != NULL)
		process_free(oldest);
}

int process_start(struct processes *table, const struct process_request *what,
		  struct process_watcher *watcher)
{
	struct process *p = NULL;
	int r = 0;

	if (table->count >= PROCESS_COUNT_MAX)
		drop_oldest(table);
	if (table->count >= PROCESS_COUNT_MAX)
		return -EAGAIN;
	p = mem_new(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->table = table;
	p->pid_fd = -1;
	p->status_fd = -1;
	p->input_fd = -1;
	p->is_pty = what->is_pty;
	for (size_t i = 0; i < PROCESS_OUTPUTS; i++) {
		p->outputs[i].process = p;
		p->outputs[i].fd = -1;
	}
	p->oom_kills_before = cgroup_oom_kills(table->cgroup);
	p->config = json_incref(what->config);
	p->next = table->first;
	table->first = p;
	table->count++;
	r = process_launch(p, what);
	if (r == 0)
		r = ev_io_add(table->loop, &p->status_io, p->status_fd, EPOLLIN,
			      on_status_ready, p);
	if (r < 0) {
		process_free(p);
		return r;
	}
	if (what->timeout_ns != 0)
		ev_timer_set(table->loop, &p->deadline,
			     clock_boot_ns() + what->timeout_ns, on_deadline,
			     p);
	watcher->process = p;
	p->watchers = watcher;
	return 0;
}

/* ---- watchers ---- */

void process_watch(struct process *p, struct process_watcher *watcher)
{
	watcher->process = p;
	watcher->next = p->watchers;
	p->watchers = watcher;
	if (p->state == PROCESS_STARTING)
		return;
	tell_started(p, watcher);
	if (p->state == PROCESS_ENDED && watcher->process != NULL) {
		process_unwatch(watcher);
		watcher->ops->on_end(watcher, p);
	}
}

void process_unwatch(struct process_watcher *watcher)
{
	struct process *p = watcher->process;
	struct process_watcher **at = NULL;

	if (p == NULL)
		return;
	for (at = &p->watchers; *at != watcher;)
		at = &(*at)->next;
	*at = watcher->next;
	watcher->process = NULL;
	watcher->next = NULL;
	/* The others may have had room all along. */
	if (p->state == PROCESS_RUNNING || p->state == PROCESS_EXITED)
		process_room(p);
}

/* ---- input ---- */

static void on_input_ready(struct ev_io *io, uint32_t events);

static void watch_input(struct process *p, bool on)
{
	if (!on)
		ev_io_del(&p->input_io);
	else if (p->input_io.loop == NULL &&
		 ev_io_add(p->table->loop, &p->input_io, p->input_fd, EPOLLOUT,
			   on_input_ready, p) < 0)
		close_input(p);
}

/* Return: 1 when the job is done, 0 to wait, -errno. */
static int write_input(struct process *p, struct process_input *input)
{
	while (input->written < input->bytes.len) {
		ssize_t n = fd_write(p->input_fd,
				     span_from(buf_span(&input->bytes),
					       input->written));

		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		input->written += (size_t)n;
	}
	return 1;
}

static void push_input(struct process *p)
{
	while (p->input_fd >= 0 && p->inputs != NULL) {
		struct process_input *input = p->inputs;
		int r = write_input(p, input);

		if (r == 0) {
			watch_input(p, true);
			return;
		}
		p->inputs = input->next;
		input->process = NULL;
		if (r > 0 && input->is_close) {
			ev_io_del(&p->input_io);
			fd_close(&p->input_fd);
		}
		input->on_done(input, r < 0 ? r : 0);
	}
	if (p->input_fd < 0)
		close_input(p);
	else
		watch_input(p, false);
}

static void on_input_ready(struct ev_io *io, uint32_t events)
{
	(void)events;
	push_input(io->owner);
}

void process_send(struct process *p, struct process_input *input)
{
	struct process_input **at = &p->inputs;

	while (*at != NULL)
		at = &(*at)->next;
	*at = input;
	input->next = NULL;
	input->process = p;
	input->written = 0;
	push_input(p);
}

void process_unsend(struct process_input *input)
{
	struct process_input **at = NULL;

	if (input->process == NULL)
		return;
	for (at = &input->process->inputs; *at != input;)
		at = &(*at)->next;
	*at = input->next;
	input->process = NULL;
}

/* ---- the table ---- */

bool process_is_live(const struct process *p)
{
	return p->state == PROCESS_STARTING || p->state == PROCESS_RUNNING;
}

struct process *process_find(struct processes *table, pid_t pid)
{
	/* Youngest first: a pid may have been used before. */
	for (struct process *p = table->first; p != NULL; p = p->next) {
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

struct process *process_find_tag(struct processes *table, const char *tag)
{
	for (struct process *p = table->first; p != NULL; p = p->next) {
		if (p->tag != NULL && strcmp(p->tag, tag) == 0)
			return p;
	}
	return NULL;
}

int process_signal(struct process *p, int signal)
{
	if (!process_is_live(p))
		return -ESRCH;
	/* Its session's group; before setsid() there is only itself. */
	if (kill(-p->pid, signal) == 0 || kill(p->pid, signal) == 0)
		return 0;
	return neg_errno();
}

void process_kill_all(struct processes *table)
{
	bool is_killed = cgroup_kill(table->cgroup) == 0;

	while (table->first != NULL) {
		struct process *p = table->first;

		if (process_is_live(p)) {
			if (!is_killed)
				(void)!process_signal(p, SIGKILL);
			(void)waitpid(p->pid, NULL, 0);
		}
		process_free(p);
	}
}

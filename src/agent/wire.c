// SPDX-License-Identifier: Apache-2.0
// The agent's end of the wire: a descriptor, the multiplexer, the loop.

#include "agent/wire.h"

#include "base/clock.h"
#include "base/fd.h"

/* A virtio port whose host is away is always "hung up": looked at again. */
#define RETRY_NS (20 * NS_PER_MS)

enum { READS_PER_TURN = 32 };

static void on_ready(struct ev_io *io, uint32_t events);

static void watch(struct wire *w)
{
	uint32_t events = 0;

	if (w->in_len == 0)
		events |= EPOLLIN;
	if (mux_output(&w->mux).len != 0 || w->is_room_owed)
		events |= EPOLLOUT;
	ev_io_set(&w->io, events);
}

static void on_retry(struct ev_timer *timer)
{
	struct wire *w = timer->owner;

	if (ev_io_add(w->loop, &w->io, w->fd, EPOLLIN, on_ready, w) < 0)
		w->events->on_lost(w->owner);
	else
		watch(w);
}

/* The other end went away. */
static void lost(struct wire *w)
{
	if (!w->is_port) {
		w->events->on_lost(w->owner);
		return;
	}
	ev_io_del(&w->io);
	ev_timer_set(w->loop, &w->retry, clock_boot_ns() + RETRY_NS, on_retry,
		     w);
}

static void write_out(struct wire *w)
{
	for (;;) {
		struct span waiting = mux_output(&w->mux);
		ssize_t n = waiting.len == 0 ? 0 : fd_write(w->fd, waiting);

		if (n <= 0)
			return;
		mux_sent(&w->mux, (size_t)n);
		w->is_room_owed |= w->is_blocked;
	}
}

static void tell_room(struct wire *w)
{
	if (!w->is_room_owed)
		return;
	w->is_room_owed = false;
	w->is_blocked = false;
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (w->streams[i] != NULL)
			w->streams[i]->ops->on_room(w->streams[i]);
	}
}

static struct wire_stream **slot_of(struct wire *w, uint32_t id)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (w->streams[i] != NULL && w->streams[i]->id == id)
			return &w->streams[i];
	}
	return NULL;
}

static void forget(struct wire *w, struct wire_stream *s)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (w->streams[i] == s)
			w->streams[i] = NULL;
	}
}

static void gone(struct wire *w, struct wire_stream *s)
{
	forget(w, s);
	s->ops->on_gone(s);
}

static void begin_epoch(struct wire *w)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (w->streams[i] != NULL)
			gone(w, w->streams[i]);
	}
	w->events->on_epoch(w->owner);
}

static void handle_stream(struct wire *w, const struct mux_event *event)
{
	struct wire_stream **slot = slot_of(w, event->stream);
	struct wire_stream *s = slot == NULL ? NULL : *slot;

	/* Closed by us already: what still comes is dropped. */
	if (s == NULL && event->type == MUX_EVENT_DATA)
		mux_consumed(&w->mux, event->stream, event->bytes.len);
	if (s == NULL)
		return;
	switch (event->type) {
	case MUX_EVENT_DATA:
		s->ops->on_data(s, event->bytes);
		return;
	case MUX_EVENT_CREDIT:
		s->ops->on_room(s);
		return;
	case MUX_EVENT_CLOSE:
		s->ops->on_close(s);
		return;
	case MUX_EVENT_RESET:
		gone(w, s);
		return;
	case MUX_EVENT_NONE:
	case MUX_EVENT_HELLO:
	case MUX_EVENT_OPEN:
	case MUX_EVENT_COUNT:
		return;
	}
}

static void handle(struct wire *w, const struct mux_event *event)
{
	if (event->type == MUX_EVENT_HELLO) {
		begin_epoch(w);
	} else if (event->type == MUX_EVENT_OPEN) {
		w->events->on_open(w->owner, event->stream, event->bytes);
		if (slot_of(w, event->stream) == NULL)
			mux_reset(&w->mux, event->stream, MUX_REASON_REFUSED);
	} else {
		handle_stream(w, event);
	}
}

static int take_events(struct wire *w)
{
	for (;;) {
		struct span in = span_of(w->in + w->in_start, w->in_len);
		struct mux_event event = { 0 };
		int r = mux_next(&w->mux, &in, &event);

		w->in_start = (size_t)(in.ptr - w->in);
		w->in_len = in.len;
		if (r <= 0)
			return r;
		handle(w, &event);
	}
}

/* Return: 1 if bytes came, 0 if none are there, -errno; -EPIPE at the end. */
static int read_in(struct wire *w)
{
	ssize_t n = fd_read(w->fd, w->in, sizeof(w->in));

	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	w->in_start = 0;
	w->in_len = (size_t)n;
	return 1;
}

static void on_ready(struct ev_io *io, uint32_t events)
{
	struct wire *w = io->owner;
	int r = take_events(w);

	for (int i = 0; r >= 0 && i < READS_PER_TURN && w->in_len == 0; i++) {
		r = read_in(w);
		if (r <= 0)
			break;
		r = take_events(w);
	}
	write_out(w);
	tell_room(w);
	wire_flush(w);
	if (r == -EPROTO)
		w->events->on_lost(w->owner);
	else if (r < 0 || (events & (EPOLLIN | EPOLLHUP)) == EPOLLHUP)
		lost(w);
}

int wire_start(struct wire *w, struct ev *loop, int fd, bool is_port,
	       const struct wire_events *events, void *owner)
{
	w->loop = loop;
	w->fd = fd;
	w->is_port = is_port;
	w->events = events;
	w->owner = owner;
	mux_init(&w->mux, MUX_GUEST, 0);
	TRY(fd_set_nonblock(fd, true));
	return ev_io_add(loop, &w->io, fd, EPOLLIN | EPOLLOUT, on_ready, w);
}

void wire_fini(struct wire *w)
{
	ev_timer_del(&w->retry);
	ev_io_del(&w->io);
	fd_close(&w->fd);
}

void wire_accept(struct wire *w, uint32_t id, struct wire_stream *s,
		 const struct wire_stream_ops *ops)
{
	*s = (struct wire_stream){ .wire = w, .id = id, .ops = ops };
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (w->streams[i] == NULL) {
			w->streams[i] = s;
			return;
		}
	}
}

/* Credit comes back by itself; room in the ring has to be asked for. */
static void note_blocked(struct wire *w)
{
	if (mux_output(&w->mux).len != 0)
		w->is_blocked = true;
}

size_t wire_room(const struct wire_stream *s)
{
	size_t room = mux_send_room(&s->wire->mux, s->id);

	if (room == 0)
		note_blocked(s->wire);
	return room;
}

size_t wire_send(struct wire_stream *s, struct span bytes)
{
	struct wire *w = s->wire;
	size_t sent = 0;

	/* The ring may hold less than the descriptor takes. */
	while (sent != bytes.len) {
		size_t n = mux_send(&w->mux, s->id, span_from(bytes, sent));

		if (n == 0)
			break;
		sent += n;
		write_out(w);
	}
	if (sent != bytes.len)
		note_blocked(w);
	watch(w);
	return sent;
}

void wire_consumed(struct wire_stream *s, size_t n)
{
	mux_consumed(&s->wire->mux, s->id, n);
	wire_flush(s->wire);
}

void wire_close(struct wire_stream *s)
{
	forget(s->wire, s);
	mux_close(&s->wire->mux, s->id);
	wire_flush(s->wire);
}

void wire_reset(struct wire_stream *s, enum mux_reason reason)
{
	forget(s->wire, s);
	mux_reset(&s->wire->mux, s->id, reason);
	wire_flush(s->wire);
}

void wire_flush(struct wire *w)
{
	write_out(w);
	watch(w);
}

// SPDX-License-Identifier: Apache-2.0
// The wire to the agent: the multiplexer on a descriptor, and its streams.

#include "shim/link.h"

#include "base/clock.h"
#include "base/fd.h"

/* Writes in one turn, before others get theirs. */
enum { LINK_WRITES_MAX = 8 };

static void end_link(struct link *link)
{
	link->is_over = true;
	ev_io_del(&link->io);
}

static struct lane *find_lane(const struct link *link, uint32_t id)
{
	struct lane *lane = link->lanes;

	while (lane != NULL && lane->id != id)
		lane = lane->next;
	return id != 0 ? lane : NULL;
}

static void forget_lane(struct lane *lane)
{
	struct lane **at = &lane->link->lanes;

	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	lane->is_linked = false;
}

/* Received frames. */

static void on_lane_event(struct link *link, const struct mux_event *event)
{
	struct lane *lane = find_lane(link, event->stream);

	if (lane == NULL)
		return;
	switch (event->type) {
	case MUX_EVENT_DATA:
		lane->ops->on_bytes(lane, event->bytes);
		return;
	case MUX_EVENT_CREDIT:
		agenda_add(link->agenda, lane->task);
		return;
	case MUX_EVENT_CLOSE:
		lane->ops->on_eof(lane);
		return;
	case MUX_EVENT_RESET:
		forget_lane(lane);
		lane->ops->on_gone(lane);
		return;
	case MUX_EVENT_NONE:
	case MUX_EVENT_HELLO:
	case MUX_EVENT_OPEN:
	case MUX_EVENT_COUNT:
		return;
	}
}

static void on_mux_event(struct link *link, const struct mux_event *event)
{
	if (event->type == MUX_EVENT_HELLO)
		link->ops->on_hello(link, event->epoch);
	else if (event->type == MUX_EVENT_OPEN)
		mux_reset(&link->mux, event->stream, MUX_REASON_REFUSED);
	else
		on_lane_event(link, event);
}

/* Use up what was read, as far as the mux can answer it. */
static void take_input(struct link *link)
{
	struct mux_event event = { 0 };
	int r = 0;

	while (!link->is_over) {
		r = mux_next(&link->mux, &link->in, &event);
		if (r <= 0)
			break;
		on_mux_event(link, &event);
	}
	if (r < 0 && !link->is_over) {
		end_link(link);
		link->ops->on_broken(link);
	}
}

static void read_wire(struct link *link)
{
	ssize_t n = 0;

	if (link->in.len != 0) /* invariant 1 */
		return;
	n = fd_read(link->io.fd, link->in_bytes, sizeof(link->in_bytes));
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		end_link(link);
		link->ops->on_closed(link);
		return;
	}
	link->last_traffic_ns = clock_boot_ns();
	link->in = span_of(link->in_bytes, (size_t)n);
	take_input(link);
}

/* Sending. */

static void set_interest(struct link *link)
{
	uint32_t events = link->in.len == 0 ? (uint32_t)EPOLLIN : 0;

	if (mux_output(&link->mux).len != 0)
		events |= EPOLLOUT;
	ev_io_set(&link->io, events);
}

/* There is room in the mux again: lanes go on, input is taken in. */
static void on_drained(struct link *link)
{
	if (link->is_starved) {
		link->is_starved = false;
		for (struct lane *at = link->lanes; at != NULL; at = at->next)
			agenda_add(link->agenda, at->task);
	}
	if (link->in.len != 0)
		take_input(link);
}

void link_flush(struct link *link)
{
	for (int i = 0; i < LINK_WRITES_MAX && !link->is_over; i++) {
		struct span out = mux_output(&link->mux);
		ssize_t n = 0;

		if (out.len == 0)
			break;
		n = fd_write(link->io.fd, out);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			end_link(link);
			link->ops->on_closed(link);
			return;
		}
		link->last_traffic_ns = clock_boot_ns();
		mux_sent(&link->mux, (size_t)n);
		on_drained(link);
	}
	if (!link->is_over)
		set_interest(link);
}

static void on_ready(struct ev_io *io, uint32_t events)
{
	struct link *link = io->owner;

	/* A hang-up is seen by reading, once all input is used up. */
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		read_wire(link);
	link->ops->on_turn(link);
}

int link_init(struct link *link, struct ev *loop, int fd, uint64_t epoch)
{
	mux_init(&link->mux, MUX_HOST, epoch);
	return ev_io_add(loop, &link->io, fd, EPOLLIN | EPOLLOUT, on_ready,
			 link);
}

bool link_is_quiet(const struct link *link)
{
	return link->lanes == NULL && link->in.len == 0 &&
	       mux_is_quiet(&link->mux);
}

/* Lanes. */

void lane_add(struct link *link, struct lane *lane)
{
	lane->link = link;
	lane->id = 0;
	lane->is_linked = true;
	lane->next = link->lanes;
	link->lanes = lane;
}

ssize_t lane_send(struct lane *lane, struct span bytes)
{
	struct link *link = lane->link;
	size_t n = 0;
	int r = 0;

	if (!lane->is_linked)
		return -ENOTCONN;
	if (lane->id == 0)
		r = mux_open(&link->mux, span_str("agent"), NULL, &lane->id);
	if (r < 0 && r != -EAGAIN)
		return r;
	if (r == 0)
		n = mux_send(&link->mux, lane->id, bytes);
	if (n < bytes.len)
		link->is_starved = true;
	return (ssize_t)n;
}

void lane_consumed(struct lane *lane, size_t n)
{
	if (lane->is_linked)
		mux_consumed(&lane->link->mux, lane->id, n);
}

void lane_reset(struct lane *lane)
{
	if (!lane->is_linked)
		return;
	forget_lane(lane);
	if (lane->id != 0)
		mux_reset(&lane->link->mux, lane->id, MUX_REASON_ABORTED);
}

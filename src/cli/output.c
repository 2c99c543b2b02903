// SPDX-License-Identifier: Apache-2.0
// stdout and stderr, written without ever blocking the event loop.

#include "cli/output.h"

#include "base/fd.h"

static void on_room(struct ev_io *io, uint32_t events);

int output_init(struct output *out, struct ev *loop, int fd,
		void (*on_drained)(struct output *out), void *owner)
{
	int r = 0;

	*out = (struct output){
		.fd = fd,
		.pending = BUF_EMPTY(OUTPUT_MAX_BYTES),
		.on_drained = on_drained,
		.owner = owner,
	};
	r = ev_io_add(loop, &out->io, fd, 0, on_room, out);
	out->is_polled = r == 0;
	return r == -EPERM ? 0 : r;
}

void output_fini(struct output *out)
{
	ev_io_del(&out->io);
	buf_fini(&out->pending);
}

static void on_room(struct ev_io *io, uint32_t events)
{
	struct output *out = io->owner;
	struct span piece = span_to(buf_span(&out->pending),
				    OUTPUT_PIECE_BYTES);
	ssize_t n = 0;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLOUT) == 0) {
		/* The reader is gone. */
		out->is_broken = true;
		buf_drop(&out->pending, out->pending.len);
		ev_io_del(io);
		out->on_drained(out);
		return;
	}
	n = fd_write(out->fd, piece);
	if (n == -EAGAIN)
		return;
	if (n < 0) {
		out->is_broken = true;
		n = (ssize_t)out->pending.len;
	}
	buf_drop(&out->pending, (size_t)n);
	if (out->pending.len != 0)
		return;
	ev_io_set(io, 0);
	out->on_drained(out);
}

int output_put(struct output *out, struct span bytes)
{
	if (out->is_broken)
		return 0;
	if (!out->is_polled) {
		if (fd_write_all(out->fd, bytes) < 0)
			out->is_broken = true;
		return 0;
	}
	TRY(buf_put(&out->pending, bytes));
	ev_io_set(&out->io, EPOLLOUT);
	return 0;
}

void output_finish(struct output *out)
{
	if (!out->is_broken)
		(void)!fd_write_all(out->fd, buf_span(&out->pending));
	out->pending.len = 0;
}

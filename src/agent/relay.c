// SPDX-License-Identifier: Apache-2.0
// A stream to the target `tcp:<port>`: bytes to and from a local server.
//
// Theory. What the host sends waits in a buffer that its credit bounds; what
// the server sends is read only as far as the stream has room.

#include "agent/relay.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"

enum { PIECE_BYTES = 32768 };

struct relay {
	struct wire_stream stream; /* first: see from() */
	struct ev *loop;
	int fd;
	struct ev_io io;
	struct buf pending; /* for the server */
	uint16_t port;
	bool is_connected;
	bool is_second_try;
	bool is_input_over;  /* the host sends no more */
	bool is_output_over; /* the server sends no more */
};

static void on_ready(struct ev_io *io, uint32_t events);

static struct relay *from(struct wire_stream *s)
{
	return (struct relay *)s;
}

static void relay_free(struct relay *relay)
{
	ev_io_del(&relay->io);
	fd_close(&relay->fd);
	buf_fini(&relay->pending);
	mem_free(relay);
}

static void refuse(struct relay *relay, enum mux_reason reason)
{
	wire_reset(&relay->stream, reason);
	relay_free(relay);
}

/* Level-triggered, also for hang-ups: linked only when something is wanted. */
static int watch(struct relay *relay)
{
	uint32_t events = 0;

	if (!relay->is_connected || relay->pending.len != 0)
		events |= EPOLLOUT;
	if (relay->is_connected && !relay->is_output_over &&
	    wire_room(&relay->stream) != 0)
		events |= EPOLLIN;
	if (events == 0) {
		ev_io_del(&relay->io);
		return 0;
	}
	if (relay->io.loop != NULL) {
		ev_io_set(&relay->io, events);
		return 0;
	}
	return ev_io_add(relay->loop, &relay->io, relay->fd, events, on_ready,
			 relay);
}

static int dial(struct relay *relay)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = htons(relay->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(relay->port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	const struct sockaddr *to = relay->is_second_try ?
					    (const struct sockaddr *)&v6 :
					    (const struct sockaddr *)&v4;
	socklen_t len = relay->is_second_try ? sizeof(v6) : sizeof(v4);

	ev_io_del(&relay->io);
	fd_close(&relay->fd);
	relay->fd = socket(to->sa_family,
			   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (relay->fd < 0)
		return neg_errno();
	if (connect(relay->fd, to, len) < 0 && errno != EINPROGRESS)
		return neg_errno();
	return watch(relay);
}

/* Return: 0 to go on, below it to give up. */
static int dial_on(struct relay *relay)
{
	int r = dial(relay);

	while (r < 0 && !relay->is_second_try) {
		relay->is_second_try = true;
		r = dial(relay);
	}
	return r;
}

static int check_connected(struct relay *relay)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(relay->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return neg_errno();
	if (error == 0) {
		relay->is_connected = true;
		return 0;
	}
	if (relay->is_second_try)
		return -error;
	relay->is_second_try = true;
	return dial(relay);
}

static int push(struct relay *relay)
{
	while (relay->pending.len != 0) {
		ssize_t n = fd_write(relay->fd, buf_span(&relay->pending));

		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		buf_drop(&relay->pending, (size_t)n);
		wire_consumed(&relay->stream, (size_t)n);
	}
	if (relay->is_input_over)
		(void)shutdown(relay->fd, SHUT_WR);
	return 0;
}

static int pull(struct relay *relay)
{
	uint8_t piece[PIECE_BYTES];
	size_t room = wire_room(&relay->stream);
	ssize_t n = 0;

	if (room == 0 || relay->is_output_over)
		return 0;
	n = fd_read(relay->fd, piece, room < PIECE_BYTES ? room : PIECE_BYTES);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	relay->is_output_over = n == 0;
	(void)wire_send(&relay->stream, span_of(piece, (size_t)n));
	return 0;
}

static void advance(struct relay *relay)
{
	int r = relay->is_connected ? 0 : check_connected(relay);

	if (r == 0 && relay->is_connected)
		r = push(relay);
	if (r == 0 && relay->is_connected)
		r = pull(relay);
	if (r == 0)
		r = watch(relay);
	if (r < 0) {
		refuse(relay, relay->is_connected ? MUX_REASON_ABORTED :
						    MUX_REASON_REFUSED);
	} else if (relay->is_output_over && relay->pending.len == 0) {
		/* Both directions of TCP end here: half-open ones are rare. */
		wire_close(&relay->stream);
		relay_free(relay);
	}
}

static void on_ready(struct ev_io *io, uint32_t events)
{
	(void)events;
	advance(io->owner);
}

static void on_data(struct wire_stream *s, struct span bytes)
{
	struct relay *relay = from(s);

	if (buf_put(&relay->pending, bytes) < 0)
		refuse(relay, MUX_REASON_ABORTED);
	else if (relay->is_connected)
		advance(relay);
}

static void on_close(struct wire_stream *s)
{
	from(s)->is_input_over = true;
	if (from(s)->is_connected)
		advance(from(s));
}

static void on_room(struct wire_stream *s)
{
	if (from(s)->is_connected)
		advance(from(s));
}

static void on_gone(struct wire_stream *s)
{
	relay_free(from(s));
}

static const struct wire_stream_ops stream_ops = {
	.on_data = on_data,
	.on_close = on_close,
	.on_room = on_room,
	.on_gone = on_gone,
};

void relay_serve(struct agent *agent, uint32_t stream_id, struct span port)
{
	struct relay *relay = NULL;
	uint64_t number = 0;

	if (num_parse(port, 1, UINT16_MAX, &number) < 0)
		return;
	relay = mem_new(1, sizeof(*relay));
	if (relay == NULL)
		return;
	relay->loop = &agent->loop;
	relay->fd = -1;
	relay->port = (uint16_t)number;
	relay->pending = BUF_EMPTY(MUX_WINDOW_BYTES);
	if (dial_on(relay) < 0)
		relay_free(relay);
	else
		wire_accept(&agent->wire, stream_id, &relay->stream,
			    &stream_ops);
}

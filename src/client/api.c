// SPDX-License-Identifier: Apache-2.0
// One HTTP connection to a sandbox's api.sock on an event loop.

#include "client/api.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

static void on_ready(struct ev_io *io, uint32_t events);

static int connect_to(const char *path, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	TRY(span_copy_str(span_str(path), address.sun_path,
			  sizeof(address.sun_path)));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return neg_errno();
	return fd_set_nonblock(fd, true);
}

int api_conn_open(struct api_conn *conn, struct ev *loop, const char *path,
		  const struct http_client_ops *ops, void *owner, struct err *e)
{
	CLEANUP(fd_close)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? neg_errno() : connect_to(path, fd);

	*conn = (struct api_conn){
		.fd = -1,
		.in = BUF_EMPTY(API_IN_BYTES),
		.owner = owner,
	};
	if (r == 0)
		r = ev_io_add(loop, &conn->io, fd, EPOLLIN, on_ready, conn);
	if (r < 0)
		return err_set(e, r,
			       "cannot talk to the sandbox at %s: %s; it may "
			       "have ended just now",
			       path, err_text(NULL, r));
	http_client_init(&conn->http, ops, conn);
	conn->fd = fd_take(&fd);
	return 0;
}

void api_conn_close(struct api_conn *conn)
{
	if (conn->fd < 0)
		return;
	ev_io_del(&conn->io);
	fd_close(&conn->fd);
	http_client_fini(&conn->http);
	buf_fini(&conn->in);
}

bool api_conn_is_lost(const struct api_conn *conn)
{
	return conn->fd >= 0 && conn->io.loop == NULL;
}

static void lost(struct api_conn *conn)
{
	if (conn->io.loop == NULL)
		return;
	ev_io_del(&conn->io);
	http_client_eof(&conn->http);
}

static int flush(struct api_conn *conn)
{
	for (;;) {
		struct span out = http_client_output(&conn->http);
		ssize_t n = 0;

		if (out.len == 0)
			return 0;
		n = fd_write(conn->fd, out);
		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		http_client_sent(&conn->http, (size_t)n);
	}
}

static int digest_input(struct api_conn *conn)
{
	struct span in = buf_span(&conn->in);
	size_t before = in.len;
	int r = http_client_feed(&conn->http, &in);

	buf_drop(&conn->in, before - in.len);
	return r;
}

void api_conn_pump(struct api_conn *conn)
{
	uint32_t wanted = 0;
	int r = 0;

	/* A callback called us: the pump that called it goes on anyway. */
	if (conn->io.loop == NULL || conn->is_pumping)
		return;
	conn->is_pumping = true;
	r = conn->in.len != 0 ? digest_input(conn) : 0;
	if (r == 0)
		r = flush(conn);
	conn->is_pumping = false;
	if (r < 0) {
		lost(conn);
		return;
	}
	if (conn->in.len < API_IN_BYTES)
		wanted |= EPOLLIN;
	if (http_client_output(&conn->http).len != 0)
		wanted |= EPOLLOUT;
	ev_io_set(&conn->io, wanted);
}

static void on_ready(struct ev_io *io, uint32_t events)
{
	struct api_conn *conn = io->owner;
	size_t room = API_IN_BYTES - conn->in.len;
	ssize_t n = -EAGAIN;

	if ((events & ~(uint32_t)EPOLLOUT) != 0 && room != 0) {
		n = buf_reserve(&conn->in, room);
		if (n == 0)
			n = fd_read(conn->fd, conn->in.ptr + conn->in.len,
				    room);
		if (n > 0)
			conn->in.len += (size_t)n;
	}
	if (n == 0 || (n < 0 && n != -EAGAIN)) {
		if (conn->in.len != 0 && !conn->is_pumping)
			(void)digest_input(conn);
		lost(conn);
		return;
	}
	api_conn_pump(conn);
}

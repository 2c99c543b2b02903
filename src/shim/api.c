// SPDX-License-Identifier: Apache-2.0
// api.sock: the sandbox's API for its clients.

#include "shim/api.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

enum { LISTEN_BACKLOG = 64, ACCEPTS_MAX = 16 };

static const char full_answer[] =
	"HTTP/1.1 503 Service Unavailable\r\n"
	"Content-Type: application/json\r\n"
	"Content-Length: 61\r\n"
	"Connection: close\r\n"
	"\r\n"
	"{\"code\":503,\"message\":\"Too many connections to this sandbox\"}";

int api_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(fd_close)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = 0;
	int r = 0;

	if (fd < 0)
		return neg_errno();
	TRY(span_copy_str(span_str(path), address.sun_path,
			  sizeof(address.sun_path)));
	mask = umask(0177);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0)
		r = neg_errno();
	(void)umask(mask);
	return r < 0 ? r : fd_take(&fd);
}

/* Invariant 1. */
static void refuse(int fd)
{
	(void)!fd_write(fd, span_str(full_answer));
	fd_close(&fd);
}

static void on_connection(struct ev_io *io, uint32_t events)
{
	struct api *api = io->owner;

	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(io->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			break;
		if (api->client_count >= API_CLIENTS_MAX)
			refuse(fd);
		else if (client_new(api, fd) < 0)
			continue; /* it was closed: no memory */
	}
	api->on_turn(api);
}

int api_init(struct api *api, int fd)
{
	api->held.agenda = api->agenda;
	api->held.loop = api->loop;
	return ev_io_add(api->loop, &api->listener_io, fd, EPOLLIN,
			 on_connection, api);
}

void api_farewell(struct api *api)
{
	struct client *at = api->clients;

	while (at != NULL) {
		struct client *next = client_next(at);

		client_farewell(at);
		at = next;
	}
}

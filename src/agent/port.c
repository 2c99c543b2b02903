// SPDX-License-Identifier: Apache-2.0
// The virtio-serial port that is the wire: found by its name in sysfs.

#include "agent/port.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "domain/guest.h"

#define PORTS "/sys/class/virtio-ports"
#define WAIT_NS (10 * NS_PER_S)

enum { NAME_FILE_BYTES = 64 };

static bool has_name(const char *port)
{
	CLEANUP(buf_fini) struct buf name = BUF_EMPTY(NAME_FILE_BYTES);
	char path[sizeof(PORTS) + NAME_MAX + sizeof("//name")];

	(void)snprintf(path, sizeof(path), PORTS "/%s/name", port);
	return fd_read_file(AT_FDCWD, path, &name) == 0 &&
	       span_is(buf_span(&name), GUEST_WIRE_PORT "\n");
}

static int find_and_open(void)
{
	char path[sizeof("/dev/") + NAME_MAX];
	DIR *ports = opendir(PORTS);
	struct dirent *entry = NULL;
	int r = -ENODEV;

	if (ports == NULL)
		return -ENODEV;
	while (r == -ENODEV && (entry = readdir(ports)) != NULL) {
		if (entry->d_name[0] == '.' || !has_name(entry->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		r = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (r < 0)
			r = neg_errno();
	}
	(void)closedir(ports);
	return r;
}

int port_open(void)
{
	const struct timespec tick = { .tv_nsec = 2 * (long)NS_PER_MS };
	uint64_t deadline = clock_boot_ns() + WAIT_NS;
	int r = find_and_open();

	/* The device is probed while init runs; its node comes a little
	 * later than its name. */
	while (r < 0 && clock_boot_ns() < deadline) {
		(void)nanosleep(&tick, NULL);
		r = find_and_open();
	}
	return r;
}

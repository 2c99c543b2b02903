// SPDX-License-Identifier: Apache-2.0
// Pseudo terminals by hand.

#include "agent/pty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

int pty_resize(int master, struct pty_size size)
{
	struct winsize window = { .ws_row = size.rows, .ws_col = size.cols };

	return ioctl(master, TIOCSWINSZ, &window) < 0 ? neg_errno() : 0;
}

int pty_open(struct pty_size size, int *ret_master, int *ret_slave)
{
	CLEANUP(fd_close) int master = -1;
	int unlocked = 0;
	int slave = -1;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master < 0)
		return neg_errno();
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return neg_errno();
	TRY(pty_resize(master, size));
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return neg_errno();
	*ret_master = fd_take(&master);
	*ret_slave = slave;
	return 0;
}

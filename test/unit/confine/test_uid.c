// SPDX-License-Identifier: Apache-2.0
// Uid pairs: nobody has another's, and what is closed is free again.

#include "confine/uid.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "tap.h"

static char place[] = "/tmp/caponier-uid-XXXXXX";

static void clear(unsigned slots)
{
	char path[64];

	for (unsigned i = 0; i < slots; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", place, i);
		(void)unlink(path);
	}
	(void)rmdir(place);
}

TEST(pairs_differ_and_come_back)
{
	struct uid_pair pairs[3] = { 0 };
	int fds[3] = { -1, -1, -1 };

	(void)snprintf(place, sizeof(place), "/tmp/caponier-uid-XXXXXX");
	if (!CHECK(mkdtemp(place) != NULL))
		return;
	CHECK_EQ(uid_pair_take(place, &pairs[0], &fds[0], NULL), 0);
	CHECK_EQ(uid_pair_take(place, &pairs[1], &fds[1], NULL), 0);
	CHECK_EQ(pairs[0].engine, UID_BASE);
	CHECK_EQ(pairs[0].shim, UID_BASE + 1);
	CHECK_EQ(pairs[1].engine, UID_BASE + 2);
	CHECK_EQ(pairs[1].shim, UID_BASE + 3);
	fd_close(&fds[0]);
	CHECK_EQ(uid_pair_take(place, &pairs[2], &fds[2], NULL), 0);
	CHECK_EQ(pairs[2].engine, UID_BASE);
	fd_close(&fds[1]);
	fd_close(&fds[2]);
	clear(2);
}

TEST(a_directory_that_is_not_there_is_named)
{
	struct uid_pair pair = { 0 };
	struct err e = { 0 };
	int fd = -1;

	CHECK_EQ(uid_pair_take("/nowhere/uids", &pair, &fd, &e), -ENOENT);
	CHECK_STR(e.text, "cannot take a uid for the sandbox: /nowhere/uids/0: "
			  "No such file or directory; correct its permissions");
	CHECK_EQ(fd, -1);
}

TESTS(RUN(pairs_differ_and_come_back),
      RUN(a_directory_that_is_not_there_is_named))

// SPDX-License-Identifier: Apache-2.0
// The shim's cage, looked at from outside, while a sandbox runs.

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"
#include "tap.h"

static bool read_proc(pid_t pid, const char *name, char *dst, size_t cap)
{
	char path[128];
	int fd = -1;
	ssize_t n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, dst, cap - 1);
	(void)close(fd);
	dst[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool has_line(const char *status, const char *line)
{
	const char *at = strstr(status, line);

	if (at == NULL)
		printf("#   no %s in\n%s", line, status);
	return at != NULL;
}

/* What a caged process is like inside only root can see. */
static bool may_look(void)
{
	if (geteuid() != 0)
		SKIP("only root can look into the cage");
	return geteuid() == 0;
}

TEST(it_has_no_right_left)
{
	struct sandbox s;
	char status[8192];
	pid_t shim = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	shim = sandbox_shim(&s);
	CHECK(read_proc(shim, "status", status, sizeof(status)));
	CHECK(has_line(status, "\nCapInh:\t0000000000000000\n"));
	CHECK(has_line(status, "\nCapPrm:\t0000000000000000\n"));
	CHECK(has_line(status, "\nCapEff:\t0000000000000000\n"));
	CHECK(has_line(status, "\nCapBnd:\t0000000000000000\n"));
	CHECK(has_line(status, "\nCapAmb:\t0000000000000000\n"));
	CHECK(has_line(status, "\nNoNewPrivs:\t1\n"));
	CHECK(has_line(status, "\nSeccomp:\t2\n"));
	CHECK(has_line(status, "\nGroups:\t \n"));
	if (geteuid() == 0)
		CHECK(has_line(status, "\nUid:\t1879048193\t1879048193\t"
				       "1879048193\t1879048193\n"));
	sandbox_fini(&s);
}

TEST(it_shares_no_namespace_with_the_host)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt", "net",
					     "pid",    "user", "uts" };
	struct sandbox s;

	if (!may_look())
		return;
	if (!CHECK(sandbox_start(&s, "good")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[128];
		char ours[128] = "";
		char its[128] = "";

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
			       names[i]);
		CHECK(readlink(path, ours, sizeof(ours) - 1) > 0);
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s",
			       sandbox_shim(&s), names[i]);
		CHECK(readlink(path, its, sizeof(its) - 1) > 0);
		CHECK(strcmp(ours, its) != 0);
	}
	sandbox_fini(&s);
}

TEST(its_root_is_empty)
{
	struct sandbox s;
	char path[64];
	char mounts[4096];
	DIR *root = NULL;
	int entries = 0;

	if (!may_look())
		return;
	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/root/", sandbox_shim(&s));
	root = opendir(path);
	if (CHECK(root != NULL)) {
		while (readdir(root) != NULL)
			entries++;
		(void)closedir(root);
	}
	CHECK_EQ(entries, 2); /* . and .. */
	CHECK(read_proc(sandbox_shim(&s), "mounts", mounts, sizeof(mounts)));
	CHECK(strchr(mounts, '\n') == mounts + strlen(mounts) - 1);
	sandbox_fini(&s);
}

/* Files it may hold: what docs/design/0001 lists, and no file of the host. */
TEST(it_holds_only_what_it_needs)
{
	struct sandbox s;
	char path[64];
	DIR *fds = NULL;
	struct dirent *entry = NULL;
	int count = 0;

	if (!may_look())
		return;
	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", sandbox_shim(&s));
	fds = opendir(path);
	if (!CHECK(fds != NULL))
		return;
	for (entry = readdir(fds); entry != NULL; entry = readdir(fds)) {
		char link[320];
		char to[256] = "";

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(link, sizeof(link), "%s/%s", path,
			       entry->d_name);
		(void)!readlink(link, to, sizeof(to) - 1);
		printf("# %s -> %s\n", entry->d_name, to);
		if (strtol(entry->d_name, NULL, 10) <= 2) {
			CHECK_STR(to, "/dev/null");
			continue;
		}
		CHECK(strncmp(to, "socket:", 7) == 0 ||
		      strncmp(to, "pipe:", 5) == 0 ||
		      strncmp(to, "anon_inode:", 11) == 0);
		count++;
	}
	(void)closedir(fds);
	/* wire, console, control, listener, verdict, life, engine's pidfd,
	 * epoll, timerfd */
	CHECK_EQ(count, 9);
	sandbox_fini(&s);
}

TEST(it_is_small)
{
	struct sandbox s;
	int fd = -1;

	if (!may_look())
		return;
	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = sandbox_dial(&s);
	CHECK(fd >= 0);
	(void)usleep(100000);
	printf("# keeper: PSS %ld KiB, private dirty %ld KiB\n",
	       memory_kib(s.keeper, "\nPss:"),
	       memory_kib(s.keeper, "Private_Dirty:"));
	printf("# shim, one client: PSS %ld KiB, private dirty %ld KiB\n",
	       memory_kib(sandbox_shim(&s), "\nPss:"),
	       memory_kib(sandbox_shim(&s), "Private_Dirty:"));
	CHECK(memory_kib(sandbox_shim(&s), "\nPss:") < 1024);
	CHECK(memory_kib(s.keeper, "\nPss:") < 1024);
	(void)close(fd);
	sandbox_fini(&s);
}

TESTS(RUN(it_has_no_right_left), RUN(it_shares_no_namespace_with_the_host),
      RUN(its_root_is_empty), RUN(it_holds_only_what_it_needs),
      RUN(it_is_small))

// SPDX-License-Identifier: Apache-2.0
// A cage that cannot be closed is not entered: every way to build a jail badly
// is refused with a sentence, the program does not run, nothing is left. One
// that is closed looks so from outside.

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "confine/jail.h"
#include "confine/self.h"
#include "tap.h"

enum { UID = 0x7fff0020, RAN = 42, ANSWER_MAX_MS = 5000 };

static const char *place; /* a directory of the test's own */
static char root[PATH_MAX];
static bool is_root; /* on the host, not in a namespace */

static const struct sock_filter allow_all_code[] = {
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000U),
};
static const struct sock_fprog allow_all = {
	.len = 1,
	.filter = (struct sock_filter *)(uintptr_t)allow_all_code,
};
static char *const argv[] = { (char *)(uintptr_t)"caged", NULL };

static const struct step_access run_all[] = { { "/", true, false } };

static struct jail_spec good_spec(void)
{
	return (struct jail_spec){
		.root = root,
		.stderr_fd = STDERR_FILENO,
		.access = run_all,
		.access_count = ARRAY_LEN(run_all),
		.filter = &allow_all,
		.host_uid = is_root ? UID : 0,
		.program = "/caged",
		.argv = argv,
		.envp = argv + 1,
	};
}

/* What a jailer says: the result, and the sentence. */
struct answer {
	int result;
	int exit_status;
	int children; /* left over; 0 or 1 */
	char text[ERR_TEXT_BYTES];
};

static void spawn_and_tell(const struct jail_spec *spec, int to)
{
	struct answer answer = { .exit_status = -1 };
	struct err e = { 0 };
	int pid_fd = -1;
	pid_t pid = -1;
	int status = 0;

	answer.result = jail_spawn(spec, &pid, &pid_fd, &e);
	memcpy(answer.text, e.text, sizeof(e.text));
	if (answer.result == 0 && waitpid(pid, &status, 0) == pid)
		answer.exit_status = WEXITSTATUS(status);
	answer.children = waitpid(-1, NULL, WNOHANG) < 0 ? 0 : 1;
	(void)!write(to, &answer, sizeof(answer));
	_exit(0);
}

/* Where a jail is built from: as the shim is, in namespaces of its own. */
static struct answer spawn(const struct jail_spec *spec, void (*before)(void))
{
	struct answer answer = { .result = 1 };
	struct err e = { 0 };
	CLEANUP(fd_close) int pid_fd = -1;
	int pair[2] = { -1, -1 };
	struct pollfd p = { .events = POLLIN };
	pid_t pid = -1;

	if (!CHECK_EQ(fd_pair(pair), 0))
		return answer;
	pid = confine_fork(&pid_fd, &e);
	if (pid == 0) {
		fd_close(&pair[0]);
		if (before != NULL)
			before();
		spawn_and_tell(spec, pair[1]);
	}
	fd_close(&pair[1]);
	p.fd = pair[0];
	CHECK(pid > 0);
	/* One that hangs has not failed closed. */
	CHECK_EQ(poll(&p, 1, ANSWER_MAX_MS), 1);
	if (p.revents == 0)
		(void)kill(pid, SIGKILL);
	else
		CHECK_EQ(fd_read(pair[0], &answer, sizeof(answer)),
			 sizeof(answer));
	(void)waitpid(pid, NULL, 0);
	fd_close(&pair[0]);
	return answer;
}

static void refused(const struct jail_spec *spec, void (*before)(void),
		    int code, const char *sentence)
{
	struct answer answer = spawn(spec, before);

	CHECK_EQ(answer.result, code);
	CHECK_STR(answer.text, sentence);
	CHECK_EQ(answer.children, 0);
}

TEST(a_good_jail_runs_its_program)
{
	struct jail_spec spec = good_spec();
	struct answer answer = spawn(&spec, NULL);

	CHECK_EQ(answer.result, 0);
	CHECK_STR(answer.text, "");
	CHECK_EQ(answer.exit_status, RAN);
}

/* From outside: what /proc says of one that sleeps in the jail. */

static const char *const spaces[] = { "user", "mnt", "pid",   "net",
				      "ipc",  "uts", "cgroup" };
static const char *const status_lines[] = {
	"CapInh:\t0000000000000000\n",
	"CapPrm:\t0000000000000000\n",
	"CapEff:\t0000000000000000\n",
	"CapBnd:\t0000000000000000\n",
	"CapAmb:\t0000000000000000\n",
	"NoNewPrivs:\t1\n",
	"Seccomp:\t2\n",
};

/* In the numbers of /proc, which is the host's. */
static int number_of(int pid_fd, char ret[32])
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(4096);
	char path[64];
	const char *at = NULL;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pid_fd);
	TRY(fd_read_file(AT_FDCWD, path, &text));
	at = buf_cstr(&text);
	at = at != NULL ? strstr(at, "\nPid:\t") : NULL;
	if (at == NULL)
		return -ENOENT;
	(void)snprintf(ret, 32, "%ld", strtol(at + 6, NULL, 10));
	return 0;
}

static bool shares(const char *pid, const char *space)
{
	char path[64];
	char its[64] = "";
	char ours[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, space);
	if (readlink(path, its, sizeof(its) - 1) < 0)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", space);
	return readlink(path, ours, sizeof(ours) - 1) < 0 ||
	       strcmp(its, ours) == 0;
}

static int count_entries(const char *pid, const char *of)
{
	char path[64];
	DIR *dir = NULL;
	int count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, of);
	dir = opendir(path);
	if (dir == NULL)
		return neg_errno();
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2; /* . and .. */
}

/* What is not as it should be, as text. */
static void examine(const char *pid, int to)
{
	CLEANUP(buf_fini) struct buf status = BUF_EMPTY(65536);
	char path[64];
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
		if (shares(pid, spaces[i]))
			(void)dprintf(to, "shares %s\n", spaces[i]);
	}
	(void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
	if (fd_read_file(AT_FDCWD, path, &status) < 0 ||
	    (text = buf_cstr(&status)) == NULL)
		(void)dprintf(to, "no status\n");
	for (size_t i = 0; i < ARRAY_LEN(status_lines) && text != NULL; i++) {
		if (strstr(text, status_lines[i]) == NULL)
			(void)dprintf(to, "not %s", status_lines[i]);
	}
	(void)dprintf(to, "%d descriptors\n%d tasks\n",
		      count_entries(pid, "fd"), count_entries(pid, "task"));
}

static void spawn_and_examine(int to)
{
	static char *const sleeps[] = { (char *)(uintptr_t)"sleeps", NULL };
	struct jail_spec spec = good_spec();
	const struct jail_fd fds[] = { { STDERR_FILENO, 7 } };
	char pid[32] = "";
	struct err e = { 0 };
	int pid_fd = -1;
	pid_t child = -1;

	spec.argv = sleeps;
	spec.fds = fds;
	spec.fd_count = 1;
	if (jail_spawn(&spec, &child, &pid_fd, &e) < 0)
		(void)dprintf(to, "%s\n", e.text);
	else if (number_of(pid_fd, pid) < 0)
		(void)dprintf(to, "no number\n");
	else
		examine(pid, to);
	_exit(0);
}

/* Against who made it, not against the host: a jail that shares the shim's
 * namespaces also differs from the host. */
TEST(the_jail_shares_nothing_with_its_maker)
{
	char text[1024] = "";
	struct err e = { 0 };
	CLEANUP(fd_close) int pid_fd = -1;
	CLEANUP(fd_close) int ours = -1;
	int pair[2] = { -1, -1 };
	size_t len = 0;
	ssize_t n = 0;
	pid_t pid = -1;

	if (!CHECK_EQ(fd_pair(pair), 0))
		return;
	ours = pair[0];
	pid = confine_fork(&pid_fd, &e);
	if (pid == 0)
		spawn_and_examine(pair[1]);
	fd_close(&pair[1]);
	while (len < sizeof(text) - 1 &&
	       (n = fd_read(ours, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	CHECK_STR(text, "4 descriptors\n1 tasks\n");
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(without_its_root)
{
	struct jail_spec spec = good_spec();

	spec.root = "/nowhere/at/all";
	refused(&spec, NULL, -ENOENT,
		"cannot start /caged in its jail: it could not mount its root: "
		"No such file or directory; caponier doctor says what this "
		"host allows");
}

TEST(without_a_file_to_mount)
{
	const struct jail_bind binds[] = { { "/nowhere", "/file", false } };
	struct jail_spec spec = good_spec();

	spec.binds = binds;
	spec.bind_count = 1;
	refused(&spec, NULL, -ENOENT,
		"cannot start /caged in its jail: it could not mount its "
		"files: No such file or directory; caponier doctor says what "
		"this host allows");
}

TEST(with_a_directory_to_mount)
{
	const struct jail_bind binds[] = { { "/etc", "/dir", false } };
	struct jail_spec spec = good_spec();

	spec.binds = binds;
	spec.bind_count = 1;
	refused(&spec, NULL, -EISDIR,
		"cannot start /caged in its jail: it could not mount its "
		"files: Is a directory; caponier doctor says what this host "
		"allows");
}

static void refuse_descriptor(int fd)
{
	const struct jail_fd fds[] = { { fd, 3 } };
	struct jail_spec spec = good_spec();

	if (!CHECK(fd >= 0))
		return;
	spec.fds = fds;
	spec.fd_count = 1;
	refused(&spec, NULL, -EISDIR,
		"cannot start /caged in its jail: it could not close "
		"descriptors: Is a directory; caponier doctor says what this "
		"host allows");
	fd_close(&fd);
}

TEST(with_a_directory_among_its_descriptors)
{
	refuse_descriptor(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

TEST(with_a_path_descriptor_among_its_descriptors)
{
	refuse_descriptor(open("/etc/passwd", O_PATH | O_CLOEXEC));
}

TEST(with_a_descriptor_that_is_closed)
{
	const struct jail_fd fds[] = { { 999, 3 } };
	struct jail_spec spec = good_spec();

	spec.fds = fds;
	spec.fd_count = 1;
	refused(&spec, NULL, -EBADF,
		"cannot start /caged in its jail: it could not close "
		"descriptors: Bad file descriptor; caponier doctor says what "
		"this host allows");
}

TEST(without_a_filter)
{
	struct jail_spec spec = good_spec();

	spec.filter = NULL;
	refused(&spec, NULL, -EINVAL,
		"cannot start /caged in its jail: it has no system-call "
		"filter; this is a bug, please report it");
}

TEST(with_a_filter_the_kernel_refuses)
{
	static struct sock_filter no_end[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	};
	const struct sock_fprog broken = { 1, no_end };
	struct jail_spec spec = good_spec();

	spec.filter = &broken;
	refused(&spec, NULL, -EINVAL,
		"cannot start /caged in its jail: it could not apply seccomp: "
		"Invalid argument; caponier doctor says what this host "
		"allows");
}

TEST(with_a_path_that_landlock_cannot_find)
{
	const struct step_access access[] = { { "/not-there", true, false } };
	struct jail_spec spec = good_spec();

	spec.access = access;
	spec.access_count = 1;
	refused(&spec, NULL, -ENOENT,
		"cannot start /caged in its jail: it could not apply "
		"Landlock: No such file or directory; caponier doctor says "
		"what this host allows");
}

TEST(without_its_program)
{
	struct jail_spec spec = good_spec();

	spec.program = "/not-there";
	refused(&spec, NULL, -ENOENT,
		"cannot start /not-there in its jail: it could not start its "
		"program: No such file or directory; caponier doctor says "
		"what this host allows");
}

static void no_more_user_namespaces(void)
{
	if (is_root ||
	    fd_write_file(AT_FDCWD, "/proc/sys/user/max_user_namespaces", 0,
			  span_str("0")) < 0)
		_exit(7);
}

/* Once the helper that writes its maps waited for ever. Only an ordinary
 * user's limit is its own to change: root's would be the host's. */
TEST(without_a_user_namespace)
{
	struct jail_spec spec = good_spec();

	if (is_root) {
		SKIP("the limit is the whole host's");
		return;
	}
	refused(&spec, no_more_user_namespaces, -ENOSPC,
		"cannot start /caged in its jail: it could not enter its user "
		"namespace: No space left on device; caponier doctor says "
		"what this host allows");
}

TEST(as_root_without_a_uid_of_its_own)
{
	struct jail_spec spec = good_spec();

	if (!is_root) {
		SKIP("an ordinary user has but its own");
		return;
	}
	spec.host_uid = 0;
	refused(&spec, NULL, -EPERM,
		"cannot start /caged in its jail: it could not enter its user "
		"namespace: Operation not permitted; caponier doctor says "
		"what this host allows");
}

static void close_with_a_directory_open(int to)
{
	char empty[PATH_MAX + 8];
	const struct confine_spec spec = {
		.empty = empty,
		.host_uid = is_root ? UID : 0,
		.filter = &allow_all,
	};
	struct err e = { 0 };
	int dir = open("/etc", O_RDONLY | O_DIRECTORY);
	int r = 0;

	(void)snprintf(empty, sizeof(empty), "%s/empty", place);
	if (dir < 0)
		_exit(1);
	r = confine_full(&spec, &e);
	(void)dprintf(to, "%d %s", r, e.text);
	_exit(0);
}

TEST(the_shim_does_not_enter_with_a_directory_open)
{
	char text[ERR_TEXT_BYTES] = "";
	struct err e = { 0 };
	CLEANUP(fd_close) int pid_fd = -1;
	int pair[2] = { -1, -1 };
	pid_t pid = -1;

	if (!CHECK_EQ(fd_pair(pair), 0))
		return;
	pid = confine_fork(&pid_fd, &e);
	if (pid == 0)
		close_with_a_directory_open(pair[1]);
	fd_close(&pair[1]);
	CHECK(fd_read(pair[0], text, sizeof(text) - 1) > 0);
	CHECK_STR(text, "-21 cannot cage the shim: it could not see that it "
			"holds no directory: Is a directory; caponier doctor "
			"says what this host allows");
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	fd_close(&pair[0]);
}

static int make_place(void)
{
	CLEANUP(buf_fini) struct buf program = BUF_EMPTY(64 << 20);
	char path[PATH_MAX + 16];

	if (snprintf(root, sizeof(root), "%s/root", place) >= (int)sizeof(root))
		return -ENAMETOOLONG;
	(void)snprintf(path, sizeof(path), "%s/empty", place);
	if (mkdir(root, 0755) < 0 || mkdir(path, 0755) < 0)
		return neg_errno();
	(void)snprintf(path, sizeof(path), "%s/dir", root);
	if (mkdir(path, 0755) < 0)
		return neg_errno();
	(void)snprintf(path, sizeof(path), "%s/file", root);
	TRY(fd_write_file(AT_FDCWD, path, 0644, span_of("", 0)));
	(void)snprintf(path, sizeof(path), "%s/caged", root);
	TRY(fd_read_file(AT_FDCWD, "/proc/self/exe", &program));
	return fd_write_file(AT_FDCWD, path, 0755, buf_span(&program));
}

static const struct tap_test tests[] = {
	RUN(a_good_jail_runs_its_program),
	RUN(the_jail_shares_nothing_with_its_maker),
	RUN(without_its_root),
	RUN(without_a_file_to_mount),
	RUN(with_a_directory_to_mount),
	RUN(with_a_directory_among_its_descriptors),
	RUN(with_a_path_descriptor_among_its_descriptors),
	RUN(with_a_descriptor_that_is_closed),
	RUN(without_a_filter),
	RUN(with_a_filter_the_kernel_refuses),
	RUN(with_a_path_that_landlock_cannot_find),
	RUN(without_its_program),
	RUN(without_a_user_namespace),
	RUN(as_root_without_a_uid_of_its_own),
	RUN(the_shim_does_not_enter_with_a_directory_open),
};

int main(int argc, char **arguments)
{
	/* The program in the jail is this one, too. */
	if (strcmp(arguments[0], "caged") == 0)
		return RAN;
	if (strcmp(arguments[0], "sleeps") == 0)
		return pause();
	if (argc != 2)
		return 2;
	place = arguments[1];
	is_root = geteuid() == 0;
	if (make_place() < 0)
		return 2;
	return tap_main(tests, ARRAY_LEN(tests));
}

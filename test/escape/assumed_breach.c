// SPDX-License-Identifier: Apache-2.0
// Assumed breach: an attack program in QEMU's place, then in the shim's, in the
// very cages those get. Passes only if each probe is refused and the host, seen
// from outside, is as it was.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "confine/self.h"
#include "engine/qemu/command.h"
#include "engine/qemu/qemu.h"
#include "probes.h"
#include "shim_seccomp_test.h"

#define CANARY "/tmp/caponier-escape-canary"
#define CANARY_TEXT "a file of the host, not to be read or changed\n"

static unsigned points;
static unsigned failures;

static void point(bool is_ok, const char *cage, const struct probe_row *row,
		  const char *how)
{
	points++;
	failures += !is_ok;
	(void)printf("%sok %u - %s %s: %s: %s\n", is_ok ? "" : "not ", points,
		     row->id, cage, row->name, how);
}

/* What the host looks like: nothing of it may change. */

struct host {
	int listener; /* an abstract socket nobody may reach */
	char sysctls[4096];
};

static void read_sysctls(char ret[4096])
{
	static const char *const names[] = {
		"kernel/core_pattern",	     "kernel/modprobe",
		"kernel/hostname",	     "vm/overcommit_memory",
		"kernel/randomize_va_space",
	};

	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(buf_fini) struct buf text = BUF_EMPTY(512);
		char path[128];

		(void)snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		if (fd_read_file(AT_FDCWD, path, &text) == 0 &&
		    buf_cstr(&text) != NULL)
			(void)strncat(ret, (const char *)text.ptr, 512);
	}
}

static int host_open(struct host *h)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path, "\0caponier-escape-canary", 23);
	h->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->listener < 0 ||
	    bind(h->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(h->listener, 1) < 0)
		return neg_errno();
	read_sysctls(h->sysctls);
	return fd_write_file(AT_FDCWD, CANARY, 0600, span_str(CANARY_TEXT));
}

static bool host_is_unchanged(const struct host *h, const char **ret_how)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(4096);
	char now[4096];
	struct pollfd p = { .fd = h->listener, .events = POLLIN };

	*ret_how = "the canary file changed";
	if (fd_read_file(AT_FDCWD, CANARY, &text) < 0 ||
	    !span_is(buf_span(&text), CANARY_TEXT))
		return false;
	*ret_how = "somebody connected to the host's socket";
	if (poll(&p, 1, 0) != 0)
		return false;
	*ret_how = "a sysctl changed";
	read_sysctls(now);
	return strcmp(now, h->sysctls) == 0;
}

/* What became of the caged process. */

static void describe(int status, const char *said, char ret[96], bool *is_ok)
{
	char *end = NULL;
	long r = strtol(said, &end, 10);

	*is_ok = true;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		(void)snprintf(ret, 96, "killed by the filter");
	} else if (WIFSIGNALED(status)) {
		(void)snprintf(ret, 96, "killed by %s",
			       strsignal(WTERMSIG(status)));
		*is_ok = false;
	} else if (end != said && r < 0) {
		(void)snprintf(ret, 96, "%s", strerrorname_np((int)-r));
	} else if (end != said) {
		(void)snprintf(ret, 96, "GAINED (%ld)", r);
		*is_ok = false;
	} else {
		(void)snprintf(ret, 96, "no word, status %x", (unsigned)status);
		*is_ok = false;
	}
}

static void judge(const struct host *h, const char *cage,
		  const struct probe_row *row, int status, const char *said)
{
	const char *why = NULL;
	char how[96];
	bool is_ok = false;

	describe(status, said, how, &is_ok);
	if (is_ok && !host_is_unchanged(h, &why)) {
		is_ok = false;
		(void)snprintf(how, sizeof(how), "%s", why);
	}
	point(is_ok, cage, row, how);
}

static void read_said(int fd, char ret[64])
{
	ssize_t n = 0;

	(void)!fd_set_nonblock(fd, false);
	n = fd_read(fd, ret, 63);
	ret[n > 0 ? n : 0] = '\0';
}

/* QEMU's cage. */

static int probe_qemu(const struct host *h, const struct sandbox_spec *spec,
		      size_t i)
{
	struct engine engine = ENGINE_NONE;
	struct err e = { 0 };
	char line[16];
	char said[64];
	int status = 0;
	int r = engine_qemu.spawn(spec, NULL, &engine, &e);

	if (r < 0) {
		(void)printf("# %s\n", err_text(&e, r));
		return r;
	}
	(void)snprintf(line, sizeof(line), "%zu\n", i);
	(void)!fd_write_all(engine.wire_fd, span_str(line));
	read_said(engine.console_fd, said);
	(void)waitpid(engine.pid, &status, 0);
	judge(h, "qemu", &probe_rows[i], status, said);
	engine_fini(&engine);
	return 0;
}

/* The shim's cage. */

static NORETURN void shim_main(const struct confine_spec *spec, int said,
			       int wire, size_t i)
{
	struct err e = { 0 };
	char text[16];
	int n = 0;

	probe_fds = (struct probe_fds){ -1, -1, wire };
	(void)dup2(said, STDERR_FILENO);
	if (confine_full(spec, &e) < 0) {
		(void)dprintf(said, "%s\n", e.text);
		_exit(3);
	}
	n = snprintf(text, sizeof(text), "%d\n", probe_rows[i].fn());
	(void)!write(said, text, (size_t)n);
	_exit(0);
}

static int probe_shim(const struct host *h, const char *empty, uint32_t uid,
		      size_t i)
{
	static const struct step_limit limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 512 },
	};
	CLEANUP(fd_close) int pid_fd = -1;
	int alive[2] = { -1, -1 };
	int said_pair[2] = { -1, -1 };
	char said[64];
	struct err e = { 0 };
	int status = 0;
	pid_t pid = 0;

	if (pipe2(alive, O_CLOEXEC) < 0)
		return neg_errno();
	TRY(fd_pair(said_pair));
	pid = confine_fork(&pid_fd, &e);
	if (pid == 0) {
		const struct confine_spec spec = {
			.empty = empty,
			.host_uid = uid,
			.parent_pipe = alive[0],
			.limits = limits,
			.limit_count = ARRAY_LEN(limits),
			.filter = &shim_filter,
		};

		fd_close(&alive[1]);
		fd_close(&said_pair[0]);
		shim_main(&spec, said_pair[1], said_pair[1], i);
	}
	fd_close(&alive[0]);
	fd_close(&said_pair[1]);
	TRY(pid);
	read_said(said_pair[0], said);
	(void)waitpid(pid, &status, 0);
	judge(h, "shim", &probe_rows[i], status, said);
	fd_close(&alive[1]);
	fd_close(&said_pair[0]);
	return 0;
}

/* A root like QEMU's, with the attack program in its place. */
static int make_place(const char *dir, const char *attack,
		      struct sandbox_spec *spec)
{
	static const char *const dirs[] = { "root",	    "root/usr",
					    "root/usr/bin", "root/dev",
					    "root/tmp",	    "empty" };
	static const char *const files[] = { "root/dev/kvm", "root/kernel",
					     "root/initrd",  "root/ram",
					     "disk",	     "layer" };
	CLEANUP(buf_fini) struct buf program = BUF_EMPTY(16 << 20);
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		if (mkdir(path, 0755) < 0)
			return neg_errno();
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		TRY(fd_write_file(AT_FDCWD, path, 0644, span_str("")));
	}
	TRY(fd_read_file(AT_FDCWD, attack, &program));
	(void)snprintf(path, sizeof(path), "%s/root" QEMU_PROGRAM_TCG, dir);
	TRY(fd_write_file(AT_FDCWD, path, 0755, buf_span(&program)));
	(void)snprintf(spec->engine_root, PATH_MAX, "%s/root", dir);
	(void)snprintf(spec->root_image, PATH_MAX, "%s/disk", dir);
	(void)snprintf(spec->modules_image, PATH_MAX, "%s/disk", dir);
	(void)snprintf(spec->kernel, PATH_MAX, "%s/disk", dir);
	(void)snprintf(spec->initrd, PATH_MAX, "%s/disk", dir);
	(void)snprintf(spec->layer, PATH_MAX, "%s/layer", dir);
	return 0;
}

static bool is_for(const struct probe_row *row, const char *cage)
{
	return strcmp(row->cages, "both") == 0 || strcmp(row->cages, cage) == 0;
}

static int all_qemu(const struct host *h, const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < probe_count; i++) {
		if (is_for(&probe_rows[i], "qemu"))
			TRY(probe_qemu(h, spec, i));
	}
	return 0;
}

/* As an ordinary user only a process that is root in a user namespace of its
 * own can build the cage, as the shim is. */
static int all_qemu_as_user(const struct host *h,
			    const struct sandbox_spec *spec)
{
	CLEANUP(fd_close) int pid_fd = -1;
	struct err e = { 0 };
	int status = 0;
	pid_t pid = confine_fork(&pid_fd, &e);

	if (pid == 0) {
		int r = all_qemu(h, spec);

		(void)fflush(stdout);
		_exit(r < 0 ? 255 : failures != 0);
	}
	TRY(pid);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > 1)
		return -EIO;
	failures += (unsigned)WEXITSTATUS(status);
	for (size_t i = 0; i < probe_count; i++)
		points += is_for(&probe_rows[i], "qemu");
	return 0;
}

static int run_all(const char *dir, const char *attack)
{
	CLEANUP(mem_free_ptr)
	struct sandbox_spec *spec = mem_new(1, sizeof(*spec));
	struct host h = { .listener = -1 };
	char empty[PATH_MAX];

	if (spec == NULL)
		return -ENOMEM;
	TRY(make_place(dir, attack, spec));
	TRY(host_open(&h));
	(void)snprintf(empty, sizeof(empty), "%s/empty", dir);
	(void)snprintf(spec->accel, sizeof(spec->accel), "tcg");
	spec->vcpus = 1;
	spec->mem_mib = 256;
	spec->disk_mib = 1024;
	spec->uid = geteuid() == 0 ? UINT32_C(0x7fff0000) : 0;
	TRY(geteuid() == 0 ? all_qemu(&h, spec) : all_qemu_as_user(&h, spec));
	for (size_t i = 0; i < probe_count; i++) {
		if (is_for(&probe_rows[i], "shim"))
			TRY(probe_shim(&h, empty,
				       spec->uid != 0 ? spec->uid + 1 : 0, i));
	}
	fd_close(&h.listener);
	(void)unlink(CANARY);
	return 0;
}

int main(int argc, char **argv)
{
	int r = 0;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: assumed_breach DIR ATTACK\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	r = run_all(argv[1], argv[2]);
	if (r < 0) {
		(void)printf("Bail out! %s\n", err_text(NULL, r));
		return 1;
	}
	(void)printf("1..%u\n", points);
	return failures != 0;
}

// SPDX-License-Identifier: Apache-2.0
// The runner of the attacks on the second line; see second_line.h. The same
// static program is the attacker in the jail, and the set-uid bait there.

#include "second_line.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/rng.h"
#include "confine/jail.h"
#include "confine/self.h"

#define CANARY_TEXT "not to be read\n"

enum {
	TEXT_MAX_BYTES = 4 << 20,
	ANSWER_MAX_MS = 20000,
	ENGINE_UID = 0x7fff0010,
	SHIM_UID = 0x7fff0011,
};

static char secret[SECRET_BYTES];
static unsigned points;
static unsigned failures;

static const struct sock_filter allow_all_code[] = {
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000U),
};
static const struct sock_fprog allow_all = {
	.len = 1,
	.filter = (struct sock_filter *)(uintptr_t)allow_all_code,
};
static const struct step_limit limits[] = {
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_NOFILE, FILES_MAX + 64 },
	{ RLIMIT_FSIZE, FILE_MAX_BYTES },
	{ RLIMIT_NPROC, PROCESSES_MAX },
	{ RLIMIT_MEMLOCK, 65536 },
};

/* The outside: what the attacks are after, and how it looked before. */

struct outside {
	struct targets targets;
	char dir[PATH_MAX];
	uint32_t engine_uid;
	uint32_t shim_uid;
	int listeners[3];
	char *before;
	char *after;
};

static int listen_on(const void *address, socklen_t len, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, address, len) < 0 || listen(fd, 8) < 0)
		return neg_errno();
	return fd;
}

static int listen_all(struct outside *o)
{
	struct targets *t = &o->targets;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);
	size_t name_len = strlen(t->abstract);

	memcpy(un.sun_path + 1, t->abstract, name_len);
	o->listeners[0] = listen_on(
		&un, (socklen_t)(sizeof(un.sun_family) + 1 + name_len),
		AF_UNIX);
	memcpy(un.sun_path, t->unix_path, sizeof(t->unix_path));
	o->listeners[1] = listen_on(&un, sizeof(un), AF_UNIX);
	o->listeners[2] = listen_on(&in, sizeof(in), AF_INET);
	for (size_t i = 0; i < ARRAY_LEN(o->listeners); i++)
		TRY(o->listeners[i]);
	if (getsockname(o->listeners[2], (struct sockaddr *)&in, &len) < 0)
		return neg_errno();
	t->tcp_port = ntohs(in.sin_port);
	return 0;
}

static int plant(struct outside *o)
{
	struct targets *t = &o->targets;
	struct mq_attr small = { .mq_maxmsg = 1, .mq_msgsize = 8 };

	t->shm_key = 0x43000000 | (getpid() & 0xffffff);
	if (shmget(t->shm_key, 4096, IPC_CREAT | 0600) < 0 ||
	    mq_open(t->queue, O_CREAT | O_RDWR, 0600, &small) < 0 ||
	    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", t->key, "x", 1UL,
		    KEY_SPEC_SESSION_KEYRING) < 0)
		return neg_errno();
	t->victim_secret = (uint64_t)(uintptr_t)secret;
	TRY(rng_fill(secret, sizeof(secret)));
	t->victim = fork();
	if (t->victim == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	return t->victim < 0 ? neg_errno() : 0;
}

static void clear(struct outside *o)
{
	(void)kill(o->targets.victim, SIGKILL);
	(void)waitpid(o->targets.victim, NULL, 0);
	(void)shmctl(shmget(o->targets.shm_key, 0, 0), IPC_RMID, NULL);
	(void)mq_unlink(o->targets.queue);
}

static int put_file(struct buf *b, const char *path)
{
	TRY(buf_printf(b, "%s: ", path));
	(void)!fd_read_file(AT_FDCWD, path, b);
	return 0;
}

/* Whether a /proc/PID/status is of a process of the cages' users in a pid
 * namespace below ours. */
static bool is_caged(const char *status, const struct outside *o)
{
	const char *uid_line = strstr(status, "Uid:");
	const char *pid_line = strstr(status, "NSpid:");
	uint32_t uid = 0;
	char *end = NULL;

	if (uid_line == NULL || pid_line == NULL)
		return false;
	uid = (uint32_t)strtoul(uid_line + 4, NULL, 10);
	if (o->engine_uid == 0 ? uid != geteuid() :
				 uid != o->engine_uid && uid != o->shim_uid)
		return false;
	(void)strtoul(pid_line + 6, &end, 10);
	return *end == '\t'; /* a second number follows */
}

static int put_caged(struct buf *b, const struct outside *o)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry = NULL;
	int count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		CLEANUP(buf_fini) struct buf status = BUF_EMPTY(65536);
		char path[300];
		const char *text = NULL;

		(void)snprintf(path, sizeof(path), "/proc/%s/status",
			       entry->d_name);
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    fd_read_file(AT_FDCWD, path, &status) < 0)
			continue;
		text = buf_cstr(&status);
		count += text != NULL && is_caged(text, o);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return buf_printf(b, "caged processes: %d\n", count);
}

static int put_ours(struct buf *b, const struct outside *o)
{
	static const char *const files[] = { "canary", "base",
					     ("root" IN_CAGE_PROGRAM) };
	char path[2 * PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", o->dir, files[i]);
		if (stat(path, &st) < 0)
			return neg_errno();
		TRY(buf_printf(b, "%s: %ju bytes, mode %o, changed %jd.%ld\n",
			       path, (uintmax_t)st.st_size, st.st_mode,
			       (intmax_t)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec));
	}
	return 0;
}

/* Everything that an attack could have changed, as one text. */
static int look(const struct outside *o, char **ret)
{
	static const char *const files[] = {
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/kernel/hostname",
		"/proc/sys/kernel/domainname",
		"/proc/sys/vm/overcommit_memory",
		"/proc/self/mountinfo",
		"/proc/swaps",
	};
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(TEXT_MAX_BYTES);

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		TRY(put_file(&b, files[i]));
	TRY(put_ours(&b, o));
	for (size_t i = 0; i < ARRAY_LEN(o->listeners); i++) {
		struct pollfd p = { .fd = o->listeners[i], .events = POLLIN };

		TRY(buf_printf(&b, "listener %zu: %d\n", i, poll(&p, 1, 0)));
	}
	TRY(buf_printf(&b, "victim: %d\n",
		       waitpid(o->targets.victim, NULL, WNOHANG)));
	TRY(put_caged(&b, o));
	free(*ret);
	*ret = NULL;
	if (buf_cstr(&b) == NULL)
		return -ENOMEM;
	*ret = (char *)b.ptr; /* moved */
	b.ptr = NULL;
	return 0;
}

static void show_difference(const struct outside *o)
{
	size_t at = 0;

	while (o->before[at] == o->after[at])
		at++;
	while (at > 0 && o->before[at - 1] != '\n')
		at--;
	(void)printf("# before: %.*s\n# after:  %.*s\n",
		     (int)strcspn(o->before + at, "\n"), o->before + at,
		     (int)strcspn(o->after + at, "\n"), o->after + at);
}

/* The cages. */

static void say(int fd, int answer)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", answer);

	(void)!write(fd, text, (size_t)n);
}

static NORETURN void be_jailer(const struct outside *o, int said, int wire,
			       int order)
{
	static char *const argv[] = { (char *)(uintptr_t)"attack", NULL };
	const struct step_access access[] = { { "/", true, false } };
	char root[PATH_MAX + 8];
	char path[PATH_MAX + 8];
	struct jail_fd fds[4] = {
		{ wire, FD_WIRE },
		{ order, FD_TARGETS },
	};
	const struct jail_spec spec = {
		.root = root,
		.fds = fds,
		.fd_count = ARRAY_LEN(fds),
		.stderr_fd = said,
		.limits = limits,
		.limit_count = ARRAY_LEN(limits),
		.access = access,
		.access_count = ARRAY_LEN(access),
		.filter = &allow_all,
		.host_uid = o->engine_uid,
		.program = IN_CAGE_PROGRAM,
		.argv = argv,
		.envp = argv + 1,
	};
	struct err e = { 0 };
	int pid_fd = -1;
	pid_t pid = -1;

	(void)snprintf(root, sizeof(root), "%s/root", o->dir);
	(void)snprintf(path, sizeof(path), "%s/base", o->dir);
	fds[2] = (struct jail_fd){ open(path, O_RDONLY | O_CLOEXEC), FD_BASE };
	(void)snprintf(path, sizeof(path), "%s/layer", o->dir);
	fds[3] = (struct jail_fd){ open(path, O_RDWR | O_CLOEXEC), FD_LAYER };
	if (jail_spawn(&spec, &pid, &pid_fd, &e) < 0) {
		(void)dprintf(said, "%s\n", e.text);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
	_exit(0);
}

static NORETURN void be_caged(const struct outside *o, const struct attack *a,
			      int said, int wire, int alive)
{
	char empty[PATH_MAX + 8];
	const struct confine_spec spec = {
		.empty = empty,
		.host_uid = o->shim_uid,
		.parent_pipe = alive,
		.limits = limits,
		.limit_count = ARRAY_LEN(limits),
		.filter = &allow_all,
	};
	struct err e = { 0 };
	struct targets t = o->targets;

	(void)snprintf(empty, sizeof(empty), "%s/empty", o->dir);
	(void)wire;
	if (confine_full(&spec, &e) < 0) {
		(void)dprintf(said, "%s\n", e.text);
		_exit(1);
	}
	say(said, a->fn(&t));
	_exit(0);
}

/* In the child. */
static NORETURN void be_there(const struct outside *o, enum where where,
			      size_t i, const int fds[4])
{
	uint64_t order = i;

	switch (where) {
	case IN_JAIL:
		/* On its own wire: the attacker reads it from the other end. */
		(void)!write(fds[2], &order, sizeof(order));
		(void)!write(fds[2], &o->targets, sizeof(o->targets));
		be_jailer(o, fds[1], fds[3], fds[3]);
	case IN_SHIM_CAGE:
		be_caged(o, &attacks[i], fds[1], fds[3], fds[0]);
	case OUTSIDE:
	default:
		say(fds[1], attacks[i].fn(&o->targets));
		_exit(0);
	}
}

static int read_answer(int fd, char ret[256])
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	/* Until the last holder of the other end is gone. */
	while (len < 255 && poll(&p, 1, ANSWER_MAX_MS) == 1) {
		ssize_t n = fd_read(fd, ret + len, 255 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	ret[len] = '\0';
	return p.revents != 0 ? 0 : -ETIMEDOUT;
}

static int run_attack(const struct outside *o, enum where where, size_t i,
		      char ret_answer[256])
{
	struct err e = { 0 };
	CLEANUP(fd_close) int pid_fd = -1;
	int said[2] = { -1, -1 };
	int wire[2] = { -1, -1 };
	int alive[2] = { -1, -1 };
	pid_t pid = -1;
	int r = 0;

	TRY(fd_pair(said));
	TRY(fd_pair(wire));
	if (pipe2(alive, O_CLOEXEC) < 0)
		return neg_errno();
	pid = where == OUTSIDE ? fork() : confine_fork(&pid_fd, &e);
	if (pid == 0) {
		const int fds[4] = { alive[0], said[1], wire[0], wire[1] };

		fd_close(&alive[1]);
		fd_close(&said[0]);
		be_there(o, where, i, fds);
	}
	fd_close(&alive[0]);
	fd_close(&said[1]);
	if (pid < 0)
		(void)printf("# %s\n", e.text);
	TRY(pid);
	r = read_answer(said[0], ret_answer);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	fd_close(&alive[1]);
	fd_close(&said[0]);
	fd_close(&wire[0]);
	fd_close(&wire[1]);
	return r;
}

/* Verdicts. */

static void point(bool is_ok, const char *where, const struct attack *a,
		  const char *how)
{
	points++;
	failures += !is_ok;
	(void)printf("%sok %u - %s %s: %s: %s\n", is_ok ? "" : "not ", points,
		     a->id, where, a->name, how);
}

static bool is_listed(const struct attack *a, int code)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		if (code != 0 && a->refusals[i] == code)
			return true;
	}
	return false;
}

static int judge_caged(struct outside *o, enum where where, size_t i)
{
	const char *name = where == IN_JAIL ? "jail" : "shim's cage";
	const struct attack *a = &attacks[i];
	char answer[256] = "";
	char how[300];
	char *end = NULL;
	long code = 0;
	bool is_ok = false;

	TRY(look(o, &o->before));
	TRY(run_attack(o, where, i, answer));
	TRY(look(o, &o->after));
	code = strtol(answer, &end, 10);
	if (end == answer)
		(void)snprintf(how, sizeof(how), "no answer: %.*s",
			       (int)strcspn(answer, "\n"), answer);
	else if (code >= 0)
		(void)snprintf(how, sizeof(how), "GAINED");
	else
		(void)snprintf(how, sizeof(how), "%s",
			       strerrorname_np((int)-code));
	is_ok = end != answer && is_listed(a, (int)-code);
	if (strcmp(o->before, o->after) != 0) {
		is_ok = false;
		show_difference(o);
	}
	point(is_ok, name, a, how);
	return 0;
}

/* An attack that cannot win outside proves nothing by failing inside. */
static int judge_control(struct outside *o, size_t i)
{
	char answer[256] = "";

	TRY(run_attack(o, OUTSIDE, i, answer));
	point(answer[0] == '0', "no cage", &attacks[i],
	      answer[0] == '0' ? "wins" : answer);
	/* What it did to the listeners is taken back. */
	for (size_t k = 0; k < ARRAY_LEN(o->listeners); k++) {
		struct pollfd p = { .fd = o->listeners[k], .events = POLLIN };

		while (poll(&p, 1, 0) == 1)
			(void)close(accept(o->listeners[k], NULL, NULL));
	}
	return 0;
}

static int run_all(struct outside *o)
{
	for (size_t i = 0; i < attack_count; i++) {
		if (attacks[i].is_harmless)
			TRY(judge_control(o, i));
	}
	for (size_t i = 0; i < attack_count; i++)
		TRY(judge_caged(o, IN_JAIL, i));
	for (size_t i = 0; i < attack_count; i++) {
		if (!attacks[i].is_for_jail_only)
			TRY(judge_caged(o, IN_SHIM_CAGE, i));
	}
	return 0;
}

/* The place. */

static int copy_program(const char *to, mode_t mode)
{
	CLEANUP(buf_fini) struct buf program = BUF_EMPTY(64 << 20);

	TRY(fd_read_file(AT_FDCWD, "/proc/self/exe", &program));
	TRY(fd_write_file(AT_FDCWD, to, mode, buf_span(&program)));
	return chmod(to, mode) < 0 ? neg_errno() : 0;
}

static int make_place(struct outside *o)
{
	static const char *const dirs[] = { "root", "root/usr", "root/usr/bin",
					    "root/tmp", "empty" };
	char path[PATH_MAX + 32];
	char zeros[BASE_DISK_BYTES] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", o->dir, dirs[i]);
		if (mkdir(path, 0755) < 0)
			return neg_errno();
	}
	(void)snprintf(path, sizeof(path), "%s/root" IN_CAGE_PROGRAM, o->dir);
	TRY(copy_program(path, 0755));
	(void)snprintf(path, sizeof(path), "%s/root" IN_CAGE_SUID, o->dir);
	TRY(copy_program(path, 06755));
	(void)snprintf(path, sizeof(path), "%s/base", o->dir);
	TRY(fd_write_file(AT_FDCWD, path, 0644, span_of(zeros, sizeof(zeros))));
	(void)snprintf(path, sizeof(path), "%s/layer", o->dir);
	TRY(fd_write_file(AT_FDCWD, path, 0644, span_of("", 0)));
	return fd_write_file(AT_FDCWD, o->targets.canary, 0600,
			     span_str(CANARY_TEXT));
}

static int name_targets(struct outside *o, const char *dir)
{
	struct targets *t = &o->targets;
	struct stat st;
	char tag[17] = "";

	TRY(rng_hex(tag, 8));
	(void)snprintf(o->dir, sizeof(o->dir), "%s", dir);
	if (snprintf(t->canary, sizeof(t->canary), "%s/canary", dir) >=
		    (int)sizeof(t->canary) ||
	    snprintf(t->unix_path, sizeof(t->unix_path), "%s/sock", dir) >=
		    (int)sizeof(t->unix_path))
		return -ENAMETOOLONG;
	(void)snprintf(t->abstract, sizeof(t->abstract), "caponier-%s", tag);
	(void)snprintf(t->key, sizeof(t->key), "caponier-%s", tag);
	(void)snprintf(t->queue, sizeof(t->queue), "/caponier-%s", tag);
	if (stat("/", &st) < 0)
		return neg_errno();
	t->root_inode = st.st_ino;
	return 0;
}

static int be_runner(const char *dir)
{
	static struct outside o;
	int r = 0;

	o.engine_uid = geteuid() == 0 ? ENGINE_UID : 0;
	o.shim_uid = geteuid() == 0 ? SHIM_UID : 0;
	TRY(name_targets(&o, dir));
	TRY(make_place(&o));
	TRY(listen_all(&o));
	TRY(plant(&o));
	r = run_all(&o);
	clear(&o);
	return r;
}

/* In the jail: orders and targets come on the wire. */
static int be_attacker(void)
{
	static struct targets t;
	uint64_t i = 0;

	if (recv(FD_WIRE, &i, sizeof(i), MSG_WAITALL) != sizeof(i) ||
	    recv(FD_WIRE, &t, sizeof(t), MSG_WAITALL) != sizeof(t) ||
	    i >= attack_count)
		return 2;
	say(STDERR_FILENO, attacks[i].fn(&t));
	return 0;
}

int main(int argc, char **argv)
{
	int r = 0;

	if (strcmp(argv[0], "attack") == 0)
		return be_attacker();
	if (strcmp(argv[0], "suid") == 0)
		return geteuid() == CAGE_UID && getegid() == CAGE_UID ? 1 : 0;
	if (argc != 2) {
		(void)fprintf(stderr, "usage: second_line DIR\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	r = be_runner(argv[1]);
	if (r < 0) {
		(void)printf("Bail out! %s\n", strerror(-r));
		return 1;
	}
	(void)printf("1..%u\n", points);
	return failures != 0;
}

// SPDX-License-Identifier: Apache-2.0
// A sandbox with a stub engine, for tests of the shim.

#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

static const char token[] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static const char *env(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL) {
		printf("Bail out! %s is not set\n", name);
		exit(1);
	}
	return value;
}

static void must(bool is_good, const char *what)
{
	if (is_good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sandbox_describe(struct sandbox *s, const char *mode)
{
	const char *base = getenv("TMPDIR");
	struct sandbox_spec *spec = &s->spec;

	*s = (struct sandbox){ .control = -1 };
	must(sandbox_id_new(spec->id) == 0, "id");
	(void)snprintf(s->dir, sizeof(s->dir), "%s/%s",
		       base != NULL ? base : "/tmp", spec->id);
	(void)snprintf(spec->template_name, sizeof(spec->template_name),
		       "base");
	(void)snprintf(spec->engine, sizeof(spec->engine), "stub");
	(void)snprintf(spec->accel, sizeof(spec->accel), "tcg");
	spec->tier = TIER_USERKERNEL;
	spec->vcpus = 1;
	spec->cpu_pct = 100;
	spec->mem_mib = 128;
	spec->disk_mib = 1024;
	(void)snprintf(spec->kernel, sizeof(spec->kernel), "%s",
		       env("HOSTILE_AGENT"));
	(void)snprintf(spec->initrd, sizeof(spec->initrd), "%s", mode);
	(void)snprintf(spec->hostname, sizeof(spec->hostname), "test");
	(void)snprintf(spec->token, sizeof(spec->token), "%s", token);
	if (geteuid() == 0)
		spec->shim_uid = 0x70000001;
}

static void fill_dir(const struct sandbox *s, int *ret_lock)
{
	struct buf json = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);
	int dir = -1;

	must(mkdir(s->dir, 0700) == 0, "mkdir");
	dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir >= 0, "open directory");
	*ret_lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(*ret_lock >= 0 && flock(*ret_lock, LOCK_EX | LOCK_NB) == 0,
	     "lock");
	must(sandbox_spec_put(&s->spec, &json) == 0, "spec");
	must(fd_write_file(dir, "spec.json", 0600, buf_span(&json)) == 0,
	     "spec.json");
	/* What must be removed without being followed. */
	must(symlinkat("/etc", dir, "link") == 0, "symlink");
	must(mkdirat(dir, "sub", 0700) == 0, "sub");
	(void)close(dir);
	buf_fini(&json);
}

void sandbox_launch(struct sandbox *s)
{
	char *const argv[] = { (char *)(uintptr_t)"caponier-shim", s->dir,
			       NULL };
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	int pair[2] = { -1, -1 };
	int lock = -1;
	int high_control = -1;
	int high_lock = -1;

	fill_dir(s, &lock);
	/* Orphans come to us, so that their end is seen at once. */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "subreaper");
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0,
	     "socketpair");
	s->control = pair[0];
	high_control = fcntl(pair[1], F_DUPFD_CLOEXEC, 100);
	high_lock = fcntl(lock, F_DUPFD_CLOEXEC, 100);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, high_control, 3);
	(void)posix_spawn_file_actions_adddup2(&actions, high_lock, 4);
	must(posix_spawn(&s->keeper, env("SHIM_STUB"), &actions, NULL, argv,
			 envp) == 0,
	     "spawn");
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(pair[1]);
	(void)close(lock);
	(void)close(high_control);
	(void)close(high_lock);
}

bool sandbox_next(struct sandbox *s, int ms)
{
	struct pollfd on = { .fd = s->control, .events = POLLIN };
	ssize_t n = 0;

	s->message[0] = '\0';
	if (poll(&on, 1, ms) != 1)
		return false;
	n = read(s->control, s->message, sizeof(s->message) - 1);
	if (n <= 0)
		return false;
	s->message[n] = '\0';
	s->has_ended = strstr(s->message, "\"ended\"") != NULL;
	return true;
}

bool sandbox_start(struct sandbox *s, const char *mode)
{
	sandbox_describe(s, mode);
	sandbox_launch(s);
	s->is_ready = sandbox_next(s, 10000) &&
		      strstr(s->message, "\"ready\"") != NULL;
	if (!s->is_ready)
		printf("#   instead of ready: %s\n", s->message);
	return s->is_ready;
}

void sandbox_order(struct sandbox *s, const char *json)
{
	(void)!send(s->control, json, strlen(json), MSG_NOSIGNAL);
}

bool sandbox_ended(struct sandbox *s, const char *cause, int ms)
{
	char want[64];
	bool is_cause = false;
	int64_t until = now_ms() + ms;
	int status = 0;

	(void)snprintf(want, sizeof(want), "\"cause\":\"%s\"", cause);
	while (!s->has_ended && now_ms() < until &&
	       sandbox_next(s, (int)(until - now_ms())))
		;
	is_cause = s->has_ended && strstr(s->message, want) != NULL;
	if (!is_cause)
		printf("#   instead of %s: %s\n", want, s->message);
	if (!s->has_ended)
		return false;
	/* At this message nothing is left, but for the keeper itself. */
	if (!sandbox_is_gone(s))
		is_cause = false;
	(void)waitpid(s->keeper, &status, 0);
	s->keeper = 0;
	return is_cause && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int sandbox_dial(const struct sandbox *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, "socket");
	must(snprintf(address.sun_path, sizeof(address.sun_path), "%s/api.sock",
		      s->dir) < (int)sizeof(address.sun_path),
	     "api.sock's path");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

size_t sandbox_request(const struct sandbox *s, char dst[REQUEST_BYTES],
		       const char *method, const char *path, const char *body,
		       size_t body_len)
{
	int n = snprintf(dst, REQUEST_BYTES,
			 "%s %s HTTP/1.1\r\nHost: x\r\nX-Access-Token: %s\r\n"
			 "Content-Type: application/connect+json\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 method, path, s->spec.token, body_len);

	must(n > 0 && (size_t)n + body_len <= REQUEST_BYTES, "request");
	if (body_len != 0)
		memcpy(dst + n, body, body_len);
	return (size_t)n + body_len;
}

static bool is_whole(const struct reply *r)
{
	const char *length = strcasestr(r->head, "\r\nContent-Length:");

	if (r->status == 204 || r->status == 304)
		return true;
	if (length != NULL)
		return r->body_len >= strtoull(length + 17, NULL, 10);
	return r->body_len >= 5 && r->body_len < sizeof(r->body) &&
	       memcmp(r->body + r->body_len - 5, "0\r\n\r\n", 5) == 0;
}

static void add(struct reply *r, const char *bytes, size_t n)
{
	size_t have = strlen(r->head);
	char *end = NULL;

	if (r->status == 0) {
		size_t fits = sizeof(r->head) - 1 - have;

		fits = n < fits ? n : fits;
		memcpy(r->head + have, bytes, fits);
		end = memmem(r->head, have + fits, "\r\n\r\n", 4);
		if (end == NULL)
			return;
		r->status = (unsigned)strtoul(r->head + 9, NULL, 10);
		fits = (size_t)(end + 4 - r->head) - have;
		end[4] = '\0';
		bytes += fits;
		n -= fits;
	}
	if (r->body_len < sizeof(r->body)) {
		size_t fits = sizeof(r->body) - 1 - r->body_len;

		memcpy(r->body + r->body_len, bytes, n < fits ? n : fits);
	}
	r->body_len += n;
}

void sandbox_read(int fd, int ms, struct reply *ret)
{
	struct pollfd on = { .fd = fd, .events = POLLIN };
	int64_t until = now_ms() + ms;
	static char bytes[65536];

	*ret = (struct reply){ 0 };
	while (now_ms() < until && !(ret->status != 0 && is_whole(ret))) {
		ssize_t n = 0;

		if (poll(&on, 1, (int)(until - now_ms())) != 1)
			return;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return;
		add(ret, bytes, (size_t)n);
	}
}

void sandbox_exchange(struct sandbox *s, const char *bytes, size_t len, int ms,
		      struct reply *ret)
{
	int fd = sandbox_dial(s);

	*ret = (struct reply){ 0 };
	if (fd < 0)
		return;
	(void)!send(fd, bytes, len, MSG_NOSIGNAL);
	sandbox_read(fd, ms, ret);
	(void)close(fd);
}

void sandbox_ask(struct sandbox *s, const char *method, const char *path,
		 const char *body, struct reply *ret)
{
	static char request[REQUEST_BYTES];
	size_t n = sandbox_request(s, request, method, path, body,
				   body != NULL ? strlen(body) : 0);

	sandbox_exchange(s, request, n, 60000, ret);
}

pid_t child_of(pid_t parent)
{
	char path[64];
	char text[64] = "";
	int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent,
		       parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	(void)!read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return text[0] != '\0' ? (pid_t)strtol(text, NULL, 10) : -1;
}

pid_t sandbox_shim(const struct sandbox *s)
{
	return child_of(s->keeper);
}

long memory_kib(pid_t pid, const char *field)
{
#ifdef __SANITIZE_ADDRESS__
	(void)pid;
	(void)field;
	return 1; /* what a sanitizer needs is not ours */
#else
	char path[64];
	char text[4096] = "";
	const char *at = NULL;
	int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	(void)!read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	at = strstr(text, field);
	return at != NULL ? strtol(at + strlen(field) + 1, NULL, 10) : -1;
#endif
}

/* A process whose command line names the sandbox, other than its keeper. */
static bool has_process(const struct sandbox *s)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry = NULL;
	bool is_found = false;

	must(proc != NULL, "opendir /proc");
	for (entry = readdir(proc); entry != NULL; entry = readdir(proc)) {
		char path[300];
		char text[4096] = "";
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		int fd = -1;

		(void)snprintf(path, sizeof(path), "/proc/%s/cgroup",
			       entry->d_name);
		fd = pid > 0 && pid != s->keeper ?
			     open(path, O_RDONLY | O_CLOEXEC) :
			     -1;
		if (fd < 0)
			continue;
		(void)!read(fd, text, sizeof(text) - 1);
		(void)close(fd);
		if (strstr(text, s->spec.id) == NULL)
			continue;
		printf("#   process %d is left\n", pid);
		is_found = true;
	}
	(void)closedir(proc);
	return is_found;
}

static bool has_cgroup(const struct sandbox *s)
{
	static const char *const trees[] = {
		"/sys/fs/cgroup",	  "/sys/fs/cgroup/memory",
		"/sys/fs/cgroup/pids",	  "/sys/fs/cgroup/cpu",
		"/sys/fs/cgroup/unified",
	};
	bool is_found = false;

	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s/caponier/%s", trees[i],
			       s->spec.id);
		if (access(path, F_OK) < 0)
			continue;
		printf("#   cgroup %s is left\n", path);
		is_found = true;
	}
	return is_found;
}

bool sandbox_is_gone(const struct sandbox *s)
{
	bool has_dir = access(s->dir, F_OK) == 0;

	if (has_dir)
		printf("#   directory %s is left\n", s->dir);
	return !has_process(s) && !has_cgroup(s) && !has_dir;
}

void sandbox_fini(struct sandbox *s)
{
	if (s->control >= 0)
		(void)close(s->control);
	if (s->keeper > 0)
		(void)waitpid(s->keeper, NULL, 0);
	sandbox_spec_fini(&s->spec);
	*s = (struct sandbox){ .control = -1 };
}

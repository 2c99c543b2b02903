// SPDX-License-Identifier: Apache-2.0
// Launching sandboxes.

#include "launch/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "confine/cgroup.h"
#include "confine/uid.h"
#include "image/qcow2.h"
#include "image/tree.h"

enum {
	DIR_MODE = 0700,
	FILE_MODE = 0600,
	NEST_MAX_S = 60, /* a nameless directory older than this is dead */
};

/* One for the whole host: two homes must not hand out the same uids. */
#define UID_DIR "/run/caponier/uids"

/* Descriptors the keeper is born with. */
enum { KEEPER_FD_CONTROL = 3, KEEPER_FD_LOCK = 4, KEEPER_FD_UIDS = 5 };

static int fail(struct err *e, int r, const char *asked)
{
	(void)!err_set(e, r,
		       "cannot %s: %s; see that CAPONIER_HOME is writable and "
		       "has space",
		       asked, err_text(NULL, r));
	return r;
}

/* The directory, from hidden to named. */

struct nest {
	int sandboxes; /* directory descriptor */
	int dir;       /* of this sandbox */
	int lock;
	char hidden[SANDBOX_ID_BYTES + 8];
	bool is_made;
};

static void nest_fini(struct nest *n)
{
	fd_close(&n->lock);
	fd_close(&n->dir);
	if (n->is_made)
		(void)!tree_remove(n->sandboxes, n->hidden);
	fd_close(&n->sandboxes);
}

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? neg_errno() : fd;
}

static int nest_make(const struct home *home, const char *id, struct nest *n,
		     struct err *e)
{
	char path[PATH_MAX];

	TRY(home_path(home, path, "sandboxes"));
	TRY(home_mkdir(path, e));
	n->sandboxes = open_dir(AT_FDCWD, path);
	if (n->sandboxes < 0)
		return fail(e, n->sandboxes, "open the sandboxes' directory");
	(void)snprintf(n->hidden, sizeof(n->hidden), ".new-%s", id);
	if (mkdirat(n->sandboxes, n->hidden, DIR_MODE) < 0)
		return fail(e, neg_errno(), "make the sandbox's directory");
	n->is_made = true;
	n->dir = open_dir(n->sandboxes, n->hidden);
	if (n->dir < 0)
		return fail(e, n->dir, "open the sandbox's directory");
	n->lock = openat(n->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC,
			 FILE_MODE);
	if (n->lock < 0 || flock(n->lock, LOCK_EX | LOCK_NB) < 0)
		return fail(e, neg_errno(), "lock the sandbox's directory");
	return 0;
}

static int fill(const struct nest *n, const struct sandbox_spec *spec,
		struct err *e)
{
	CLEANUP(buf_fini)
	struct buf json = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);
	CLEANUP(fd_close)
	int layer = openat(n->dir, "layer.qcow2",
			   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	int r = layer < 0 ? neg_errno() : 0;

	if (r == 0)
		r = qcow2_create(layer, (uint64_t)spec->base_disk_mib << 20);
	if (r < 0)
		return fail(e, r, "make the sandbox's disk");
	r = sandbox_spec_put(spec, &json);
	if (r == 0)
		r = fd_write_file(n->dir, "spec.json", FILE_MODE,
				  buf_span(&json));
	return r < 0 ? fail(e, r, "write the sandbox's specification") : 0;
}

/* The keeper's birth. */

static int keeper_actions(posix_spawn_file_actions_t *actions, int control,
			  int lock, int uids)
{
	/* The launcher's own input and output are none of the shim's. */
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (posix_spawn_file_actions_addopen(actions, fd, "/dev/null",
						     O_RDWR, 0) != 0)
			return -ENOMEM;
	}
	/* Sources lie above the targets, so order does not matter. */
	if (posix_spawn_file_actions_adddup2(actions, control,
					     KEEPER_FD_CONTROL) != 0 ||
	    posix_spawn_file_actions_adddup2(actions, lock, KEEPER_FD_LOCK) !=
		    0)
		return -ENOMEM;
	if (uids >= 0 && posix_spawn_file_actions_adddup2(actions, uids,
							  KEEPER_FD_UIDS) != 0)
		return -ENOMEM;
	return 0;
}

/* A copy of a descriptor above those the keeper is born with. */
static int lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, KEEPER_FD_UIDS + 1);

	return high < 0 ? neg_errno() : high;
}

static int spawn_keeper(const char *program, const char *dir, int control,
			int lock, int uids, pid_t *ret)
{
	char *const argv[] = { (char *)(uintptr_t)"caponier-shim",
			       (char *)(uintptr_t)dir, NULL };
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int r = 0;

	(void)sigemptyset(&none);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSID);
	(void)posix_spawn_file_actions_init(&actions);
	r = keeper_actions(&actions, control, lock, uids);
	if (r == 0)
		r = -posix_spawn(ret, program, &actions, &attr, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return r;
}

static int start_keeper(const struct install *install, const struct nest *n,
			int uids, struct launched *ret, struct err *e)
{
	int pair[2] = { -1, -1 };
	char program[PATH_MAX];
	CLEANUP(fd_close) int lock = lift(n->lock);
	CLEANUP(fd_close) int uids_high = uids < 0 ? -1 : lift(uids);
	CLEANUP(fd_close) int theirs = -1;
	int r = 0;

	if (snprintf(program, sizeof(program), "%s/caponier-shim",
		     install->programs) >= (int)sizeof(program))
		return -ENAMETOOLONG;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(e, neg_errno(), "make the control channel");
	ret->control_fd = pair[0];
	theirs = lift(pair[1]);
	fd_close(&pair[1]);
	if (lock < 0 || theirs < 0 || fd_set_nonblock(ret->control_fd, true))
		return fail(e, -EMFILE, "hand descriptors to the shim");
	r = spawn_keeper(program, ret->dir, theirs, lock, uids_high,
			 &ret->keeper);
	if (r < 0)
		return err_set(e, r,
			       "cannot start %s: %s; run ./dev build or "
			       "./dev install again",
			       program, err_text(NULL, r));
	ret->keeper_fd = (int)syscall(SYS_pidfd_open, ret->keeper, 0);
	return ret->keeper_fd < 0 ? neg_errno() : 0;
}

static int take_uids(struct sandbox_spec *spec, int *ret_fd, struct err *e)
{
	struct uid_pair uids = { 0 };

	if (geteuid() != 0)
		return 0; /* one uid for all: the user's own */
	TRY(home_mkdir(UID_DIR, e));
	TRY(uid_pair_take(UID_DIR, &uids, ret_fd, e));
	spec->uid = uids.engine;
	spec->shim_uid = uids.shim;
	return 0;
}

static int name_paths(const struct home *home, struct sandbox_spec *spec,
		      struct launched *sandbox)
{
	TRY(sandbox_id_new(spec->id));
	memcpy(sandbox->id, spec->id, sizeof(sandbox->id));
	(void)snprintf(spec->hostname, sizeof(spec->hostname), "sandbox-%.8s",
		       spec->id);
	TRY(home_path(home, sandbox->dir, "sandboxes/%s", spec->id));
	TRY(home_path(home, sandbox->api_socket, "sandboxes/%s/api.sock",
		      spec->id));
	return home_path(home, spec->layer, "sandboxes/%s/layer.qcow2",
			 spec->id);
}

int launch(const struct home *home, const struct install *install,
	   struct sandbox_spec *spec, struct launched *ret, struct err *e)
{
	CLEANUP(nest_fini)
	struct nest n = { .sandboxes = -1, .dir = -1, .lock = -1 };
	CLEANUP(fd_close) int uids = -1;
	struct launched sandbox = LAUNCHED_NONE;
	int r = 0;

	*ret = LAUNCHED_NONE;
	TRY(name_paths(home, spec, &sandbox));
	TRY(nest_make(home, spec->id, &n, e));
	TRY(take_uids(spec, &uids, e));
	TRY(fill(&n, spec, e));
	if (renameat(n.sandboxes, n.hidden, n.sandboxes, spec->id) < 0)
		return fail(e, neg_errno(), "name the sandbox's directory");
	n.is_made = false; /* from here on launch_reap() clears up */
	r = start_keeper(install, &n, uids, &sandbox, e);
	if (r < 0) {
		fd_close(&n.lock);
		launch_reap(home, &sandbox);
		return r;
	}
	*ret = sandbox;
	return 0;
}

/* The control channel. */

static void json_drop(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static int parse_ended(json_t *doc, struct control_message *m)
{
	const char *cause = json_string_value(json_object_get(doc, "cause"));
	const char *detail = json_string_value(json_object_get(doc, "detail"));

	if (cause == NULL || cause_parse(span_str(cause), &m->cause) < 0)
		return -EBADMSG;
	if (detail != NULL)
		(void)snprintf(m->detail, sizeof(m->detail), "%s", detail);
	m->event = CONTROL_ENDED;
	return 0;
}

static int parse_message(struct span text, struct control_message *m)
{
	CLEANUP(json_drop)
	json_t *doc = json_loadb((const char *)text.ptr, text.len, 0, NULL);
	const char *event = json_string_value(json_object_get(doc, "event"));

	if (event == NULL)
		return -EBADMSG;
	if (strcmp(event, "ended") == 0)
		return parse_ended(doc, m);
	m->boot_ms =
		(unsigned)json_integer_value(json_object_get(doc, "boot_ms"));
	if (strcmp(event, "ready") == 0)
		m->event = CONTROL_READY;
	else if (strcmp(event, "saved") == 0)
		m->event = CONTROL_SAVED;
	return m->event != CONTROL_NONE ? 0 : -EBADMSG;
}

int launch_read(struct launched *sandbox, struct control_message *ret)
{
	uint8_t text[CONTROL_MESSAGE_MAX_BYTES];
	ssize_t n = fd_read(sandbox->control_fd, text, sizeof(text));

	*ret = (struct control_message){ 0 };
	if (n == -EAGAIN)
		return 0;
	if (n <= 0) {
		ret->event = CONTROL_LOST;
		return 0;
	}
	return parse_message(span_of(text, (size_t)n), ret);
}

static void say(struct launched *sandbox, const char *json)
{
	if (sandbox->control_fd >= 0)
		(void)!send(sandbox->control_fd, json, strlen(json),
			    MSG_NOSIGNAL);
}

void launch_stop(struct launched *sandbox, enum cause cause)
{
	char json[64];

	(void)snprintf(json, sizeof(json), "{\"stop\":\"%s\"}",
		       cause_name(cause));
	say(sandbox, json);
}

void launch_ask_save(struct launched *sandbox)
{
	say(sandbox, "{\"save\":true}");
}

/* Clearing up. */

/* A directory still without its name is being filled, unless it is old. */
static bool is_being_made(int dir, const char *name)
{
	struct stat st = { 0 };
	uint64_t now_s = clock_wall_ns() / NS_PER_S;

	return name[0] == '.' && fstat(dir, &st) == 0 &&
	       (uint64_t)st.st_mtim.tv_sec + NEST_MAX_S > now_s;
}

/* Remove a sandbox directory if nobody holds its lock.
 * Return: 1 if removed, 0 if it is alive, or -errno. */
static int sweep_one(int sandboxes, const char *name)
{
	CLEANUP(fd_close) int dir = open_dir(sandboxes, name);
	CLEANUP(fd_close) int lock = -1;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (is_being_made(dir, name))
		return 0;
	lock = openat(dir, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (lock < 0 && errno != ENOENT)
		return neg_errno();
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0)
		return 0;
	if (sandbox_id_is_valid(span_str(name)))
		TRY(cgroup_sweep(name));
	TRY(tree_remove(sandboxes, name));
	return 1;
}

void launch_reap(const struct home *home, struct launched *sandbox)
{
	CLEANUP(fd_close) int sandboxes = -1;
	char path[PATH_MAX];

	/* The end of the control channel ends a sandbox, too. */
	fd_close(&sandbox->control_fd);
	if (sandbox->keeper > 0)
		(void)!waitpid(sandbox->keeper, NULL, 0);
	fd_close(&sandbox->keeper_fd);
	if (sandbox->id[0] != '\0' && home_path(home, path, "sandboxes") == 0)
		sandboxes = open_dir(AT_FDCWD, path);
	if (sandboxes >= 0)
		(void)sweep_one(sandboxes, sandbox->id);
	*sandbox = LAUNCHED_NONE;
}

static void dir_close(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
	*d = NULL;
}

int launch_sweep(const struct home *home)
{
	char path[PATH_MAX];
	CLEANUP(dir_close) DIR *d = NULL;
	struct dirent *entry = NULL;
	int sandboxes = -1;
	int removed = 0;

	TRY(home_path(home, path, "sandboxes"));
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT ? 0 : neg_errno();
	sandboxes = dirfd(d);
	if (sandboxes < 0)
		return neg_errno();
	for (entry = readdir(d); entry != NULL; entry = readdir(d)) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (sweep_one(sandboxes, name) == 1)
			removed++;
	}
	return removed;
}

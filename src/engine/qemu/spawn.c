// SPDX-License-Identifier: Apache-2.0
// Starting QEMU in its jail.
//
// Everything QEMU will touch is opened here and handed over by number; in its
// root lie only its own libraries and firmware, and, where the guest boots, the
// kernel and initramfs as single read-only mounts.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "confine/jail.h"
#include "confine/self.h"
#include "confine/uid.h"
#include "engine/qemu/command.h"
#include "engine/qemu/control.h"
#include "engine/qemu/qemu.h"
#include "qemu_seccomp.h"

enum {
	NOFILE_MAX = 128,
	PROCESSES_MAX = 64,
	MEMLOCK_MAX = 65536,
	LAYER_SLACK_MIB = 1024, /* a layer's own tables */
	FILES_MAX = QEMU_FD_END,
};

/* Of no sandbox: the first above those that are handed out. */
#define TRIAL_UID (UID_BASE + 2 * UID_PAIRS_MAX)

/* Files of the host, each with its number inside the jail. */
struct files {
	int fd[FILES_MAX]; /* by enum qemu_fd; -1: none */
	int state;
};

static void files_fini(struct files *f)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		fd_close(&f->fd[i]);
	fd_close(&f->state);
}

struct file_row {
	enum qemu_fd to;
	const char *path;
	int flags;
};

static int open_file(const char *path, int flags, int *ret, struct err *e)
{
	*ret = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
	if (*ret < 0)
		return err_set(e, neg_errno(),
			       "cannot open %s: %s; build the template again",
			       path, err_text(NULL, neg_errno()));
	return 0;
}

/* By descriptor: no file of the jail leads to KVM. */
static int open_kvm(int *ret, struct err *e)
{
	*ret = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (*ret < 0)
		return err_set(e, neg_errno(),
			       "cannot open /dev/kvm: %s; see caponier doctor",
			       err_text(NULL, neg_errno()));
	return 0;
}

static int open_files(const struct sandbox_spec *spec, struct files *f,
		      struct err *e)
{
	bool is_restore = spec->boot == BOOT_RESTORE;
	const struct file_row rows[] = {
		{ QEMU_FD_ROOT, spec->root_image, O_RDONLY },
		{ QEMU_FD_MODULES, spec->modules_image, O_RDONLY },
		{ QEMU_FD_LAYER, spec->layer, O_RDWR },
		{ QEMU_FD_BASE, is_restore ? spec->base_layer : "", O_RDONLY },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].path[0] != '\0')
			TRY(open_file(rows[i].path, rows[i].flags,
				      &f->fd[rows[i].to], e));
	}
	if (span_is(span_str(spec->accel), "kvm"))
		TRY(open_kvm(&f->fd[QEMU_FD_KVM], e));
	if (spec->vm_state[0] != '\0')
		TRY(open_file(spec->vm_state, is_restore ? O_RDONLY : O_RDWR,
			      &f->state, e));
	return 0;
}

/* A socket pair: one end for the shim, one for QEMU. */
static int open_pair(struct files *f, enum qemu_fd to, int *ret_ours)
{
	int pair[2] = { -1, -1 };

	TRY(fd_pair(pair));
	f->fd[to] = pair[1];
	*ret_ours = pair[0];
	return fd_set_nonblock(*ret_ours, true);
}

static int open_pairs(struct files *f, struct engine *engine)
{
	TRY(open_pair(f, QEMU_FD_WIRE, &engine->wire_fd));
	TRY(open_pair(f, QEMU_FD_QMP, &engine->control_fd));
	return open_pair(f, QEMU_FD_CONSOLE, &engine->console_fd);
}

static int enter(const struct sandbox_spec *spec, const struct files *f,
		 const struct cgroup *cgroup, char *const *argv,
		 struct engine *engine, struct err *e)
{
	static char *const envp[] = { NULL };
	const struct step_limit limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, NOFILE_MAX },
		{ RLIMIT_MEMLOCK, MEMLOCK_MAX },
		{ RLIMIT_FSIZE, ((rlim_t)spec->disk_mib + LAYER_SLACK_MIB)
					<< 20 },
		/* Counted in its own user namespace alone, since Linux 5.14. */
		{ RLIMIT_NPROC, PROCESSES_MAX },
	};
	const bool is_booting = spec->boot != BOOT_RESTORE;
	const struct jail_bind binds[] = {
		{ is_booting ? spec->kernel : NULL, QEMU_KERNEL, false },
		{ is_booting ? spec->initrd : NULL, QEMU_INITRD, false },
		{ spec->ram[0] != '\0' ? spec->ram : NULL, QEMU_RAM,
		  spec->boot == BOOT_TEMPLATE },
	};
	const struct step_access access[] = {
		{ "/", true, false },
		{ spec->boot == BOOT_TEMPLATE ? QEMU_RAM : NULL, false, true },
	};
	struct jail_fd fds[FILES_MAX];
	struct jail_spec jail = {
		.root = spec->engine_root,
		.binds = binds,
		.bind_count = ARRAY_LEN(binds),
		.fds = fds,
		.stderr_fd = f->fd[QEMU_FD_CONSOLE],
		.limits = limits,
		.limit_count = ARRAY_LEN(limits),
		.access = access,
		.access_count = ARRAY_LEN(access),
		.filter = &qemu_filter,
		.cgroup = cgroup,
		.leaf = CGROUP_ENGINE,
		.host_uid = spec->uid,
		.program = argv[0],
		.argv = argv,
		.envp = envp,
	};

	for (int fd = 0; fd < FILES_MAX; fd++) {
		if (f->fd[fd] >= 0)
			fds[jail.fd_count++] = (struct jail_fd){ f->fd[fd],
								 fd };
	}
	return jail_spawn(&jail, &engine->pid, &engine->pid_fd, e);
}

/* The RAM file is QEMU's own while it is written. */
static int give_ram(const struct sandbox_spec *spec, struct err *e)
{
	if (spec->boot != BOOT_TEMPLATE || spec->uid == 0)
		return 0;
	if (lchown(spec->ram, spec->uid, spec->uid) < 0)
		return err_set(e, neg_errno(),
			       "cannot give %s to QEMU: %s; see that "
			       "CAPONIER_HOME lies on an ordinary file system",
			       spec->ram, err_text(NULL, neg_errno()));
	return 0;
}

static int qemu_spawn(const struct sandbox_spec *spec,
		      const struct cgroup *cgroup, struct engine *ret,
		      struct err *e)
{
	CLEANUP(files_fini) struct files f = { .state = -1 };
	CLEANUP(qemu_command_fini) struct qemu_command command = { 0 };
	struct engine engine = ENGINE_NONE;
	int r = 0;

	for (size_t i = 0; i < FILES_MAX; i++)
		f.fd[i] = -1;
	r = open_files(spec, &f, e);
	if (r == 0)
		r = give_ram(spec, e);
	if (r == 0)
		r = qemu_command_init(spec, &command);
	if (r == 0)
		r = open_pairs(&f, &engine);
	if (r == 0)
		r = enter(spec, &f, cgroup, command.argv, &engine, e);
	if (r < 0) {
		engine_fini(&engine);
		return err_set(e, r,
			       "cannot start QEMU: %s; see caponier "
			       "doctor",
			       err_text(NULL, r));
	}
	engine.ops = &engine_qemu;
	engine.state_fd = fd_take(&f.state);
	*ret = engine;
	return 0;
}

/* In a process that is root in its namespaces, as the shim is. */
static int try_caged(const char *root, uint32_t uid)
{
	static char *const argv[] = { (char *)(uintptr_t)QEMU_PROGRAM_TCG,
				      (char *)(uintptr_t)"--version", NULL };
	static char *const envp[] = { NULL };
	/* QEMU raises a soft limit of files to the hard one, which our filter
	 * takes for an attack: as in a real cage they are equal. */
	static const struct step_limit limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, NOFILE_MAX },
	};
	static const struct step_access access[] = { { "/", true, false } };
	CLEANUP(fd_close) int nobody = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP(fd_close) int pid_fd = -1;
	const struct jail_spec jail = {
		.root = root,
		.stderr_fd = nobody,
		.limits = limits,
		.limit_count = ARRAY_LEN(limits),
		.access = access,
		.access_count = ARRAY_LEN(access),
		.filter = &qemu_filter,
		.host_uid = uid,
		.program = argv[0],
		.argv = argv,
		.envp = envp,
	};
	int status = 0;
	pid_t pid = -1;

	TRY(jail_spawn(&jail, &pid, &pid_fd, NULL));
	if (waitpid(pid, &status, 0) < 0)
		return neg_errno();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int qemu_try(const char *root, struct err *e)
{
	uint32_t uid = geteuid() == 0 ? TRIAL_UID : 0;
	CLEANUP(fd_close) int pid_fd = -1;
	int status = 0;
	pid_t pid = confine_fork(&pid_fd, e);

	if (pid == 0)
		_exit(try_caged(root, uid) < 0);
	TRY(pid);
	if (waitpid(pid, &status, 0) < 0)
		return neg_errno();
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, -EIO,
		       "cannot run QEMU in its jail (status %x); caponier run "
		       "-- true says which step fails",
		       (unsigned)status);
}

const struct engine_ops engine_qemu = {
	.name = "qemu",
	.spawn = qemu_spawn,
	.start = qemu_start,
	.save = qemu_save,
	.fini = qemu_fini,
};

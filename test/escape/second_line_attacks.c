// SPDX-License-Identifier: Apache-2.0
// Attacks on what stands behind the system-call filter: each with real
// arguments, returning 0 or more if it gained something, -errno if not.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "second_line.h"

static int result(long r)
{
	return r < 0 ? neg_errno() : 0;
}

/* Files and mounts */

static int read_canary(const struct targets *t)
{
	return result(open(t->canary, O_RDONLY));
}

static int read_canary_by_dots(const struct targets *t)
{
	char path[sizeof(t->canary) + 32];

	(void)snprintf(path, sizeof(path), "../../../../../../../../%s",
		       t->canary);
	return result(open(path, O_RDONLY));
}

static int read_own_proc(const struct targets *t)
{
	(void)t;
	return result(open("/proc/self/mem", O_RDWR));
}

/* The root of the file system by its inode number: all of it, if it works. */
static int open_root_by_handle(const struct targets *t)
{
	struct {
		struct file_handle head;
		uint32_t inode;
		uint32_t generation;
	} handle = {
		.head = { .handle_bytes = 8, .handle_type = 1 },
		.inode = (uint32_t)t->root_inode,
	};
	int dir = open("/", O_RDONLY | O_DIRECTORY);

	if (dir < 0)
		return neg_errno();
	return result(open_by_handle_at(dir, &handle.head, O_RDONLY));
}

static int make_device(const struct targets *t)
{
	(void)t;
	return result(mknod("/tmp/mem", S_IFCHR | 0600, 257));
}

static int make_file(const struct targets *t)
{
	(void)t;
	return result(open("/usr/bin/new", O_CREAT | O_WRONLY, 0700));
}

/* Not the one that runs: that would be busy whatever the mount says. */
static int overwrite_program(const struct targets *t)
{
	(void)t;
	return result(open(IN_CAGE_SUID, O_WRONLY));
}

static int make_writable(const struct targets *t)
{
	(void)t;
	return result(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

/* With every capability that can be had: in a user namespace of its own. */
static int regain(int more)
{
	return result(unshare(CLONE_NEWUSER | more));
}

static int mount_with_capabilities(const struct targets *t)
{
	(void)t;
	TRY(regain(CLONE_NEWNS));
	return result(mount("none", "/", "tmpfs", 0, NULL));
}

static int remount_with_capabilities(const struct targets *t)
{
	TRY(regain(CLONE_NEWNS));
	return make_writable(t);
}

static int unmount_with_capabilities(const struct targets *t)
{
	(void)t;
	TRY(regain(CLONE_NEWNS));
	return result(umount2("/", MNT_DETACH));
}

/* Landlock has no word on cloning a mount, only on attaching it. */
static int clear_flags_of_clone_with_capabilities(const struct targets *t)
{
	struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	int fd = -1;

	(void)t;
	TRY(regain(CLONE_NEWNS));
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE);
	if (fd < 0)
		return neg_errno();
	return result(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH,
			      &writable, sizeof(writable)));
}

static int attach_clone_with_capabilities(const struct targets *t)
{
	int fd = -1;

	(void)t;
	TRY(regain(CLONE_NEWNS));
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE);
	if (fd < 0)
		return neg_errno();
	return result(syscall(SYS_move_mount, fd, "", AT_FDCWD, "/",
			      MOVE_MOUNT_F_EMPTY_PATH));
}

static int open_handle_with_capabilities(const struct targets *t)
{
	TRY(regain(CLONE_NEWNS));
	return open_root_by_handle(t);
}

static int climb_out_of_chroot(const struct targets *t)
{
	int dir = open("/", O_PATH | O_DIRECTORY);

	TRY(regain(0));
	if (dir < 0 || chroot("/") < 0 || fchdir(dir) < 0)
		return neg_errno();
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	(void)!chroot(".");
	return read_canary(t);
}

static int climb_from_descriptor(const struct targets *t)
{
	(void)t;
	return result(openat(FD_BASE, "..", O_PATH | O_DIRECTORY));
}

static int write_base(const struct targets *t)
{
	(void)t;
	return result(pwrite(FD_BASE, "x", 1, 0));
}

static int write_base_by_map(const struct targets *t)
{
	void *at = mmap(NULL, BASE_DISK_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED, FD_BASE, 0);

	(void)t;
	return at == MAP_FAILED ? neg_errno() : 0;
}

static int write_base_by_protect(const struct targets *t)
{
	void *at = mmap(NULL, BASE_DISK_BYTES, PROT_READ, MAP_SHARED, FD_BASE,
			0);

	(void)t;
	if (at == MAP_FAILED)
		return neg_errno();
	return result(mprotect(at, BASE_DISK_BYTES, PROT_READ | PROT_WRITE));
}

static int reopen_base(const struct targets *t)
{
	(void)t;
	return result(open("/proc/self/fd/5", O_RDWR));
}

/* The program at that path is root's and set-uid, or would be. */
static int run_setuid(const struct targets *t)
{
	static char *const argv[] = { (char *)(uintptr_t)"suid", NULL };
	int status = 0;
	pid_t pid = fork();

	(void)t;
	if (pid == 0) {
		(void)execv(IN_CAGE_SUID, argv);
		_exit(255);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return neg_errno();
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 255)
		return -ENOENT;
	/* It exits with 0 if it is anybody else than we are. */
	return WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/* Processes */

static int signal_victim(const struct targets *t)
{
	return result(kill(t->victim, 0));
}

static int signal_everybody(const struct targets *t)
{
	(void)t;
	return result(kill(-1, SIGKILL));
}

static int open_victim(const struct targets *t)
{
	return result(syscall(SYS_pidfd_open, t->victim, 0));
}

static int trace_victim(const struct targets *t)
{
	return result(ptrace(PTRACE_SEIZE, t->victim, NULL, NULL));
}

static int read_victim(const struct targets *t)
{
	char secret[SECRET_BYTES];
	struct iovec to = { secret, sizeof(secret) };
	struct iovec from = { (void *)(uintptr_t)t->victim_secret,
			      sizeof(secret) };

	return result(process_vm_readv(t->victim, &to, 1, &from, 1, 0));
}

static int signal_by_socket(const struct targets *t)
{
	struct f_owner_ex owner = { F_OWNER_PID, t->victim };

	return result(fcntl(FD_WIRE, F_SETOWN_EX, &owner));
}

static int claim_to_be_root(const struct targets *t)
{
	struct ucred who = { .pid = t->victim };
	char byte = 'x';
	struct iovec bytes = { &byte, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(who))];
	} control = { .head = { .cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_CREDENTIALS,
				.cmsg_len = CMSG_LEN(sizeof(who)) } };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.room) };

	memcpy(CMSG_DATA(&control.head), &who, sizeof(who));
	return result(sendmsg(FD_WIRE, &message, 0));
}

static int become_root(const struct targets *t)
{
	(void)t;
	return result(setresuid(0, 0, 0));
}

static int change_groups(const struct targets *t)
{
	gid_t root = 0;

	(void)t;
	return result((int)syscall(SYS_setgroups, 1, &root));
}

static int regain_capabilities(const struct targets *t)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct all[2] = {
		{ ~0U, ~0U, ~0U },
		{ ~0U, ~0U, ~0U },
	};

	(void)t;
	return result(syscall(SYS_capset, &head, all));
}

static int raise_ambient(const struct targets *t)
{
	(void)t;
	return result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN,
			    0, 0));
}

/* Namespaces: those that were left behind must not obey. */

static int rename_with_capabilities(const struct targets *t)
{
	(void)t;
	TRY(regain(0));
	return result(sethostname("gained", 6));
}

static int raise_link_with_capabilities(const struct targets *t)
{
	struct ifreq link = { .ifr_name = "lo",
			      .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)t;
	TRY(regain(0));
	return fd < 0 ? neg_errno() : result(ioctl(fd, SIOCSIFFLAGS, &link));
}

static int enter_parent_user(const struct targets *t)
{
	int up = open("/proc/1/ns/user", O_RDONLY);

	(void)t;
	return up < 0 ? neg_errno() : result(setns(up, CLONE_NEWUSER));
}

static int read_key(const struct targets *t)
{
	return result(syscall(SYS_request_key, "user", t->key, NULL, 0));
}

static int attach_shared_memory(const struct targets *t)
{
	return result(shmget(t->shm_key, 0, 0));
}

static int open_queue(const struct targets *t)
{
	return result((int)mq_open(t->queue, O_RDONLY));
}

/* Network */

static int connect_to(const void *address, socklen_t len, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? neg_errno() : result(connect(fd, address, len));
}

static int connect_abstract(const struct targets *t)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(t->abstract);

	memcpy(a.sun_path + 1, t->abstract, len);
	return connect_to(&a, (socklen_t)(sizeof(a.sun_family) + 1 + len),
			  AF_UNIX);
}

static int connect_path(const struct targets *t)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path, t->unix_path, sizeof(t->unix_path));
	return connect_to(&a, sizeof(a), AF_UNIX);
}

static int connect_tcp(const struct targets *t)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(t->tcp_port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };

	return connect_to(&a, sizeof(a), AF_INET);
}

static int open_packet(const struct targets *t)
{
	(void)t;
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int open_raw(const struct targets *t)
{
	(void)t;
	return result(socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
}

/* The kernel */

static int load_bpf(const struct targets *t)
{
	/* BPF_PROG_LOAD of a tracing program: r0 = 0; exit */
	static const uint64_t code[] = { 0xb7, 0x95 };
	static const char licence[] = "GPL";
	uint64_t attr[16] = { 5 | (uint64_t)2 << 32, (uint64_t)(uintptr_t)code,
			      (uint64_t)(uintptr_t)licence };

	(void)t;
	return result(syscall(SYS_bpf, 5, attr, sizeof(attr)));
}

static int load_module(const struct targets *t)
{
	(void)t;
	return result(syscall(SYS_init_module, "x", 1UL, ""));
}

static int reboot_softly(const struct targets *t)
{
	(void)t; /* Ctrl-Alt-Del off: as it is nearly everywhere */
	return result(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
}

static int set_clock(const struct targets *t)
{
	struct timespec now = { 0 };

	(void)t;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return result(clock_settime(CLOCK_REALTIME, &now));
}

static int swap_on(const struct targets *t)
{
	(void)t;
	return result(swapon(IN_CAGE_PROGRAM, 0));
}

static int take_ports(const struct targets *t)
{
	(void)t;
	return result(syscall(SYS_ioperm, 0x80UL, 1UL, 1));
}

static int run_first(const struct targets *t)
{
	struct sched_param first = { .sched_priority = 1 };

	(void)t;
	return result(sched_setscheduler(0, SCHED_FIFO, &first));
}

/* Limits */

static int lock_memory(const struct targets *t)
{
	size_t len = 64 << 20;
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)t;
	return at == MAP_FAILED ? neg_errno() : result(mlock(at, len));
}

static int write_long_file(const struct targets *t)
{
	(void)t;
	(void)signal(SIGXFSZ, SIG_IGN);
	return result(pwrite(FD_LAYER, "x", 1, FILE_MAX_BYTES));
}

static int bear_children(const struct targets *t)
{
	(void)t;
	for (int i = 0; i < 4 * PROCESSES_MAX; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				(void)pause();
		if (pid < 0)
			return neg_errno();
	}
	return 0;
}

static int open_many(const struct targets *t)
{
	(void)t;
	for (int i = 0; i < 4 * FILES_MAX; i++) {
		if (dup(FD_WIRE) < 0)
			return neg_errno();
	}
	return 0;
}

/* Outlives its parent if anything can; the runner looks for survivors. */
static int survive(const struct targets *t)
{
	(void)t;
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		if (fork() != 0)
			return -ECHILD;
		(void)setsid();
		(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	}
	for (;;)
		(void)pause();
}

const struct attack attacks[] = {
	{ "A12", "read a file of the host", read_canary, { ENOENT }, true, 0 },
	{ "A12", "the same by ..", read_canary_by_dots, { ENOENT }, true, 0 },
	{ "A03",
	  "its own memory by /proc",
	  read_own_proc,
	  { ENOENT },
	  true,
	  0 },
	{ "A07",
	  "the file system's root by its handle",
	  open_root_by_handle,
	  { EPERM, EACCES, ESTALE, EOPNOTSUPP },
	  false,
	  0 },
	{ "A07",
	  "the same with capabilities regained",
	  open_handle_with_capabilities,
	  { EPERM, EACCES, ESTALE, EOPNOTSUPP },
	  false,
	  0 },
	{ "A08", "make a device", make_device, { EROFS, ENOENT }, false, 0 },
	{ "A13", "make a file", make_file, { EROFS, ENOENT }, false, 0 },
	{ "A13",
	  "overwrite a program",
	  overwrite_program,
	  { EROFS, EACCES, ENOENT },
	  false,
	  0 },
	{ "A04", "make its root writable", make_writable, { EPERM }, false, 0 },
	{ "A04",
	  "the same with capabilities regained",
	  remount_with_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "A04",
	  "mount over its root with capabilities",
	  mount_with_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "A04",
	  "unmount its root with capabilities",
	  unmount_with_capabilities,
	  { EPERM, EINVAL },
	  false,
	  0 },
	{ "A04",
	  "make a clone of its root writable",
	  clear_flags_of_clone_with_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "A04",
	  "attach a clone of its root",
	  attach_clone_with_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "A04",
	  "climb out of a chroot",
	  climb_out_of_chroot,
	  { ENOENT },
	  false,
	  0 },
	{ "B02",
	  "a directory through a descriptor",
	  climb_from_descriptor,
	  { ENOTDIR },
	  false,
	  true },
	{ "A13", "write a read-only disk", write_base, { EBADF }, false, true },
	{ "A13",
	  "map it for writing",
	  write_base_by_map,
	  { EACCES },
	  false,
	  true },
	{ "A13",
	  "make its mapping writable",
	  write_base_by_protect,
	  { EACCES },
	  false,
	  true },
	{ "A13", "open it again", reopen_base, { ENOENT }, false, true },
	{ "A10",
	  "gain by a set-uid program",
	  run_setuid,
	  { EPERM },
	  false,
	  true },
	{ "B04", "signal a process", signal_victim, { ESRCH }, true, 0 },
	{ "B04", "kill everybody", signal_everybody, { ESRCH }, false, 0 },
	{ "B03", "a pidfd of a process", open_victim, { ESRCH }, true, 0 },
	{ "B03", "trace a process", trace_victim, { ESRCH }, true, 0 },
	{ "B03", "read its memory", read_victim, { ESRCH }, true, 0 },
	{ "B04",
	  "signal it through a socket",
	  signal_by_socket,
	  { ESRCH },
	  false,
	  true },
	{ "C01",
	  "claim to be root on the wire",
	  claim_to_be_root,
	  { EPERM, ESRCH, EINVAL },
	  false,
	  true },
	{ "B11", "become root", become_root, { EINVAL, EPERM }, false, 0 },
	{ "B11", "change groups", change_groups, { EPERM, EINVAL }, false, 0 },
	{ "B11",
	  "regain capabilities",
	  regain_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "B11", "an ambient capability", raise_ambient, { EPERM }, false, 0 },
	{ "B05",
	  "rule its uts namespace with capabilities",
	  rename_with_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "B05",
	  "rule its network with capabilities",
	  raise_link_with_capabilities,
	  { EPERM },
	  false,
	  0 },
	{ "B05",
	  "enter another user namespace",
	  enter_parent_user,
	  { ENOENT },
	  false,
	  0 },
	{ "B09",
	  "a key of who started it",
	  read_key,
	  { ENOKEY, ENOSYS },
	  true,
	  0 },
	{ "C03",
	  "shared memory of the host",
	  attach_shared_memory,
	  { ENOENT },
	  true,
	  0 },
	{ "C03",
	  "a message queue of the host",
	  open_queue,
	  { ENOENT },
	  true,
	  0 },
	{ "C01",
	  "connect to an abstract socket",
	  connect_abstract,
	  { ECONNREFUSED },
	  true,
	  0 },
	{ "C02",
	  "connect to a socket by path",
	  connect_path,
	  { ENOENT },
	  true,
	  0 },
	{ "C06",
	  "connect to the host by TCP",
	  connect_tcp,
	  { EACCES, ENETUNREACH, ECONNREFUSED },
	  true,
	  0 },
	{ "C05", "a packet socket", open_packet, { EPERM }, false, 0 },
	{ "C05", "a raw socket", open_raw, { EPERM }, false, 0 },
	{ "B08",
	  "load a tracing program",
	  load_bpf,
	  { EPERM, ENOSYS },
	  false,
	  0 },
	{ "B08", "load a module", load_module, { EPERM, ENOSYS }, false, 0 },
	{ "B08", "reboot", reboot_softly, { EPERM, EINVAL }, false, 0 },
	{ "B08", "set the clock", set_clock, { EPERM }, false, 0 },
	{ "B08", "swap to a file", swap_on, { EPERM, ENOSYS }, false, 0 },
	{ "B08", "take an I/O port", take_ports, { EPERM, ENOSYS }, false, 0 },
	{ "D05", "run before everybody", run_first, { EPERM }, false, 0 },
	{ "D02",
	  "lock memory",
	  lock_memory,
	  { ENOMEM, EPERM, EAGAIN },
	  false,
	  0 },
	{ "D03",
	  "a file past its limit",
	  write_long_file,
	  { EFBIG },
	  false,
	  true },
	{ "D01",
	  "processes without end",
	  bear_children,
	  { EAGAIN },
	  false,
	  true },
	{ "D04",
	  "descriptors without end",
	  open_many,
	  { EMFILE },
	  false,
	  true },
	{ "B12", "outlive its cage", survive, { ECHILD }, false, 0 },
};
const size_t attack_count = ARRAY_LEN(attacks);

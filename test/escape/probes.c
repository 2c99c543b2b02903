// SPDX-License-Identifier: Apache-2.0
// Probes: each tries one forbidden thing from inside a cage.

#include "probes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct probe_fds probe_fds = { -1, -1, -1 };

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

static int try_open(const char *path, int flags)
{
	return result(open(path, flags | O_CLOEXEC, 0600));
}

/* A: files and mounts */

static int read_shadow(void)
{
	return try_open("/etc/shadow", O_RDONLY);
}

static int read_canary(void)
{
	return try_open("/tmp/caponier-escape-canary", O_RDONLY);
}

static int read_proc(void)
{
	return try_open("/proc/self/status", O_RDONLY);
}

static int read_kcore(void)
{
	return try_open("/proc/kcore", O_RDONLY);
}

static int write_sysctl(void)
{
	return try_open("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int open_sys(void)
{
	return try_open("/sys/kernel/uevent_helper", O_WRONLY);
}

static int open_mem(void)
{
	return try_open("/dev/mem", O_RDWR);
}

static int open_kvm(void)
{
	/* A mount point of that name is there, empty and unreadable. */
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : result(ioctl(fd, 0xae00, 0));
}

static int dot_dot(void)
{
	return try_open("/../../../../etc/passwd", O_RDONLY);
}

static int make_file(void)
{
	return try_open("/tmp/mine", O_CREAT | O_WRONLY);
}

static int make_file_in_usr(void)
{
	return try_open("/usr/bin/mine", O_CREAT | O_WRONLY);
}

static int overwrite_self(void)
{
	return try_open("/usr/bin/qemu-system-x86_64", O_WRONLY);
}

static int remove_self(void)
{
	return result(syscall(SYS_unlinkat, AT_FDCWD,
			      "/usr/bin/qemu-system-x86_64", 0));
}

#define SYSCALL_PROBE(name, ...)                                               \
	static int name(void)                                                  \
	{                                                                      \
		return result(syscall(__VA_ARGS__));                           \
	}

SYSCALL_PROBE(do_mount, SYS_mount, "none", "/tmp", "tmpfs", 0, NULL)
SYSCALL_PROBE(do_umount, SYS_umount2, "/", 2)
SYSCALL_PROBE(do_pivot, SYS_pivot_root, "/", "/")
SYSCALL_PROBE(do_chroot, SYS_chroot, "/tmp")
SYSCALL_PROBE(do_open_tree, SYS_open_tree, AT_FDCWD, "/", 1)
SYSCALL_PROBE(do_move_mount, SYS_move_mount, -1, "/", -1, "/tmp", 0)
SYSCALL_PROBE(do_fsopen, SYS_fsopen, "proc", 0)
SYSCALL_PROBE(do_mount_setattr, SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0)
SYSCALL_PROBE(do_mknod, SYS_mknodat, AT_FDCWD, "/tmp/mem", S_IFCHR | 0600, 257)
SYSCALL_PROBE(do_handle, SYS_open_by_handle_at, 3, NULL, 0)
SYSCALL_PROBE(do_symlink, SYS_symlinkat, "/etc", AT_FDCWD, "/tmp/etc")

/* B: processes and the kernel */

SYSCALL_PROBE(do_ptrace, SYS_ptrace, 16L, 1L, 0L, 0L)
SYSCALL_PROBE(do_vm_read, SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0)
SYSCALL_PROBE(do_pidfd_open, SYS_pidfd_open, 1, 0)
SYSCALL_PROBE(do_pidfd_getfd, SYS_pidfd_getfd, 3, 0, 0)
SYSCALL_PROBE(do_kill_all, SYS_kill, -1, SIGCONT)
SYSCALL_PROBE(do_kill_init, SYS_kill, 1, SIGKILL)
SYSCALL_PROBE(do_setns, SYS_setns, 3, 0)
SYSCALL_PROBE(do_unshare_user, SYS_unshare, CLONE_NEWUSER)
SYSCALL_PROBE(do_clone_user, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)
SYSCALL_PROBE(do_fork, SYS_clone, SIGCHLD, 0, 0, 0, 0)
SYSCALL_PROBE(do_vfork, SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)
SYSCALL_PROBE(do_bpf, SYS_bpf, 0, NULL, 0)
SYSCALL_PROBE(do_keyctl, SYS_keyctl, 0, 0)
SYSCALL_PROBE(do_add_key, SYS_add_key, "user", "x", "y", 1, -2)
SYSCALL_PROBE(do_userfaultfd, SYS_userfaultfd, 0)
SYSCALL_PROBE(do_perf, SYS_perf_event_open, NULL, 0, -1, -1, 0)
SYSCALL_PROBE(do_uring, SYS_io_uring_setup, 8, NULL)
SYSCALL_PROBE(do_uring_enter, SYS_io_uring_enter, 3, 0, 0, 0, NULL, 0)
SYSCALL_PROBE(do_module, SYS_init_module, NULL, 0, "")
SYSCALL_PROBE(do_finit_module, SYS_finit_module, 3, "", 0)
SYSCALL_PROBE(do_kexec, SYS_kexec_load, 0, 0, NULL, 0)
SYSCALL_PROBE(do_reboot, SYS_reboot, 0, 0, 0, NULL)
SYSCALL_PROBE(do_swapon, SYS_swapon, "/tmp", 0)
SYSCALL_PROBE(do_acct, SYS_acct, "/tmp")
SYSCALL_PROBE(do_iopl, SYS_iopl, 3)
SYSCALL_PROBE(do_ioperm, SYS_ioperm, 0, 1, 1)
SYSCALL_PROBE(do_modify_ldt, SYS_modify_ldt, 0, NULL, 0)
SYSCALL_PROBE(do_settime, SYS_clock_settime, 0, NULL)
SYSCALL_PROBE(do_adjtime, SYS_adjtimex, NULL)
SYSCALL_PROBE(do_sethostname, SYS_sethostname, "gained", 6)
SYSCALL_PROBE(do_syslog, SYS_syslog, 3, NULL, 0)
SYSCALL_PROBE(do_setuid, SYS_setresuid, 0, 0, 0)
SYSCALL_PROBE(do_setgroups, SYS_setgroups, 0, NULL)
SYSCALL_PROBE(do_capset, SYS_capset, NULL, NULL)
SYSCALL_PROBE(do_personality, SYS_personality, 0x0400000)
SYSCALL_PROBE(do_execveat, SYS_execveat, 3, "", NULL, NULL, 0x1000)
SYSCALL_PROBE(do_shm, SYS_shmget, 0x1234, 4096, 0)
SYSCALL_PROBE(do_msg, SYS_msgget, 0x1234, 0)
SYSCALL_PROBE(do_mq, SYS_mq_open, "x", 0, 0, NULL)
SYSCALL_PROBE(do_inotify, SYS_inotify_init1, 0)
SYSCALL_PROBE(do_fanotify, SYS_fanotify_init, 0, 0)
SYSCALL_PROBE(do_priority, SYS_setpriority, 0, 0, -20)

static int run_shell(void)
{
	static char *const argv[] = { (char *)(uintptr_t)"sh", NULL };

	(void)execve("/bin/sh", argv, argv + 1);
	return -errno;
}

static int regain_ambient(void)
{
	return result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
}

static int unlock_securebits(void)
{
	return result(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
}

static int allow_new_privs(void)
{
	return result(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static int old_abi(void)
{
	long r = -1;

	/* getpid by the 32-bit gate: another architecture for the filter. */
	__asm__ volatile("int $0x80" : "=a"(r) : "0"(20) : "memory");
	return (int)r;
}

static int x32_abi(void)
{
	return result(syscall(0x40000000L + SYS_getpid));
}

static int signal_neighbour(void)
{
	return result(syscall(SYS_tgkill, 2, 2, SIGKILL));
}

/* C: network and other sandboxes */

SYSCALL_PROBE(inet_socket, SYS_socket, AF_INET, SOCK_STREAM, 0)
SYSCALL_PROBE(inet6_socket, SYS_socket, AF_INET6, SOCK_STREAM, 0)
SYSCALL_PROBE(unix_socket, SYS_socket, AF_UNIX, SOCK_STREAM, 0)
SYSCALL_PROBE(netlink_socket, SYS_socket, AF_NETLINK, SOCK_RAW, 0)
SYSCALL_PROBE(packet_socket, SYS_socket, AF_PACKET, SOCK_RAW, 0)
SYSCALL_PROBE(vsock_socket, SYS_socket, AF_VSOCK, SOCK_STREAM, 0)
SYSCALL_PROBE(alg_socket, SYS_socket, AF_ALG, SOCK_SEQPACKET, 0)
SYSCALL_PROBE(raw_socket, SYS_socket, AF_INET, SOCK_RAW, 1)

static int connect_wire(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX,
				 .sun_path = "\0caponier-escape-canary" };

	return result(
		connect(probe_fds.wire, (struct sockaddr *)&a, sizeof(a)));
}

static int bind_wire(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX,
				 .sun_path = "\0caponier-escape-bound" };

	return result(bind(probe_fds.wire, (struct sockaddr *)&a, sizeof(a)));
}

/* D: limits and what it was handed */

static int write_base(void)
{
	return result(pwrite(probe_fds.base_disk, "x", 1, 0));
}

static int truncate_base(void)
{
	return result(ftruncate(probe_fds.base_disk, 0));
}

static int punch_base(void)
{
	return result(fallocate(probe_fds.base_disk, 3, 0, 4096));
}

static int map_base(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			probe_fds.base_disk, 0);

	return at == MAP_FAILED ? -errno : 0;
}

static int reopen_base(void)
{
	return result(
		openat(probe_fds.base_disk, "../../../etc/passwd", O_RDONLY));
}

static int grow_layer(void)
{
	(void)signal(SIGXFSZ, SIG_IGN);
	return result(pwrite(probe_fds.layer, "x", 1, (off_t)1 << 42));
}

static int steal_terminal(void)
{
	char byte = 'x';

	return result(ioctl(STDERR_FILENO, TIOCSTI, &byte));
}

static int idle_thread(void *unused)
{
	const struct timespec long_time = { .tv_sec = 100 };

	(void)unused;
	while (syscall(SYS_nanosleep, &long_time, NULL) <= 0)
		;
	return 0;
}

/* Threads until the limit; a thousand would be no limit. Made with the very
 * flags of pthread_create(): the filter knows no others. */
static int thread_bomb(void)
{
	static char threads_own[8192]; /* never used: they only sleep */

	for (int i = 0; i < 1000; i++) {
		char *stack = mmap(NULL, 16384, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (stack == MAP_FAILED)
			return -errno;
		if (clone(idle_thread, stack + 16384,
			  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				  CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
				  CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
			  NULL, threads_own, threads_own + 4096,
			  threads_own + 8) < 0)
			return -errno;
	}
	return 0;
}

static int descriptor_bomb(void)
{
	for (int i = 0; i < 100000; i++) {
		if (dup(STDERR_FILENO) < 0)
			return -errno;
	}
	return 0;
}

const struct probe_row probe_rows[] = {
	{ "A01", "write a sysctl", write_sysctl, "both" },
	{ "A02", "write below /sys", open_sys, "both" },
	{ "A03", "read /proc/kcore", read_kcore, "both" },
	{ "A03", "read /proc/self", read_proc, "both" },
	{ "A04", "mount a file system", do_mount, "both" },
	{ "A04", "unmount its root", do_umount, "both" },
	{ "A04", "pivot_root", do_pivot, "both" },
	{ "A04", "chroot", do_chroot, "both" },
	{ "A04", "open_tree", do_open_tree, "both" },
	{ "A04", "move_mount", do_move_mount, "both" },
	{ "A04", "fsopen", do_fsopen, "both" },
	{ "A04", "mount_setattr", do_mount_setattr, "both" },
	{ "A07", "open_by_handle_at", do_handle, "both" },
	{ "A08", "make a device node", do_mknod, "both" },
	{ "A09", "open /dev/mem", open_mem, "both" },
	{ "A09", "use /dev/kvm under TCG", open_kvm, "both" },
	{ "A12", "read /etc/shadow", read_shadow, "both" },
	{ "A12", "read a canary of the host", read_canary, "both" },
	{ "A12", "climb out by ..", dot_dot, "both" },
	{ "A12", "make a symbolic link", do_symlink, "both" },
	{ "A13", "make a file in /tmp", make_file, "both" },
	{ "A13", "make a file in /usr/bin", make_file_in_usr, "both" },
	{ "A13", "write a read-only disk", write_base, "qemu" },
	{ "A13", "truncate a read-only disk", truncate_base, "qemu" },
	{ "A13", "punch a hole into a read-only disk", punch_base, "qemu" },
	{ "A13", "map a read-only disk for writing", map_base, "qemu" },
	{ "B01", "overwrite its own program", overwrite_self, "both" },
	{ "B01", "remove its own program", remove_self, "both" },
	{ "B02", "reach a path through a descriptor", reopen_base, "qemu" },
	{ "B03", "ptrace", do_ptrace, "both" },
	{ "B03", "read another's memory", do_vm_read, "both" },
	{ "B03", "pidfd_open", do_pidfd_open, "both" },
	{ "B03", "pidfd_getfd", do_pidfd_getfd, "both" },
	{ "B04", "signal everybody", do_kill_all, "both" },
	{ "B04", "kill process 1", do_kill_init, "both" },
	{ "B04", "signal a neighbour", signal_neighbour, "qemu" },
	{ "B05", "setns", do_setns, "both" },
	{ "B05", "unshare a user namespace", do_unshare_user, "both" },
	{ "B05", "clone into a user namespace", do_clone_user, "both" },
	{ "B05", "fork", do_fork, "both" },
	{ "B05", "vfork", do_vfork, "both" },
	{ "B06", "the 32-bit gate", old_abi, "both" },
	{ "B06", "the x32 gate", x32_abi, "both" },
	{ "B07", "io_uring_setup", do_uring, "both" },
	{ "B07", "io_uring_enter", do_uring_enter, "both" },
	{ "B08", "bpf", do_bpf, "both" },
	{ "B08", "perf_event_open", do_perf, "both" },
	{ "B08", "userfaultfd", do_userfaultfd, "both" },
	{ "B08", "init_module", do_module, "both" },
	{ "B08", "finit_module", do_finit_module, "both" },
	{ "B08", "kexec_load", do_kexec, "both" },
	{ "B08", "reboot", do_reboot, "both" },
	{ "B08", "swapon", do_swapon, "both" },
	{ "B08", "acct", do_acct, "both" },
	{ "B08", "iopl", do_iopl, "both" },
	{ "B08", "ioperm", do_ioperm, "both" },
	{ "B08", "modify_ldt", do_modify_ldt, "both" },
	{ "B08", "set the clock", do_settime, "both" },
	{ "B08", "adjust the clock", do_adjtime, "both" },
	{ "B08", "set the host name", do_sethostname, "both" },
	{ "B08", "read the kernel's log", do_syslog, "both" },
	{ "B08", "personality", do_personality, "both" },
	{ "B09", "keyctl", do_keyctl, "both" },
	{ "B09", "add_key", do_add_key, "both" },
	{ "B10", "type into a terminal", steal_terminal, "both" },
	{ "B11", "become root", do_setuid, "both" },
	{ "B11", "change groups", do_setgroups, "both" },
	{ "B11", "capset", do_capset, "both" },
	{ "B11", "raise an ambient capability", regain_ambient, "both" },
	{ "B11", "unlock securebits", unlock_securebits, "both" },
	{ "B11", "clear no_new_privs", allow_new_privs, "both" },
	{ "B14", "run a shell", run_shell, "both" },
	{ "B14", "run a descriptor", do_execveat, "both" },
	{ "C01", "connect to an abstract socket", connect_wire, "both" },
	{ "C01", "bind an abstract socket", bind_wire, "both" },
	{ "C03", "System V shared memory", do_shm, "both" },
	{ "C03", "System V messages", do_msg, "both" },
	{ "C03", "POSIX message queue", do_mq, "both" },
	{ "C04", "netlink socket", netlink_socket, "both" },
	{ "C05", "packet socket", packet_socket, "both" },
	{ "C05", "raw socket", raw_socket, "both" },
	{ "C05", "vsock socket", vsock_socket, "both" },
	{ "C05", "kernel crypto socket", alg_socket, "both" },
	{ "C06", "IPv4 socket", inet_socket, "both" },
	{ "C06", "IPv6 socket", inet6_socket, "both" },
	{ "C06", "unix socket", unix_socket, "both" },
	{ "D01", "threads without end", thread_bomb, "both" },
	{ "D03", "grow its layer past the limit", grow_layer, "qemu" },
	{ "D04", "descriptors without end", descriptor_bomb, "both" },
	{ "D04", "inotify", do_inotify, "both" },
	{ "D04", "fanotify", do_fanotify, "both" },
	{ "D05", "raise its priority", do_priority, "both" },
};
const size_t probe_count = sizeof(probe_rows) / sizeof(probe_rows[0]);

// SPDX-License-Identifier: Apache-2.0
// Signals by the names clients and E2B's SDKs know them.

#include "agent/signals.h"

#include <signal.h>

/* The texts are those of Go's os.ProcessState, which E2B's agent prints. */
static const struct {
	int number;
	const char *name;
	const char *text;
} signals[] = {
	{ SIGHUP, "SIGNAL_SIGHUP", "hangup" },
	{ SIGINT, "SIGNAL_SIGINT", "interrupt" },
	{ SIGQUIT, "SIGNAL_SIGQUIT", "quit" },
	{ SIGILL, "SIGNAL_SIGILL", "illegal instruction" },
	{ SIGTRAP, "SIGNAL_SIGTRAP", "trace/breakpoint trap" },
	{ SIGABRT, "SIGNAL_SIGABRT", "aborted" },
	{ SIGBUS, "SIGNAL_SIGBUS", "bus error" },
	{ SIGFPE, "SIGNAL_SIGFPE", "floating point exception" },
	{ SIGKILL, "SIGNAL_SIGKILL", "killed" },
	{ SIGUSR1, "SIGNAL_SIGUSR1", "user defined signal 1" },
	{ SIGSEGV, "SIGNAL_SIGSEGV", "segmentation fault" },
	{ SIGUSR2, "SIGNAL_SIGUSR2", "user defined signal 2" },
	{ SIGPIPE, "SIGNAL_SIGPIPE", "broken pipe" },
	{ SIGALRM, "SIGNAL_SIGALRM", "alarm clock" },
	{ SIGTERM, "SIGNAL_SIGTERM", "terminated" },
	{ SIGSTKFLT, "SIGNAL_SIGSTKFLT", "stack fault" },
	{ SIGCHLD, "SIGNAL_SIGCHLD", "child exited" },
	{ SIGCONT, "SIGNAL_SIGCONT", "continued" },
	{ SIGSTOP, "SIGNAL_SIGSTOP", "stopped (signal)" },
	{ SIGTSTP, "SIGNAL_SIGTSTP", "stopped" },
	{ SIGTTIN, "SIGNAL_SIGTTIN", "stopped (tty input)" },
	{ SIGTTOU, "SIGNAL_SIGTTOU", "stopped (tty output)" },
	{ SIGURG, "SIGNAL_SIGURG", "urgent I/O condition" },
	{ SIGXCPU, "SIGNAL_SIGXCPU", "CPU time limit exceeded" },
	{ SIGXFSZ, "SIGNAL_SIGXFSZ", "file size limit exceeded" },
	{ SIGVTALRM, "SIGNAL_SIGVTALRM", "virtual timer expired" },
	{ SIGPROF, "SIGNAL_SIGPROF", "profiling timer expired" },
	{ SIGWINCH, "SIGNAL_SIGWINCH", "window changed" },
	{ SIGIO, "SIGNAL_SIGIO", "I/O possible" },
	{ SIGPWR, "SIGNAL_SIGPWR", "power failure" },
	{ SIGSYS, "SIGNAL_SIGSYS", "bad system call" },
};

int signal_parse(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (span_is(name, signals[i].name))
			return signals[i].number;
	}
	return -EINVAL;
}

const char *signal_text(int signal)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (signals[i].number == signal)
			return signals[i].text;
	}
	return NULL;
}

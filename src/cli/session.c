// SPDX-License-Identifier: Apache-2.0
// One command in one sandbox: the loop, the control channel, the signals.

#include "cli/session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/session_parts.h"
#include "wire/base64.h"

/* How long the reason of a sandbox's end may take to come. */
#define LAST_WORD_MAX_NS (5 * NS_PER_S)

/* Signals that are the command's, not ours. */
static const struct {
	int number;
	const char *name;
} passed[] = {
	{ SIGINT, "SIGNAL_SIGINT" },   { SIGTERM, "SIGNAL_SIGTERM" },
	{ SIGHUP, "SIGNAL_SIGHUP" },   { SIGQUIT, "SIGNAL_SIGQUIT" },
	{ SIGUSR1, "SIGNAL_SIGUSR1" }, { SIGUSR2, "SIGNAL_SIGUSR2" },
};

void session_fail(struct session *s, int code)
{
	if (s->code == 0)
		s->code = code;
	ev_stop(&s->loop);
}

void session_ended(struct session *s)
{
	ev_stop(&s->loop);
}

static void on_no_last_word(struct ev_timer *timer)
{
	struct session *s = timer->owner;

	session_fail(s, err_set(s->e, -EPROTO,
				"cannot go on with the command: the sandbox's "
				"agent broke its protocol; it is not to be "
				"trusted, start another"));
}

void session_await_end(struct session *s)
{
	ev_timer_set(&s->loop, &s->last_word,
		     clock_boot_ns() + LAST_WORD_MAX_NS, on_no_last_word, s);
}

int session_headers(const struct session *s, struct buf *out, const char *type)
{
	CLEANUP(buf_fini) struct buf user = BUF_EMPTY(512);
	CLEANUP(buf_fini) struct buf basic = BUF_EMPTY(1024);

	TRY(buf_printf(&user, "%s:", s->request->user));
	TRY(buf_put_str(&basic, "Basic "));
	TRY(base64_put(&basic, buf_span(&user)));
	TRY(http_put_header(out, "Host", span_str("sandbox")));
	TRY(http_put_header(out, "X-Access-Token", span_str(s->token)));
	TRY(http_put_header(out, "Authorization", buf_span(&basic)));
	TRY(http_put_header(out, "Connect-Protocol-Version", span_str("1")));
	return http_put_header(out, "Content-Type", span_str(type));
}

static void on_ready(struct session *s, const struct control_message *m)
{
	s->result->boot_ms = m->boot_ms;
	s->result->create_ms =
		(unsigned)((clock_boot_ns() - s->start_ns) / NS_PER_MS);
	files_start(s);
}

static void on_sandbox_end(struct session *s, const struct control_message *m)
{
	s->has_ended = true;
	s->result->cause = m->cause;
	(void)snprintf(s->result->detail, sizeof(s->result->detail), "%s",
		       m->detail);
	ev_stop(&s->loop);
}

static void on_control(struct ev_io *io, uint32_t events)
{
	struct session *s = io->owner;
	struct control_message *m = mem_new(1, sizeof(*m));

	(void)events;
	if (m == NULL || launch_read(s->sandbox, m) < 0) {
		session_fail(s, err_set(s->e, -EPROTO,
					"cannot follow the sandbox: its shim "
					"does not speak our protocol; run "
					"./dev build or install again"));
	} else if (m->event == CONTROL_READY) {
		on_ready(s, m);
	} else if (m->event == CONTROL_ENDED) {
		on_sandbox_end(s, m);
	} else if (m->event == CONTROL_LOST) {
		m->cause = CAUSE_HOST;
		(void)snprintf(m->detail, sizeof(m->detail),
			       "the sandbox's keeper was killed from outside");
		on_sandbox_end(s, m);
	}
	mem_free(m);
}

static void pass_signal(struct session *s, int number)
{
	struct winsize size = { 0 };

	if (number == SIGWINCH) {
		if (!s->request->wants_pty ||
		    ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
			return;
		calls_put(s, "Update",
			  "{\"process\":{\"pid\":%llu},\"pty\":{\"size\":"
			  "{\"cols\":%u,\"rows\":%u}}}",
			  (unsigned long long)s->pid, size.ws_col, size.ws_row);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		if (passed[i].number == number && s->pid != 0)
			calls_put(s, "SendSignal",
				  "{\"process\":{\"pid\":%llu},\"signal\":"
				  "\"%s\"}",
				  (unsigned long long)s->pid, passed[i].name);
	}
	/* Before the command runs there is nobody to pass it to. */
	if (s->pid == 0) {
		s->result->cause = CAUSE_KILLED;
		s->result->signal = number;
		s->has_ended = true;
		ev_stop(&s->loop);
	}
}

static void on_signal(struct ev_io *io, uint32_t events)
{
	struct session *s = io->owner;
	struct signalfd_siginfo got;

	(void)events;
	while (read(io->fd, &got, sizeof(got)) == (ssize_t)sizeof(got))
		pass_signal(s, (int)got.ssi_signo);
}

static int watch(struct session *s)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		(void)sigaddset(&set, passed[i].number);
	TRY(ev_signals(&s->loop, &s->signal_io, &set, on_signal, s));
	s->signal_fd = s->signal_io.fd;
	return ev_io_add(&s->loop, &s->control_io, s->sandbox->control_fd,
			 EPOLLIN, on_control, s);
}

static void session_free(struct session **at)
{
	struct session *s = *at;

	if (s == NULL)
		return;
	feed_fini(s);
	calls_fini(s);
	files_fini(s);
	stream_fini(s);
	ev_timer_del(&s->last_word);
	ev_io_del(&s->control_io);
	ev_io_del(&s->signal_io);
	fd_close(&s->signal_fd);
	ev_fini(&s->loop);
	mem_free(s);
}

int session_run(struct launched *sandbox, const char *token,
		const struct session_request *request, uint64_t start_ns,
		struct session_result *ret, struct err *e)
{
	CLEANUP(session_free) struct session *s = mem_new(1, sizeof(*s));

	*ret = (struct session_result){ .exit_code = -1 };
	if (s == NULL)
		return -ENOMEM;
	s->loop = EV_CLOSED;
	s->sandbox = sandbox;
	s->token = token;
	s->request = request;
	s->result = ret;
	s->e = e;
	s->start_ns = start_ns;
	s->signal_fd = -1;
	s->file_fd = -1;
	s->files.fd = -1;
	s->stream.fd = -1;
	s->feed.fd = -1;
	s->calls.fd = -1;
	s->out.fd = -1;
	s->err_out.fd = -1;
	TRY(ev_init(&s->loop));
	TRY(watch(s));
	TRY(ev_run(&s->loop));
	return s->code;
}

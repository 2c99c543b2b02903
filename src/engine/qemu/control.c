// SPDX-License-Identifier: Apache-2.0
// Driving one QEMU over its machine protocol.

#include "engine/qemu/control.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/qemu/qmp.h"

static struct qemu_driver *driver_of(struct engine *engine)
{
	return engine->driver;
}

static void stopping(struct engine *engine, const char *detail)
{
	ev_io_set(&engine->control_io, 0);
	engine->events->on_stopping(engine, CAUSE_ENGINE_FAILED, detail);
}

static struct qemu_step *add_step(struct qemu_driver *d, enum qemu_wait wait,
				  const char *fmt, ...) PRINTF(3, 4);

static struct qemu_step *add_step(struct qemu_driver *d, enum qemu_wait wait,
				  const char *fmt, ...)
{
	struct qemu_step *step = &d->steps[d->step_count++];
	va_list ap;

	*step = (struct qemu_step){ .wait = wait };
	va_start(ap, fmt);
	(void)vsnprintf(step->command, sizeof(step->command), fmt, ap);
	va_end(ap);
	return step;
}

/* One control message with the state file's descriptor attached. */
static ssize_t send_with_fd(int socket_fd, struct span line, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)line.ptr,
			     .iov_len = line.len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n = 0;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	n = sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
	return n < 0 ? neg_errno() : n;
}

static void send_next(struct engine *engine)
{
	struct qemu_driver *d = driver_of(engine);
	struct qemu_step *step = &d->steps[d->next];
	struct span line = span_str(step->command);
	ssize_t n = 0;

	if (d->next == d->step_count)
		return;
	d->next++;
	d->wait = step->wait;
	d->is_waiting_reply = true;
	if (step->sends_state_fd)
		n = send_with_fd(engine->control_fd, line, engine->state_fd);
	else
		n = fd_write(engine->control_fd, line);
	/* A line is far smaller than a socket's buffer, and one is under way
	 * at a time: a short write means that QEMU is broken. */
	if (n != (ssize_t)line.len)
		stopping(engine, "QEMU does not take commands");
}

static void script_done(struct engine *engine)
{
	struct qemu_driver *d = driver_of(engine);

	if (d->is_saving)
		engine->events->on_saved(engine);
	else
		engine->events->on_running(engine);
}

static void step_done(struct engine *engine)
{
	struct qemu_driver *d = driver_of(engine);

	if (d->next == d->step_count)
		script_done(engine);
	else
		send_next(engine);
}

static void on_return(struct engine *engine)
{
	struct qemu_driver *d = driver_of(engine);

	if (!d->is_waiting_reply) {
		stopping(engine, "QEMU answered a command nobody sent");
		return;
	}
	d->is_waiting_reply = false;
	if (d->wait == QEMU_WAIT_REPLY)
		step_done(engine);
}

static void awaited(struct engine *engine, enum qemu_wait wait)
{
	struct qemu_driver *d = driver_of(engine);

	if (d->wait != wait)
		return;
	d->wait = QEMU_WAIT_REPLY;
	/* The event may come before the command's own reply. */
	if (!d->is_waiting_reply)
		step_done(engine);
}

static void on_resume(struct engine *engine, json_t *payload)
{
	(void)payload;
	awaited(engine, QEMU_WAIT_RESUME);
}

static void on_migration(struct engine *engine, json_t *payload)
{
	const char *status =
		json_string_value(json_object_get(payload, "status"));

	if (status == NULL || strcmp(status, "failed") == 0)
		stopping(engine, "QEMU could not move the device state");
	else if (strcmp(status, "completed") == 0)
		awaited(engine, QEMU_WAIT_MIGRATED);
}

static void on_shutdown(struct engine *engine, json_t *payload)
{
	struct qemu_driver *d = driver_of(engine);
	const char *reason =
		json_string_value(json_object_get(payload, "reason"));

	(void)snprintf(d->stop_detail, sizeof(d->stop_detail),
		       "the guest stopped (%s)",
		       reason != NULL ? reason : "no reason given");
	stopping(engine, d->stop_detail);
}

static const struct {
	const char *name;
	void (*fn)(struct engine *engine, json_t *payload);
} event_table[] = {
	{ "RESUME", on_resume },
	{ "MIGRATION", on_migration },
	{ "SHUTDOWN", on_shutdown },
};

static void on_event(struct engine *engine, const struct qmp_message *message)
{
	for (size_t i = 0; i < ARRAY_LEN(event_table); i++) {
		if (strcmp(message->name, event_table[i].name) == 0) {
			event_table[i].fn(engine, message->payload);
			return;
		}
	}
}

static void on_message(struct engine *engine, const struct qmp_message *message)
{
	struct qemu_driver *d = driver_of(engine);

	switch (message->type) {
	case QMP_GREETING:
		if (d->has_greeting) {
			stopping(engine, "QEMU greeted twice");
			return;
		}
		d->has_greeting = true;
		send_next(engine);
		return;
	case QMP_RETURN:
		on_return(engine);
		return;
	case QMP_ERROR:
		(void)snprintf(d->stop_detail, sizeof(d->stop_detail),
			       "QEMU refused a command: %s", message->name);
		stopping(engine, d->stop_detail);
		return;
	case QMP_EVENT:
		on_event(engine, message);
		return;
	}
}

static bool is_open(const struct engine *engine)
{
	return engine->control_io.events != 0;
}

static void on_readable(struct ev_io *io, uint32_t events)
{
	struct engine *engine = io->owner;
	struct qemu_driver *d = driver_of(engine);
	ssize_t n = 0;

	(void)events;
	n = buf_reserve(&d->in, 4096);
	if (n == 0)
		n = fd_read(engine->control_fd, d->in.ptr + d->in.len, 4096);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		stopping(engine, "QEMU closed its control connection");
		return;
	}
	d->in.len += (size_t)n;
	while (is_open(engine)) {
		struct qmp_message message = { 0 };
		int r = qmp_next(&d->in, &message);

		if (r < 0)
			stopping(engine, "QEMU does not speak its protocol");
		if (r <= 0)
			return;
		on_message(engine, &message);
		qmp_message_fini(&message);
	}
}

/* Restored: RAM is mapped already, only the device state is taken in. */
static void script_restore(struct qemu_driver *d,
			   const struct sandbox_spec *spec)
{
	(void)add_step(d, QEMU_WAIT_REPLY,
		       "{\"execute\":\"migrate-set-capabilities\",\"arguments\""
		       ":{\"capabilities\":[{\"capability\":"
		       "\"x-ignore-shared\",\"state\":true}]}}\n");
	add_step(d, QEMU_WAIT_REPLY,
		 "{\"execute\":\"getfd\",\"arguments\":"
		 "{\"fdname\":\"state\"}}\n")
		->sends_state_fd = true;
	(void)add_step(d, QEMU_WAIT_RESUME,
		       "{\"execute\":\"migrate-incoming\",\"arguments\":"
		       "{\"uri\":\"fd:state\"}}\n");
	if (spec->disk_mib > spec->base_disk_mib)
		(void)add_step(d, QEMU_WAIT_REPLY,
			       "{\"execute\":\"block_resize\",\"arguments\":"
			       "{\"node-name\":\"root\",\"size\":%" PRIu64
			       "}}\n",
			       (uint64_t)spec->disk_mib << 20);
}

static void script_save(struct qemu_driver *d)
{
	(void)add_step(d, QEMU_WAIT_REPLY,
		       "{\"execute\":\"migrate-set-capabilities\",\"arguments\""
		       ":{\"capabilities\":[{\"capability\":"
		       "\"x-ignore-shared\",\"state\":true},{\"capability\":"
		       "\"events\",\"state\":true}]}}\n");
	add_step(d, QEMU_WAIT_REPLY,
		 "{\"execute\":\"getfd\",\"arguments\":"
		 "{\"fdname\":\"state\"}}\n")
		->sends_state_fd = true;
	(void)add_step(d, QEMU_WAIT_MIGRATED,
		       "{\"execute\":\"migrate\",\"arguments\":"
		       "{\"uri\":\"fd:state\"}}\n");
}

int qemu_start(struct engine *engine, const struct sandbox_spec *spec,
	       struct ev *loop, const struct engine_events *events, void *owner,
	       struct err *e)
{
	struct qemu_driver *d = mem_new(1, sizeof(*d));

	if (d == NULL)
		return err_set(e, -ENOMEM,
			       "cannot drive QEMU: no memory; free some");
	d->in = BUF_EMPTY(QMP_LINE_MAX_BYTES + 4096);
	engine->driver = d;
	engine->loop = loop;
	engine->events = events;
	engine->owner = owner;
	(void)add_step(d, QEMU_WAIT_REPLY,
		       "{\"execute\":\"qmp_capabilities\"}\n");
	if (spec->boot == BOOT_RESTORE)
		script_restore(d, spec);
	return ev_io_add(loop, &engine->control_io, engine->control_fd, EPOLLIN,
			 on_readable, engine);
}

int qemu_save(struct engine *engine, struct err *e)
{
	struct qemu_driver *d = driver_of(engine);

	if (d->next != d->step_count || d->is_waiting_reply)
		return err_set(e, -EBUSY,
			       "cannot save the guest: QEMU is still busy; "
			       "wait until the guest runs");
	d->next = 0;
	d->step_count = 0;
	d->is_saving = true;
	script_save(d);
	send_next(engine);
	return 0;
}

void qemu_fini(struct engine *engine)
{
	struct qemu_driver *d = driver_of(engine);

	if (d == NULL)
		return;
	buf_fini(&d->in);
	mem_free(d);
	engine->driver = NULL;
}

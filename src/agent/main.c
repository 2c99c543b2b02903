// SPDX-License-Identifier: Apache-2.0
// caponier-agent: starts processes and moves files inside the sandbox, for
// whoever speaks on the wire.
//
// Rights: root inside the guest, and nothing outside. It lives in a control
// group of its own and is the last to be killed for memory; what it starts
// lives in another one, capped. Its own memory needs no lock: the guest has no
// swap, and the program's pages are those of the initramfs.

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/port.h"
#include "agent/relay.h"
#include "agent/request.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/rng.h"
#include "domain/guest.h"

enum { OPEN_FILES = 8192 };

struct options {
	int wire_fd; /* -1: the virtio port */
	bool has_no_cgroup;
	bool is_identity_skipped;
};

enum {
	OPTION_WIRE_FD = 1,
	OPTION_NO_CGROUP,
	OPTION_NO_IDENTITY,
};

static const struct option option_table[] = {
	{ "wire-fd", required_argument, NULL, OPTION_WIRE_FD },
	{ "no-cgroup", no_argument, NULL, OPTION_NO_CGROUP },
	{ "test-no-identity", no_argument, NULL, OPTION_NO_IDENTITY },
	{ NULL, 0, NULL, 0 },
};

static int read_options(int argc, char **argv, struct options *ret)
{
	uint64_t fd = 0;
	int option = 0;

	while ((option = getopt_long(argc, argv, "", option_table, NULL)) !=
	       -1) {
		switch (option) {
		case OPTION_WIRE_FD:
			TRY(num_parse(span_str(optarg), 0, INT32_MAX, &fd));
			ret->wire_fd = (int)fd;
			break;
		case OPTION_NO_CGROUP:
			ret->has_no_cgroup = true;
			break;
		case OPTION_NO_IDENTITY:
			ret->is_identity_skipped = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}

/* ---- the wire ---- */

/* Born anew: nothing of the old epoch is left. */
static void on_epoch(void *owner)
{
	struct agent *agent = owner;
	uint64_t grown_bytes = agent->identity.grown_bytes;

	process_kill_all(&agent->processes);
	identity_fini(&agent->identity);
	agent->identity.grown_bytes = grown_bytes;
}

static void on_open(void *owner, uint32_t id, struct span target)
{
	struct agent *agent = owner;

	if (span_is(target, "agent"))
		request_serve(agent, id);
	else if (span_starts(target, "tcp:") && agent->identity.is_known)
		relay_serve(agent, id, span_from(target, 4));
}

static void on_lost(void *owner)
{
	struct agent *agent = owner;

	ev_stop(&agent->loop);
}

static const struct wire_events wire_events = {
	.on_epoch = on_epoch,
	.on_open = on_open,
	.on_lost = on_lost,
};

/* ---- the program ---- */

static int prepare(struct agent *agent, const struct options *options)
{
	struct rlimit files = { .rlim_cur = OPEN_FILES,
				.rlim_max = OPEN_FILES };
	unsigned seed = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0022);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	TRY(rng_fill(&seed, sizeof(seed)));
	json_object_seed(seed | 1);
	agent->is_identity_skipped = options->is_identity_skipped;
	if (!options->has_no_cgroup)
		TRY(cgroup_init(&agent->cgroup));
	TRY(ev_init(&agent->loop));
	agent->processes.loop = &agent->loop;
	agent->processes.cgroup = &agent->cgroup;
	return 0;
}

static int connect_wire(struct agent *agent, const struct options *options)
{
	bool is_port = options->wire_fd < 0;
	int fd = is_port ? port_open() : options->wire_fd;

	if (fd < 0)
		return fd;
	TRY(fd_set_inherit(fd, false));
	return wire_start(&agent->wire, &agent->loop, fd, is_port, &wire_events,
			  agent);
}

static int run(struct agent *agent, int argc, char **argv)
{
	struct options options = { .wire_fd = -1 };

	TRY(read_options(argc, argv, &options));
	TRY(prepare(agent, &options));
	TRY(connect_wire(agent, &options));
	TRY(ev_run(&agent->loop));
	return agent->is_power_off_wanted ? GUEST_EXIT_POWER_OFF : 0;
}

int main(int argc, char **argv)
{
	static struct agent agent = {
		.loop = { .epoll_fd = -1, .timer_fd = -1 },
		.wire = { .fd = -1 },
		.cgroup = { .dir_fd = -1 },
	};
	int r = run(&agent, argc, argv);

	if (r >= 0)
		return r;
	(void)fprintf(stderr, "caponier-agent: cannot serve: %s\n",
		      strerror(-r));
	return EXIT_FAILURE;
}

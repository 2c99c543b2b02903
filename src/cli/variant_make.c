// SPDX-License-Identifier: Apache-2.0
// Booting, warming and saving the guest of a variant.

#include "cli/variant_make.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "engine/qemu/tsc.h"
#include "launch/launch.h"

enum { SAVE_MAX_MS = 60000, READ_ONLY = 0444 };

/* What clones start first, started twice: their pages stay in the cache. */
static char *const warm_up[] = {
	(char *)(uintptr_t)"/bin/bash",
	(char *)(uintptr_t)"-lc",
	(char *)(uintptr_t)"for i in 1 2; do bash -lc true; "
			   "python3 -c 'import json, os, re, subprocess, "
			   "sys'; node -e 1; git --version; ls -la /; done; "
			   "sync",
	NULL,
};

static int make_files(struct sandbox_spec *spec, const char *dir)
{
	CLEANUP(fd_close) int ram = -1;
	CLEANUP(fd_close) int state = -1;

	if (snprintf(spec->ram, sizeof(spec->ram), "%s/ram", dir) >=
		    (int)sizeof(spec->ram) ||
	    snprintf(spec->vm_state, sizeof(spec->vm_state), "%s/state", dir) >=
		    (int)sizeof(spec->vm_state))
		return -ENAMETOOLONG;
	ram = open(spec->ram, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ram < 0 || ftruncate(ram, (off_t)spec->mem_mib << 20) < 0)
		return neg_errno();
	state = open(spec->vm_state, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		     0600);
	if (state < 0)
		return neg_errno();
	return 0;
}

static int fill_spec(const struct sandbox_template *t,
		     const struct sandbox_spec *like, const char *dir,
		     struct sandbox_spec *spec)
{
	*spec = (struct sandbox_spec){
		.tier = like->tier,
		.boot = BOOT_TEMPLATE,
		.vcpus = like->vcpus,
		.mem_mib = like->mem_mib,
		.disk_mib = VARIANT_DISK_MIB,
		.base_disk_mib = VARIANT_DISK_MIB,
		.tsc_khz = tsc_khz(),
	};
	memcpy(spec->engine, like->engine, sizeof(spec->engine));
	memcpy(spec->accel, like->accel, sizeof(spec->accel));
	memcpy(spec->cpu_model, like->cpu_model, sizeof(spec->cpu_model));
	TRY(rng_hex(spec->token, (SANDBOX_TOKEN_BYTES - 1) / 2));
	TRY(make_files(spec, dir));
	return template_fill(t, spec);
}

/* Wait for the shim's word that the guest is saved. */
static int await_saved(struct launched *sandbox, struct err *e)
{
	CLEANUP(mem_free_ptr)
	struct control_message *m = mem_new(1, sizeof(*m));
	uint64_t deadline = clock_boot_ns() + SAVE_MAX_MS * NS_PER_MS;

	if (m == NULL)
		return -ENOMEM;
	while (clock_boot_ns() < deadline) {
		struct pollfd p = { .fd = sandbox->control_fd,
				    .events = POLLIN };

		if (poll(&p, 1, 1000) < 0 && errno != EINTR)
			return neg_errno();
		TRY(launch_read(sandbox, m));
		if (m->event == CONTROL_SAVED)
			return 0;
		if (m->event == CONTROL_ENDED || m->event == CONTROL_LOST)
			return err_set(e, -EIO,
				       "cannot save the guest: %s; try again",
				       m->detail);
	}
	return err_set(e, -ETIMEDOUT,
		       "cannot save the guest: it took longer than %d s; try "
		       "again on a quieter machine",
		       SAVE_MAX_MS / 1000);
}

/* The sandbox's layer outlives the sandbox as the variant's. */
static int keep_layer(const struct sandbox_spec *spec, const char *dir)
{
	char kept[PATH_MAX];

	if (snprintf(kept, sizeof(kept), "%s/layer.qcow2", dir) >=
	    (int)sizeof(kept))
		return -ENAMETOOLONG;
	if (link(spec->layer, kept) < 0 ||
	    lchown(spec->ram, geteuid(), getegid()) < 0)
		return neg_errno();
	if (chmod(kept, READ_ONLY) < 0 || chmod(spec->ram, READ_ONLY) < 0 ||
	    chmod(spec->vm_state, READ_ONLY) < 0)
		return neg_errno();
	return 0;
}

static int warm_and_save(struct launched *sandbox,
			 const struct sandbox_spec *spec, const char *dir,
			 struct err *e)
{
	static const struct option_list none = { .count = 0 };
	const struct session_request request = {
		.argv = warm_up,
		.user = "user",
		.env = &none,
		.files = &none,
		.no_stdin = true,
		.drops_output = true,
	};
	struct session_result result;

	TRY(session_run(sandbox, spec->token, &request, clock_boot_ns(),
			&result, e));
	if (result.cause != CAUSE_EXITED || result.exit_code != 0)
		return err_set(e, -EIO,
			       "cannot warm the guest: it ended with %s (%s), "
			       "status %d; look at the template's packages",
			       cause_name(result.cause), result.detail,
			       result.exit_code);
	launch_ask_save(sandbox);
	TRY(await_saved(sandbox, e));
	return keep_layer(spec, dir);
}

int variant_make(const struct home *home, const struct install *install,
		 const struct sandbox_template *t,
		 const struct sandbox_spec *like, const char *dir,
		 struct err *e)
{
	CLEANUP(mem_free_ptr)
	struct sandbox_spec *spec = mem_new(1, sizeof(*spec));
	struct launched sandbox = LAUNCHED_NONE;
	int r = spec != NULL ? fill_spec(t, like, dir, spec) : -ENOMEM;

	TRY(r);
	TRY(launch(home, install, spec, &sandbox, e));
	r = warm_and_save(&sandbox, spec, dir, e);
	launch_stop(&sandbox, CAUSE_EXITED);
	launch_reap(home, &sandbox);
	return r;
}

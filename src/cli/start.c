// SPDX-License-Identifier: Apache-2.0
// From options to a sandbox.

#include "cli/start.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "cli/variant.h"

enum {
	DEFAULT_CPU_PCT = 100,
	DEFAULT_MEM_MIB = 512,
	DEFAULT_DISK_MIB = 8192,
};

static int check_sizes(const struct sandbox_spec *spec, struct err *e)
{
	if (spec->mem_mib < SANDBOX_MEM_MIN_MIB ||
	    spec->mem_mib > SANDBOX_MEM_MAX_MIB)
		return err_set(e, -EINVAL,
			       "cannot use --mem %uM: memory must lie between "
			       "%dM and %dM; choose a size in that range",
			       spec->mem_mib, SANDBOX_MEM_MIN_MIB,
			       SANDBOX_MEM_MAX_MIB);
	if (spec->vcpus > SANDBOX_VCPUS_MAX)
		return err_set(e, -EINVAL,
			       "cannot use --cpu %u: at most %d CPUs; ask for "
			       "fewer",
			       spec->vcpus, SANDBOX_VCPUS_MAX);
	if (spec->disk_mib > SANDBOX_DISK_MAX_MIB)
		return err_set(e, -EINVAL,
			       "cannot use --disk %uM: at most %dM; ask for "
			       "less",
			       spec->disk_mib, SANDBOX_DISK_MAX_MIB);
	return 0;
}

static int check_env(const struct option_list *env, struct err *e)
{
	for (size_t i = 0; i < env->count; i++) {
		const char *equals = strchr(env->items[i], '=');

		if (equals == NULL || equals == env->items[i])
			return err_set(e, -EINVAL,
				       "cannot take --env %s: it is not "
				       "NAME=VALUE; write both",
				       env->items[i]);
	}
	return 0;
}

static int fill_spec(const struct start_options *options,
		     const struct probe *engine, struct sandbox_spec *spec,
		     struct err *e)
{
	unsigned pct = options->cpu_pct != 0 ? options->cpu_pct :
					       DEFAULT_CPU_PCT;

	spec->tier = engine->tier;
	spec->vcpus = (pct + 99) / 100;
	/* A whole number of vCPUs needs no quota. */
	spec->cpu_pct = pct % 100 != 0 ? pct : 0;
	spec->mem_mib = options->mem_mib != 0 ? options->mem_mib :
						DEFAULT_MEM_MIB;
	spec->disk_mib = options->disk_mib != 0 ? options->disk_mib :
						  DEFAULT_DISK_MIB;
	spec->timeout_s = options->timeout_s;
	TRY(check_sizes(spec, e));
	TRY(check_env(&options->env, e));
	TRY(span_copy_str(span_str(engine->engine), spec->engine,
			  sizeof(spec->engine)));
	TRY(span_copy_str(span_str(engine->accel), spec->accel,
			  sizeof(spec->accel)));
	return rng_hex(spec->token, (SANDBOX_TOKEN_BYTES - 1) / 2);
}

/* What an attempt is made with. */
struct attempt {
	struct home home;
	struct install install;
	struct sandbox_spec spec;
	struct session_request request;
	uint64_t start_ns;
};

static void attempt_fini(struct attempt *a)
{
	sandbox_spec_fini(&a->spec);
}

/* One attempt: launch, run, stop, reap. */
static int attempt(struct attempt *a, struct start_outcome *ret, struct err *e)
{
	struct launched sandbox = LAUNCHED_NONE;
	int r = launch(&a->home, &a->install, &a->spec, &sandbox, e);

	if (r < 0)
		return r;
	memcpy(ret->id, sandbox.id, sizeof(ret->id));
	r = session_run(&sandbox, a->spec.token, &a->request, a->start_ns,
			&ret->result, e);
	if (r < 0 || ret->result.cause == CAUSE_NONE)
		launch_stop(&sandbox, CAUSE_KILLED);
	else
		launch_stop(&sandbox, ret->result.cause);
	launch_reap(&a->home, &sandbox);
	return r;
}

/* An emulated boot may hang before its first byte: that one is tried again.
 * What ended sooner than the shim's patience did not hang. */
static bool deserves_retry(const struct attempt *a,
			   const struct start_outcome *outcome)
{
	uint64_t lasted_ns = clock_boot_ns() - a->start_ns;

	return outcome->result.cause == CAUSE_ENGINE_FAILED &&
	       outcome->result.create_ms == 0 &&
	       lasted_ns >= SANDBOX_RESTORE_MAX_S * NS_PER_S;
}

static int prepare(const struct start_options *options, struct attempt *a,
		   struct start_outcome *ret, struct err *e)
{
	TRY(home_find(&a->home, e));
	TRY(install_find(&a->install, e));
	TRY(engine_choose(&a->home, options->isolation, options->min_isolation,
			  &ret->engine, e));
	TRY(fill_spec(options, &ret->engine, &a->spec, e));
	(void)launch_sweep(&a->home);
	TRY(variant_prepare(&a->home, &a->install, options->template_name,
			    &(struct variant_wish){
				    .no_snapshot = options->no_snapshot,
				    .no_rebuild = options->no_rebuild,
				    .is_quiet = options->is_quiet,
			    },
			    &a->spec, e));
	ret->is_restored = a->spec.boot == BOOT_RESTORE;
	return 0;
}

int start_and_run(const struct start_options *options, char *const *argv,
		  bool wants_pty, struct start_outcome *ret, struct err *e)
{
	CLEANUP(attempt_fini)
	struct attempt a = {
		.request = {
			.argv = argv,
			.user = options->user,
			.workdir = options->workdir,
			.env = &options->env,
			.files = &options->files,
			.wants_pty = wants_pty,
			.no_stdin = options->no_stdin,
		},
		.start_ns = clock_boot_ns(),
	};
	int r = 0;

	*ret = (struct start_outcome){ .result = { .exit_code = -1 } };
	TRY(prepare(options, &a, ret, e));
	r = attempt(&a, ret, e);
	if (r == 0 && deserves_retry(&a, ret)) {
		ret->retries++;
		say("the guest did not start (%s); trying once more",
		    ret->result.detail);
		r = attempt(&a, ret, e);
	}
	return r;
}

int start_exit_status(const struct start_outcome *outcome)
{
	const struct session_result *result = &outcome->result;

	if (result->signal != 0)
		return EXIT_SIGNAL_BASE + result->signal;
	if (result->cause == CAUSE_TIMEOUT)
		return EXIT_TIMED_OUT;
	if (result->exit_code >= 0)
		return result->exit_code & 255;
	return EXIT_CAPONIER;
}

static void report_json(const struct start_options *options,
			const struct start_outcome *o)
{
	const struct session_result *r = &o->result;
	json_t *doc = json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:i,s:i,s:i,s:i}", "id",
		o->id, "template", options->template_name, "tier",
		tier_name(o->engine.tier), "engine", o->engine.engine,
		"evidence", o->engine.evidence, "cause", cause_name(r->cause),
		"detail", r->detail, "restored", (int)o->is_restored,
		"create_ms", (int)r->create_ms, "first_output_ms",
		(int)r->first_output_ms, "boot_ms", (int)r->boot_ms, "retries",
		(int)o->retries);

	(void)!json_object_set_new(
		doc, "exit_code",
		r->exit_code < 0 ? json_null() : json_integer(r->exit_code));
	(void)!json_object_set_new(doc, "signal",
				   r->signal == 0 ? json_null() :
						    json_integer(r->signal));
	(void)json_dumpf(doc, stderr, JSON_COMPACT);
	(void)fputc('\n', stderr);
	json_decref(doc);
}

void start_report(const struct start_options *options,
		  const struct start_outcome *outcome)
{
	const struct session_result *r = &outcome->result;

	if (options->is_json) {
		report_json(options, outcome);
		return;
	}
	if (r->cause != CAUSE_EXITED && r->cause != CAUSE_SIGNALED)
		say("the sandbox ended: %s%s%s", cause_name(r->cause),
		    r->detail[0] != '\0' ? ": " : "", r->detail);
	if (options->is_quiet)
		return;
	say("tier %s, engine %s (%s)", tier_name(outcome->engine.tier),
	    outcome->engine.engine, outcome->engine.evidence);
	say("this does not stop: %s", tier_does_not_stop(&outcome->engine));
}

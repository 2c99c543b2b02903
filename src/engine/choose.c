// SPDX-License-Identifier: Apache-2.0
// Which engine a sandbox gets.

#include "engine/choose.h"

#include <stdio.h>
#include <string.h>

#include "engine/qemu/probe.h"

static void probe_unbuilt(const struct home *home, struct probe *ret)
{
	(void)home;
	ret->is_built = false;
	(void)snprintf(ret->why, sizeof(ret->why),
		       "this version of Caponier has no %s engine yet",
		       ret->engine);
	(void)snprintf(ret->mend, sizeof(ret->mend), "use --isolation qemu");
}

/* Strongest first; among equals the quicker one first. */
static const struct {
	const char *engine;
	const char *accel;
	enum tier tier;
	void (*probe)(const struct home *home, struct probe *ret);
} engines[] = {
	{ "qemu", "kvm", TIER_MICROVM, qemu_probe_kvm },
	{ "gvisor", "", TIER_USERKERNEL, probe_unbuilt },
	{ "qemu", "tcg", TIER_USERKERNEL, qemu_probe_tcg },
	{ "oci", "", TIER_CONTAINER, probe_unbuilt },
	{ "process", "", TIER_PROCESS, probe_unbuilt },
};
_Static_assert(ARRAY_LEN(engines) <= PROBES_MAX, "a row per engine");

static void probe_one(const struct home *home, size_t i, bool wants_run,
		      struct probe *ret)
{
	*ret = (struct probe){
		.engine = engines[i].engine,
		.accel = engines[i].accel,
		.tier = engines[i].tier,
		.wants_run = wants_run,
		.is_built = true,
	};
	engines[i].probe(home, ret);
}

size_t probe_all(const struct home *home, struct probe ret[PROBES_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(engines); i++)
		probe_one(home, i, true, &ret[i]);
	return ARRAY_LEN(engines);
}

/* What was asked for: a tier, an engine, or anything down to userkernel. */
struct wish {
	const char *engine; /* NULL: any */
	enum tier tier;	    /* TIER_NONE: any */
	enum tier floor;
};

static int wish_parse(const char *isolation, const char *min_isolation,
		      struct wish *ret, struct err *e)
{
	*ret = (struct wish){ .floor = TIER_USERKERNEL };
	if (min_isolation != NULL &&
	    tier_parse(span_str(min_isolation), &ret->floor) < 0)
		return err_set(e, -EINVAL,
			       "cannot use --min-isolation %s: it is not a "
			       "tier; choose microvm, userkernel, container "
			       "or process",
			       min_isolation);
	if (strcmp(isolation, "auto") == 0)
		return 0;
	if (tier_parse(span_str(isolation), &ret->tier) == 0) {
		if (min_isolation == NULL)
			ret->floor = ret->tier;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
		if (strcmp(engines[i].engine, isolation) == 0)
			ret->engine = engines[i].engine;
	}
	if (ret->engine == NULL)
		return err_set(e, -EINVAL,
			       "cannot use --isolation %s: it is neither auto "
			       "nor a tier nor an engine; choose auto, "
			       "microvm, userkernel, container, process, qemu, "
			       "gvisor or oci",
			       isolation);
	if (min_isolation == NULL)
		ret->floor = TIER_PROCESS;
	return 0;
}

static bool fits(const struct wish *wish, size_t i)
{
	return (wish->engine == NULL ||
		strcmp(wish->engine, engines[i].engine) == 0) &&
	       (wish->tier == TIER_NONE || wish->tier == engines[i].tier) &&
	       engines[i].tier >= wish->floor;
}

int engine_choose(const struct home *home, const char *isolation,
		  const char *min_isolation, struct probe *ret, struct err *e)
{
	struct wish wish = { 0 };
	struct probe nearest = { 0 }; /* to working: the weakest built in */

	TRY(wish_parse(isolation, min_isolation, &wish, e));
	for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
		struct probe probe;

		if (!fits(&wish, i))
			continue;
		probe_one(home, i, false, &probe);
		if (probe.is_working) {
			*ret = probe;
			return 0;
		}
		if (nearest.engine == NULL || probe.is_built)
			nearest = probe;
	}
	if (nearest.engine == NULL)
		return err_set(e, -ENOTSUP,
			       "cannot give --isolation %s with "
			       "--min-isolation %s: the one is weaker than the "
			       "other; ask for one of them",
			       isolation, min_isolation);
	return err_set(e, -ENOTSUP,
		       "cannot isolate as asked (--isolation %s%s%s): %s; %s",
		       isolation,
		       min_isolation != NULL ? " --min-isolation " : "",
		       min_isolation != NULL ? min_isolation : "", nearest.why,
		       nearest.mend);
}

const char *tier_does_not_stop(const struct probe *probe)
{
	switch (probe->tier) {
	case TIER_MICROVM:
		return "a flaw in KVM or the processor, and what it can learn "
		       "from timing shared hardware";
	case TIER_USERKERNEL:
		return "a flaw in the emulator followed by one in the host's "
		       "kernel: QEMU's authors promise no isolation for TCG, "
		       "so it counts only as strong as the jail around it";
	case TIER_CONTAINER:
	case TIER_PROCESS:
		return "a flaw in the host's kernel, which it shares";
	case TIER_NONE:
	case TIER_COUNT:
		break;
	}
	return "anything";
}

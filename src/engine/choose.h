/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which engine this host can really run, and which of them a sandbox gets.
 *
 * Theory. A probe proves usability by running something: a virtual CPU that
 * executes what a stock kernel needs, a namespace that opens, a program that
 * answers. Whether a file exists proves nothing. A choice is the strongest
 * working engine that was asked for; below the floor there is only a refusal.
 */
#ifndef CPN_ENGINE_CHOOSE_H
#define CPN_ENGINE_CHOOSE_H

#include "base/err.h"
#include "base/macros.h"
#include "domain/home.h"
#include "domain/sandbox.h"

enum { PROBE_TEXT_BYTES = 384, PROBES_MAX = 8 };

struct probe {
	const char *engine; /* "qemu" */
	const char *accel;  /* "kvm", "tcg", or "" */
	enum tier tier;	    /* what it gives where it works */
	bool wants_run; /* asked for: run it now; else a failing create proves */
	bool is_built;	/* this version of Caponier has the engine */
	bool is_working;
	char evidence[PROBE_TEXT_BYTES]; /* what was run and what it showed */
	char why[PROBE_TEXT_BYTES];	 /* what stands in the way, or "" */
	char mend[PROBE_TEXT_BYTES];	 /* what to do about it, or "" */
	char gain[PROBE_TEXT_BYTES];	 /* what that would bring, or "" */
};

/**
 * probe_all() - probe every engine, strongest first
 * @ret: receives up to PROBES_MAX rows, engines not built in included
 *
 * Return: how many.
 * Context: blocks, for up to some hundred milliseconds.
 */
size_t probe_all(const struct home *home, struct probe ret[PROBES_MAX]);

/**
 * engine_choose() - the engine for a sandbox
 * @isolation:     "auto", a tier's name or an engine's name
 * @min_isolation: a tier's name, or NULL for no floor
 * @ret:           untouched on failure
 *
 * Return: 0; -EINVAL for a name that is none; -ENOTSUP if nothing that works
 * here is strong enough; all with a sentence that says what is missing.
 * Context: blocks; starts nothing that stays.
 */
int engine_choose(const struct home *home, const char *isolation,
		  const char *min_isolation, struct probe *ret,
		  struct err *e) MUST_CHECK;

/**
 * tier_does_not_stop() - what a tier leaves open, in one sentence
 *
 * Return: a constant.
 * Context: any thread.
 */
const char *tier_does_not_stop(const struct probe *probe);

#endif

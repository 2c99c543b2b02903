/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sandbox is: its names, tiers, causes of death and its specification,
 * the document with which a launcher (CLI, later the daemon) asks a shim for
 * a sandbox. The specification is written by us and read by us, yet parsed
 * strictly: a shim may be older or newer than its launcher.
 */
#ifndef CPN_DOMAIN_SANDBOX_H
#define CPN_DOMAIN_SANDBOX_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/span.h"

enum {
	SANDBOX_ID_BYTES = 21, /* 20 lower-case hex digits and a NUL */
	SANDBOX_NAME_BYTES = 64,
	SANDBOX_TOKEN_BYTES = 65, /* 64 hex digits and a NUL */
	SANDBOX_SPEC_MAX_BYTES = 1048576,
	SANDBOX_VCPUS_MAX = 32,
	SANDBOX_MEM_MIN_MIB = 128,
	SANDBOX_MEM_MAX_MIB = 65536,
	SANDBOX_DISK_MAX_MIB = 1048576,
	/* A guest whose agent has not answered by then hangs. */
	SANDBOX_BOOT_MAX_S = 60,
	SANDBOX_RESTORE_MAX_S = 30,
};

/* Strength, weakest first: a floor is compared with <. */
enum tier {
	TIER_NONE,
	TIER_PROCESS,
	TIER_CONTAINER,
	TIER_USERKERNEL,
	TIER_MICROVM,
	TIER_COUNT,
};

/* Why a sandbox (or the command in it) ended: exactly one. */
enum cause {
	CAUSE_NONE,
	CAUSE_EXITED,
	CAUSE_SIGNALED,
	CAUSE_KILLED,
	CAUSE_TIMEOUT,
	CAUSE_IDLE,
	CAUSE_CPU_TIME,
	CAUSE_MEMORY,
	CAUSE_DISK,
	CAUSE_OUTPUT,
	CAUSE_ENGINE_FAILED,
	CAUSE_AGENT_LOST,
	CAUSE_HOST,
	CAUSE_COUNT,
};

/**
 * tier_name() - a tier's name on the command line and in JSON
 *
 * Return: a constant.
 * Context: any thread.
 */
const char *tier_name(enum tier tier);

/**
 * tier_parse() - the tier of a name
 * @ret: untouched on failure
 *
 * Return: 0 or -EINVAL.
 * Context: any thread.
 */
int tier_parse(struct span name, enum tier *ret) MUST_CHECK;

/**
 * cause_name() - a cause's name in JSON
 *
 * Return: a constant.
 * Context: any thread.
 */
const char *cause_name(enum cause cause);

/**
 * cause_parse() - the cause of a name
 * @ret: untouched on failure
 *
 * Return: 0 or -EINVAL.
 * Context: any thread.
 */
int cause_parse(struct span name, enum cause *ret) MUST_CHECK;

/* How the guest comes to life. */
enum boot {
	BOOT_COLD,     /* kernel from the start, RAM of its own */
	BOOT_TEMPLATE, /* the same, into the RAM file, to be saved */
	BOOT_RESTORE,  /* a copy-on-write clone of a saved guest */
	BOOT_COUNT,
};

/* A sandbox as its launcher wants it. Paths are absolute and on the host. */
struct sandbox_spec {
	char id[SANDBOX_ID_BYTES];
	char template_name[SANDBOX_NAME_BYTES];
	char engine[SANDBOX_NAME_BYTES]; /* "qemu" */
	char accel[SANDBOX_NAME_BYTES];	 /* "kvm" or "tcg" */
	enum tier tier;
	unsigned boot; /* enum boot */

	unsigned vcpus;
	unsigned cpu_pct;	/* CPU quota over all vCPUs, 100 = one core */
	unsigned mem_mib;	/* guest RAM */
	unsigned disk_mib;	/* guest's root disk */
	unsigned base_disk_mib; /* size of @layer as made: the template's */
	unsigned timeout_s;	/* wall time of the sandbox; 0: none */
	unsigned tsc_khz;	/* the host's, for guests that boot */
	unsigned idle_s;	/* time without a request; 0: none */

	char engine_root[PATH_MAX]; /* root directory of the engine's jail */
	char kernel[PATH_MAX];
	char initrd[PATH_MAX];
	char root_image[PATH_MAX];    /* raw ext4, read-only, shared */
	char modules_image[PATH_MAX]; /* raw ext4, read-only, shared */
	char layer[PATH_MAX];	      /* qcow2 of this sandbox, read-write */
	char base_layer[PATH_MAX];    /* template's qcow2, read-only, or "" */
	char ram[PATH_MAX];	      /* the template's RAM, or "": BOOT_COLD */
	char vm_state[PATH_MAX];      /* the template's device state, or "" */
	char cpu_model[SANDBOX_NAME_BYTES];

	uint32_t uid; /* host uid and gid of the engine; 0: the caller's own */
	uint32_t shim_uid; /* the same for the shim */

	char hostname[SANDBOX_NAME_BYTES];
	char token[SANDBOX_TOKEN_BYTES]; /* access token clients must show */
	char *env_json; /* owned: JSON object of environment variables, or NULL */
};

/**
 * sandbox_spec_fini() - free what a specification owns; zeroed is allowed
 * Context: any thread.
 */
void sandbox_spec_fini(struct sandbox_spec *spec);

/**
 * sandbox_spec_put() - append a specification as JSON
 *
 * Return: 0; -ENOMEM; -E2BIG.
 * Context: any thread; allocates.
 */
int sandbox_spec_put(const struct sandbox_spec *spec,
		     struct buf *out) MUST_CHECK;

/**
 * sandbox_spec_parse() - read a specification
 * @json: as sandbox_spec_put() wrote it
 * @ret:  owned by the caller (sandbox_spec_fini()); untouched on failure
 *
 * Return: 0; -EBADMSG with the offending field named in @e; -ENOMEM.
 * Context: any thread; allocates.
 */
int sandbox_spec_parse(struct span json, struct sandbox_spec *ret,
		       struct err *e) MUST_CHECK;

/**
 * sandbox_id_new() - a fresh random id
 * @ret: receives SANDBOX_ID_BYTES bytes
 *
 * Return: 0 or -errno.
 * Context: any thread.
 */
int sandbox_id_new(char ret[SANDBOX_ID_BYTES]) MUST_CHECK;

/**
 * sandbox_id_is_valid() - whether a text has the form of an id
 *
 * Return: true if so.
 * Context: any thread.
 */
bool sandbox_id_is_valid(struct span text);

#endif

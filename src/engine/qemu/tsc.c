// SPDX-License-Identifier: Apache-2.0
// The frequency of this host's time stamp counter.

#include "engine/qemu/tsc.h"

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#include "base/clock.h"

enum { TRIES = 5, PAUSE_NS = 30000000 };

struct sample {
	uint64_t tsc;
	uint64_t ns;
};

static uint64_t raw_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* The pair with the least time between its two halves. */
static struct sample take(void)
{
	struct sample best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc();
		uint64_t ns = raw_ns();
		uint64_t after = __rdtsc();

		if (after - before < least) {
			least = after - before;
			best = (struct sample){ before + least / 2, ns };
		}
	}
	return best;
}

unsigned tsc_khz(void)
{
	const struct timespec wait = { .tv_nsec = PAUSE_NS };
	struct sample first = take();
	struct sample last;

	(void)nanosleep(&wait, NULL);
	last = take();
	return (unsigned)((last.tsc - first.tsc) * 1000000 /
			  (last.ns - first.ns));
}

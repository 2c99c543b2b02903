// SPDX-License-Identifier: Apache-2.0
// The two clocks: which they are, and their unit.

#include "base/clock.h"

#include <time.h>

#include "tap.h"

/* The reading of @id in nanoseconds, by the C library. */
static uint64_t reference(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

TEST(the_boot_clock_lies_between_two_readings)
{
	uint64_t before = reference(CLOCK_BOOTTIME);
	uint64_t now = clock_boot_ns();

	CHECK(now >= before);
	CHECK(now <= reference(CLOCK_BOOTTIME));
}

TEST(the_boot_clock_never_goes_back)
{
	uint64_t last = clock_boot_ns();
	bool is_steady = true;

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_boot_ns();

		is_steady = is_steady && now >= last;
		last = now;
	}
	CHECK(is_steady);
}

TEST(the_wall_clock_counts_from_the_epoch)
{
	uint64_t now_s = clock_wall_ns() / NS_PER_S;
	uint64_t reference_s = (uint64_t)time(NULL);

	CHECK(now_s + 2 >= reference_s && now_s <= reference_s + 2);
	CHECK_EQ(NS_PER_S / NS_PER_MS, 1000);
}

TESTS(RUN(the_boot_clock_lies_between_two_readings),
      RUN(the_boot_clock_never_goes_back),
      RUN(the_wall_clock_counts_from_the_epoch))

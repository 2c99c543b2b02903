// SPDX-License-Identifier: Apache-2.0
// The door to the heap: zeroed, overflow refused, content kept.

#include "base/mem.h"

#include "tap.h"

/* Under ASan, too, an allocation that cannot be is NULL and no death. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): ASan's own name */
const char *__asan_default_options(void);
/* NOLINTNEXTLINE(bugprone-reserved-identifier): ASan's own name */
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

TEST(new_memory_is_zeroed)
{
	CLEANUP(mem_free_ptr) uint8_t *p = mem_new(100, 3);
	static const uint8_t ZEROS[300];

	if (!CHECK(p != NULL))
		return;
	CHECK_MEM(p, ZEROS, 300);
}

TEST(a_product_that_overflows_is_refused)
{
	/* Volatile: the compiler warns of what this asks for. */
	volatile size_t half = SIZE_MAX / 2;

	CHECK(mem_new(half, 3) == NULL);
	CHECK(mem_new(half + 1, 2) == NULL);
}

TEST(a_resize_keeps_the_content)
{
	char *p = mem_str("content");
	char *bigger = NULL;

	if (!CHECK(p != NULL))
		return;
	bigger = mem_resize(p, 100000);
	if (!CHECK(bigger != NULL)) {
		mem_free(p);
		return;
	}
	CHECK_STR(bigger, "content");
	mem_free(bigger);
}

TEST(nothing_may_be_freed)
{
	char *nothing = NULL;

	mem_free(NULL);
	mem_free_ptr((void *)&nothing);
	CHECK(nothing == NULL);
}

TESTS(RUN(new_memory_is_zeroed), RUN(a_product_that_overflows_is_refused),
      RUN(a_resize_keeps_the_content), RUN(nothing_may_be_freed))

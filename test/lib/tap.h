/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TAP for unit tests, header only.
 *
 *	TEST(span_is_compares_all_bytes)
 *	{
 *		CHECK(span_is(span_str("ab"), "ab"));
 *		CHECK_EQ(span_str("ab").len, 2);
 *	}
 *
 *	TESTS(RUN(span_is_compares_all_bytes))
 *
 * One TEST is one TAP point. It fails if a CHECK in it fails, and also if no
 * CHECK was reached: a test that looked at nothing has shown nothing. A failed
 * CHECK does not leave the test; write `if (!CHECK(p != NULL)) return;` where
 * going on makes no sense. A TEST that is not listed is a compiler warning.
 */
#ifndef CPN_TEST_TAP_H
#define CPN_TEST_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct tap_test {
	const char *name;
	void (*run)(void);
};

/* What happened in the test that runs now. */
static struct {
	unsigned checks;
	unsigned failures;
	const char *skip_reason;
} tap_now;

struct tap_number {
	bool is_negative;
	uintmax_t magnitude;
};

#define TEST(name) static void name(void)
#define RUN(name) { #name, name }

#define TESTS(...)                                                             \
	int main(void)                                                         \
	{                                                                      \
		static const struct tap_test tests[] = { __VA_ARGS__ };        \
                                                                               \
		return tap_main(tests, sizeof(tests) / sizeof(tests[0]));      \
	}

/* Each is an expression that says whether the check held. */
#define CHECK(cond) tap_check((cond), __FILE__, __LINE__, #cond)
#define CHECK_EQ(got, want)                                                    \
	tap_check_eq(TAP_NUMBER(got), TAP_NUMBER(want), __FILE__, __LINE__,    \
		     #got " == " #want)
#define CHECK_STR(got, want)                                                   \
	tap_check_str((got), (want), __FILE__, __LINE__, #got " is " #want)
#define CHECK_MEM(got, want, len)                                              \
	tap_check_mem((got), (want), (len), __FILE__, __LINE__,                \
		      #got " holds " #want)

/* Marks the test as not possible here; return after it. */
#define SKIP(reason) ((void)(tap_now.skip_reason = (reason)))

/* Laid out by hand: the formatter knows no _Generic. */
/* clang-format off */
#define TAP_NUMBER(x)                                                          \
	_Generic((x),                                                          \
		char: tap_signed, signed char: tap_signed,                     \
		short: tap_signed, int: tap_signed,                            \
		long: tap_signed, long long: tap_signed,                       \
		default: tap_unsigned)(x)
/* clang-format on */

static inline struct tap_number tap_signed(intmax_t value)
{
	return (struct tap_number){
		.is_negative = value < 0,
		.magnitude = value < 0 ? 0 - (uintmax_t)value :
					 (uintmax_t)value,
	};
}

static inline struct tap_number tap_unsigned(uintmax_t value)
{
	return (struct tap_number){ .magnitude = value };
}

static inline void tap_say_number(const char *label, struct tap_number n)
{
	printf("#   %s %s%ju (0x%jx)\n", label, n.is_negative ? "-" : "",
	       n.magnitude, n.magnitude);
}

static inline bool tap_check(bool holds, const char *file, int line,
			     const char *text)
{
	tap_now.checks++;
	if (!holds) {
		tap_now.failures++;
		printf("# %s:%d: %s\n", file, line, text);
	}
	return holds;
}

static inline bool tap_check_eq(struct tap_number got, struct tap_number want,
				const char *file, int line, const char *text)
{
	bool same = got.is_negative == want.is_negative &&
		    got.magnitude == want.magnitude;

	if (!tap_check(same, file, line, text)) {
		tap_say_number("got ", got);
		tap_say_number("want", want);
	}
	return same;
}

static inline bool tap_check_str(const char *got, const char *want,
				 const char *file, int line, const char *text)
{
	bool same = got == want ||
		    (got != NULL && want != NULL && strcmp(got, want) == 0);

	if (!tap_check(same, file, line, text)) {
		printf("#   got  %s\n", got == NULL ? "(null)" : got);
		printf("#   want %s\n", want == NULL ? "(null)" : want);
	}
	return same;
}

static inline bool tap_check_mem(const void *got, const void *want, size_t len,
				 const char *file, int line, const char *text)
{
	const uint8_t *g = got;
	const uint8_t *w = want;
	size_t at = 0;

	while (at < len && g[at] == w[at])
		at++;
	if (!tap_check(at == len, file, line, text))
		printf("#   byte %zu of %zu: got 0x%02x, want 0x%02x\n", at,
		       len, g[at], w[at]);
	return at == len;
}

/* Runs one test; true if it passed or was skipped. */
static inline bool tap_run(const struct tap_test *test, size_t number)
{
	bool passed;

	tap_now.checks = 0;
	tap_now.failures = 0;
	tap_now.skip_reason = NULL;
	test->run();
	if (tap_now.skip_reason != NULL && tap_now.failures == 0) {
		printf("ok %zu - %s # SKIP %s\n", number, test->name,
		       tap_now.skip_reason);
		return true;
	}
	passed = tap_now.checks > 0 && tap_now.failures == 0;
	if (tap_now.checks == 0)
		printf("# %s: no CHECK was reached\n", test->name);
	printf("%s %zu - %s\n", passed ? "ok" : "not ok", number, test->name);
	return passed;
}

static inline int tap_main(const struct tap_test *tests, size_t count)
{
	bool all_passed = true;

	/* A crash must not swallow what was said before it. */
	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		if (!tap_run(&tests[i], i + 1))
			all_passed = false;
	}
	return all_passed ? 0 : 1;
}

#endif

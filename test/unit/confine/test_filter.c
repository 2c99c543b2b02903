// SPDX-License-Identifier: Apache-2.0
// What tools/gen-seccomp makes of a table, judged by running the program it
// made in a small interpreter of the kernel's filter machine.

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "base/macros.h"
#include "tap.h"
#include "test_filter.h"

enum { X32_BIT = 0x40000000, NO_ACTION = 0xdeadbeef };

static bool jumps(uint16_t op, uint32_t a, uint32_t k)
{
	switch (op) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return (a & k) != 0;
	default:
		return false;
	}
}

static uint32_t load(const struct seccomp_data *call, uint32_t at)
{
	uint32_t word = 0;

	if (at <= sizeof(*call) - sizeof(word))
		memcpy(&word, (const char *)call + at, sizeof(word));
	return word;
}

/* Return: the action; NO_ACTION if the program does what no filter may. */
static uint32_t run(const struct sock_fprog *program,
		    const struct seccomp_data *call)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->len; pc++) {
		const struct sock_filter *i = &program->filter[pc];

		if (i->code == (BPF_RET | BPF_K))
			return i->k;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			a = load(call, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			pc += i->k;
		else if (BPF_CLASS(i->code) == BPF_JMP)
			pc += jumps(BPF_OP(i->code), a, i->k) ? i->jt : i->jf;
		else
			return NO_ACTION;
	}
	return NO_ACTION;
}

static uint32_t action(int number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const struct seccomp_data call = {
		.nr = number,
		.arch = AUDIT_ARCH_X86_64,
		.args = { a0, a1, a2 },
	};

	return run(&test_filter, &call);
}

TEST(a_listed_call_is_allowed)
{
	CHECK_EQ(action(SYS_read, 0, 0, 0), SECCOMP_RET_ALLOW);
}

TEST(every_other_call_kills_the_process)
{
	unsigned allowed = 0;

	for (int number = 0; number < 1024; number++) {
		if (number == SYS_read || number == SYS_mmap ||
		    number == SYS_clone || number == SYS_ioctl ||
		    number == SYS_clone3)
			continue;
		allowed += action(number, 0, 0, 0) != SECCOMP_RET_KILL_PROCESS;
	}
	CHECK_EQ(allowed, 0);
	CHECK_EQ(action(-1, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

TEST(a_masked_argument_decides)
{
	CHECK_EQ(action(SYS_mmap, 0, 0, 3), SECCOMP_RET_ALLOW);
	CHECK_EQ(action(SYS_mmap, 0, 0, 7), SECCOMP_RET_KILL_PROCESS);
}

TEST(an_exact_argument_is_compared_over_64_bits)
{
	CHECK_EQ(action(SYS_clone, 0x3d0f00, 0, 0), SECCOMP_RET_ALLOW);
	CHECK_EQ(action(SYS_clone, 0x3d0f01, 0, 0), SECCOMP_RET_KILL_PROCESS);
	CHECK_EQ(action(SYS_clone, UINT64_C(0x1003d0f00), 0, 0),
		 SECCOMP_RET_KILL_PROCESS);
}

TEST(lines_of_one_call_add_up)
{
	CHECK_EQ(action(SYS_ioctl, 0, 0x5421, 0), SECCOMP_RET_ALLOW);
	CHECK_EQ(action(SYS_ioctl, 0, 0xae80, 0), SECCOMP_RET_ALLOW);
	CHECK_EQ(action(SYS_ioctl, 0, 0x5412, 0), SECCOMP_RET_KILL_PROCESS);
}

TEST(an_error_is_answered_where_the_table_says_so)
{
	CHECK_EQ(action(SYS_clone3, 0, 0, 0), SECCOMP_RET_ERRNO | 38);
}

TEST(other_architectures_kill_the_process)
{
	static const uint32_t others[] = {
		AUDIT_ARCH_I386,
		AUDIT_ARCH_AARCH64,
		0,
	};
	struct seccomp_data call = { .nr = SYS_read };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		call.arch = others[i];
		CHECK_EQ(run(&test_filter, &call), SECCOMP_RET_KILL_PROCESS);
	}
	CHECK_EQ(action(X32_BIT | SYS_read, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

TESTS(RUN(a_listed_call_is_allowed), RUN(every_other_call_kills_the_process),
      RUN(a_masked_argument_decides),
      RUN(an_exact_argument_is_compared_over_64_bits),
      RUN(lines_of_one_call_add_up),
      RUN(an_error_is_answered_where_the_table_says_so),
      RUN(other_architectures_kill_the_process))

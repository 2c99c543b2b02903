/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One harness, three engines: CBMC proves it for all inputs, libFuzzer hunts
 * in it, and a plain build replays a corpus.
 *
 *	// Proof: sources src/base/num.c
 *	// Proof: unwind 9
 *	// Proof: without conversion-check a digit's cast to uint8_t wraps
 *	// Proof: mutant src/base/num.c s/> max/> UINT64_MAX/
 *	void proof_num_parse(void) { ... }
 *
 * `./dev proofs` reads these lines: what to link, how deep to unwind, a check
 * of CBMC's to go without and why, and the sed script of a mutant that must
 * break the proof (or it proves nothing).
 * The harness is named after its file: test/proof/num_parse.c.
 */
#ifndef CPN_TEST_PROOF_H
#define CPN_TEST_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __CPROVER__

#define proof_any(x) __CPROVER_havoc_slice(&(x), sizeof(x))
#define proof_assume(cond) __CPROVER_assume(cond)
#define proof_assert(cond) __CPROVER_assert((cond), #cond)

#else

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* The input that is left, and where a false assumption leads. */
static struct {
	const uint8_t *at;
	size_t len;
	jmp_buf discard;
} proof_input;

#define proof_any(x) proof_fill(&(x), sizeof(x))
#define proof_assume(cond) ((cond) ? (void)0 : longjmp(proof_input.discard, 1))
#define proof_assert(cond) ((cond) ? (void)0 : abort())

/* Bytes of the input, then zeroes. */
static inline void proof_fill(void *dst, size_t len)
{
	size_t had = proof_input.len < len ? proof_input.len : len;

	memset(dst, 0, len);
	if (had > 0)
		memcpy(dst, proof_input.at, had);
	proof_input.at += had;
	proof_input.len -= had;
}

/* Defines the fuzzer's entry for a harness. */
#define PROOF_FUZZ(harness)                                                    \
	int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);          \
	int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)           \
	{                                                                      \
		proof_input.at = bytes;                                        \
		proof_input.len = len;                                         \
		if (setjmp(proof_input.discard) == 0)                          \
			harness();                                             \
		return 0;                                                      \
	}

#endif
#ifdef __CPROVER__
#define PROOF_FUZZ(harness)
#endif

#endif

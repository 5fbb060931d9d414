/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * How calls look on AArch64. Included by calls.h.
 */
#ifndef SEAM_ARM64_CALLS_H
#define SEAM_ARM64_CALLS_H

/* The instruction before a return address. */
typedef __u32 seam_call_code[1];

static __always_inline int seam_may_be_code(__u64 address)
{
	return address >= 4096 && !(address & 3);
}

/* What the instruction before an address says. */
static __always_inline int seam_call_before(const __u32 *before, __u64 address, __u64 callee)
{
	__u32 code = before[0];
	__u64 target;

	/* bl */
	if (code >> 26 == 0x25) {
		target = address - 4 + (__u64)((__s64)((__u64)code << 38) >> 36);
		return target <= callee && callee - target < SEAM_MADE_FUNCTION_BYTES ?
			       SEAM_RETURN_DIRECT :
			       SEAM_RETURN_OTHER;
	}
	/* blr, and blraa, blrab and theirs with a zero modifier (FEAT_PAuth) */
	if ((code & 0xfffffc1f) == 0xd63f0000 || (code & 0xfefff800) == 0xd63f0800)
		return SEAM_RETURN_INDIRECT;
	return SEAM_RETURN_NONE;
}

#endif

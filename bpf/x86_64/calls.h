/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * How calls look on x86-64. Included by calls.h.
 */
#ifndef SEAM_X86_64_CALLS_H
#define SEAM_X86_64_CALLS_H

/* The bytes before a return address that tell a call: the longest is 7
 * (call *disp32(%r12,%r13,8)). */
typedef __u8 seam_call_code[8];

/* Words that are no small number and have no high bits set. */
static __always_inline int seam_may_be_code(__u64 address)
{
	return address >= 4096 && !(address >> 47);
}

/* What the bytes before an address say. `code` are those before `address`. */
static __always_inline int seam_call_before(const __u8 *code, __u64 address, __u64 callee)
{
	__s32 distance;
	__u64 target;

	if (code[3] == 0xe8) {
		__builtin_memcpy(&distance, code + 4, 4);
		target = address + (__s64)distance;
		return target <= callee && callee - target < SEAM_MADE_FUNCTION_BYTES ?
			       SEAM_RETURN_DIRECT :
			       SEAM_RETURN_OTHER;
	}
	/* ff /2: how long it is depends on ModRM. */
	if (code[6] == 0xff && ((code[7] & 0xf8) == 0xd0 ||
				((code[7] & 0xf8) == 0x10 && (code[7] & 7) != 4 && (code[7] & 7) != 5)))
		return SEAM_RETURN_INDIRECT;
	if (code[5] == 0xff && (((code[6] & 0xf8) == 0x50 && (code[6] & 7) != 4) || code[6] == 0x14))
		return SEAM_RETURN_INDIRECT;
	if (code[4] == 0xff && code[5] == 0x54)
		return SEAM_RETURN_INDIRECT;
	if (code[2] == 0xff && (code[3] == 0x15 || ((code[3] & 0xf8) == 0x90 && (code[3] & 7) != 4)))
		return SEAM_RETURN_INDIRECT;
	if (code[1] == 0xff && (code[2] == 0x94 || (code[2] == 0x14 && (code[3] & 7) == 5)))
		return SEAM_RETURN_INDIRECT;
	return SEAM_RETURN_NONE;
}

#endif

/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The registers of a walk on AArch64, and the numbers of system calls that it asks for
 * (include/uapi/asm-generic/unistd.h, Linux 5.10 to 6.18). Included by arch.h.
 */
#ifndef SEAM_ARM64_REGISTERS_H
#define SEAM_ARM64_REGISTERS_H

#define SEAM_WALK_REGISTERS SEAM_ARM64_REGISTERS
#define SEAM_ALL_REGISTERS (~0u)
#define SEAM_SP SEAM_ARM64_SP
#define SEAM_FP SEAM_X29
/* What a system call gives back, 0 in a child that it has made. */
#define SEAM_RESULT SEAM_X0

/* x19 to x29 (AAPCS64, 6.1.1). */
#define SEAM_CALLEE_SAVED 0x3ff80000u

#define SEAM_SYSCALL_CLONE 220
#define SEAM_SYSCALL_EXECVE 221
#define SEAM_SYSCALL_EXECVEAT 281
#define SEAM_SYSCALL_CLONE3 435

static __always_inline int seam_makes_child(__s64 syscall)
{
	return syscall == SEAM_SYSCALL_CLONE || syscall == SEAM_SYSCALL_CLONE3;
}

/* A return address without its signature (FEAT_PAuth): the kernel signs nothing that user mode calls,
 * compilers do with -mbranch-protection. */
#define SEAM_ADDRESS_BITS ((1ULL << 48) - 1)

#endif

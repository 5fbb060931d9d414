/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The registers of a walk on x86-64, and the numbers of system calls that it asks for
 * (arch/x86/entry/syscalls/syscall_64.tbl, Linux 5.10 to 6.18). Included by arch.h.
 */
#ifndef SEAM_X86_64_REGISTERS_H
#define SEAM_X86_64_REGISTERS_H

#define SEAM_WALK_REGISTERS SEAM_REGISTERS
#define SEAM_ALL_REGISTERS ((1u << SEAM_REGISTERS) - 1)
#define SEAM_SP SEAM_RSP
#define SEAM_FP SEAM_RBP
/* What a system call gives back, 0 in a child that it has made. */
#define SEAM_RESULT SEAM_RAX

#define SEAM_CALLEE_SAVED                                                                          \
	((1u << SEAM_RBX) | (1u << SEAM_RBP) | (1u << SEAM_R12) | (1u << SEAM_R13) |               \
	 (1u << SEAM_R14) | (1u << SEAM_R15))


#define SEAM_SYSCALL_CLONE 56
#define SEAM_SYSCALL_FORK 57
#define SEAM_SYSCALL_VFORK 58
#define SEAM_SYSCALL_EXECVE 59
#define SEAM_SYSCALL_EXECVEAT 322
#define SEAM_SYSCALL_CLONE3 435

static __always_inline int seam_makes_child(__s64 syscall)
{
	return syscall == SEAM_SYSCALL_CLONE || syscall == SEAM_SYSCALL_FORK ||
	       syscall == SEAM_SYSCALL_VFORK || syscall == SEAM_SYSCALL_CLONE3;
}

#endif

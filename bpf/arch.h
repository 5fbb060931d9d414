/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Chooses the processor that stacks are walked of: x86-64, or AArch64 with SEAM_ARM64 defined. What
 * differs lies in the folders of that name, under the same names. The kernel side has one of them,
 * the host build both.
 */
#ifndef SEAM_ARCH_H
#define SEAM_ARCH_H

#ifdef SEAM_ARM64
#include "arm64/registers.h"
#else
#include "x86_64/registers.h"
#endif

#endif

/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The kernel's types for the processor that the programs are compiled for.
 */
#ifdef SEAM_ARM64
#include "vmlinux/arm64.h"
#else
#include "vmlinux/x86_64.h"
#endif

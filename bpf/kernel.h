/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What the kernel side asks of the kernel that differs by processor. Included by sample.bpf.c and
 * threads.bpf.c.
 */
#ifdef SEAM_ARM64
#include "arm64/kernel.h"
#else
#include "x86_64/kernel.h"
#endif

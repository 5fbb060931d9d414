/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What the code before an address says of it as a return address: for frames without a row, where a
 * word is believed only behind a call. Included by unwind.h.
 */
#ifndef SEAM_CALLS_H
#define SEAM_CALLS_H

/* A frame pointer further up the stack than this is none. */
#define SEAM_MADE_FRAME_BYTES (1 << 20)
/* A direct call that leads here leads to the start of this function: no further back than this. */
#define SEAM_MADE_FUNCTION_BYTES (1 << 20)

/* What a word is, taken for a return address into the frame's caller. */
enum seam_return_kind {
	SEAM_RETURN_NONE = 0,
	/* Behind a direct call that leads to another function. */
	SEAM_RETURN_OTHER = 1,
	/* Behind an indirect call. */
	SEAM_RETURN_INDIRECT = 2,
	/* Behind a direct call that may lead to this function. */
	SEAM_RETURN_DIRECT = 3,
};

#ifdef SEAM_ARM64
#include "arm64/calls.h"
#else
#include "x86_64/calls.h"
#endif

/* What `address` is, as the return address of the current frame. Finds its mapping. */
SEAM_APART int seam_return_kind(struct seam_walk *w, __u64 address)
{
	seam_call_code code = {};

	/* What can be no code is not looked up. */
	if (!w || !seam_may_be_code(address))
		return SEAM_RETURN_NONE;
	if (seam_find_mapping(w, address - 1) && seam_late_mapping(w, address - 1))
		return SEAM_RETURN_NONE;
	if (seam_read(w, code, sizeof(code), address - sizeof(code)))
		return SEAM_RETURN_NONE;
	return seam_call_before(code, address, w->pc);
}

#endif

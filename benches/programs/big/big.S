// The bulk of the big program: many C-like functions with frames of different sizes and
// unwind information, and filler for their bodies (\@ counts them).
	.text

	.macro big_one
	.type big_\@, @function
big_\@:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	subq $(8 + 16 * ((\@ * 40503 >> 7) & 31)), %rsp
	.cfi_adjust_cfa_offset 8 + 16 * ((\@ * 40503 >> 7) & 31)
	.skip 48 + ((\@ * 48271 >> 5) & 127), 0x90
	addq $(8 + 16 * ((\@ * 40503 >> 7) & 31)), %rsp
	.cfi_adjust_cfa_offset -(8 + 16 * ((\@ * 40503 >> 7) & 31))
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size big_\@, . - big_\@
	.endm

	.rept 450000
	big_one
	.endr

	.section .note.GNU-stack,"",@progbits

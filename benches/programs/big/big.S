// The bulk of the big program: many C-like functions with frames of different sizes and
// unwind information, and filler for their bodies. About 250 bytes of file for each.
	.altmacro
	.text

	.macro big_one number
	.type big_\number, @function
big_\number:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	subq $(8 + 16 * (\number & 31)), %rsp
	.cfi_adjust_cfa_offset 8 + 16 * (\number & 31)
	.skip 48 + (\number * 37 & 127), 0x90
	addq $(8 + 16 * (\number & 31)), %rsp
	.cfi_adjust_cfa_offset -(8 + 16 * (\number & 31))
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size big_\number, . - big_\number
	.endm

	.set count, 0
	.rept 450000
	big_one %count
	.set count, count + 1
	.endr

	.section .note.GNU-stack,"",@progbits

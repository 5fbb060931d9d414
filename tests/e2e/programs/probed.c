// Functions for probes of other tools, called all the time: one whose first instruction the kernel
// emulates, one whose first it has to run elsewhere, and one that begins with the five-byte nop that
// a newer kernel replaces by a call.
#include "e2e.h"

FN static uint64_t probed_leaf(uint64_t x) {
	return rounds(x, 2000);
}

FN uint64_t probed_inner(uint64_t x) {
	uint64_t r = probed_leaf(x);
	KEEP(r);
	return r;
}

uint64_t probed_push(uint64_t x);
uint64_t probed_step(uint64_t x);
uint64_t probed_nop(uint64_t x);

__asm__(".text\n"
	".type probed_push, @function\n"
	"probed_push: .cfi_startproc\n"
	"push %rbx\n"
	".cfi_adjust_cfa_offset 8\n"
	".cfi_rel_offset %rbx, 0\n"
	"mov $3, %ebx\n"
	"again: mov %rbx, %rdi\n"
	"call probed_step\n"
	"dec %ebx\n"
	"jnz again\n"
	"pop %rbx\n"
	".cfi_adjust_cfa_offset -8\n"
	".cfi_restore %rbx\n"
	"ret\n"
	".cfi_endproc\n"
	".size probed_push, . - probed_push\n"
	".type probed_step, @function\n"
	"probed_step: .cfi_startproc\n"
	"lea 1(%rdi), %rdi\n"
	"sub $24, %rsp\n"
	".cfi_adjust_cfa_offset 24\n"
	"call probed_nop\n"
	"add $24, %rsp\n"
	".cfi_adjust_cfa_offset -24\n"
	"ret\n"
	".cfi_endproc\n"
	".size probed_step, . - probed_step\n"
	".type probed_nop, @function\n"
	"probed_nop: .cfi_startproc\n"
	".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
	"sub $8, %rsp\n"
	".cfi_adjust_cfa_offset 8\n"
	"call probed_inner\n"
	"add $8, %rsp\n"
	".cfi_adjust_cfa_offset -8\n"
	"ret\n"
	".cfi_endproc\n"
	".size probed_nop, . - probed_nop\n");

FN static uint64_t probed_outer(uint64_t x) {
	uint64_t r = probed_push(x);
	KEEP(r);
	return r;
}

int main(void) {
	say_ready();
	for (uint64_t x = 1;;) {
		x = probed_outer(x);
		KEEP(x);
	}
}

/*
 * Stacks that a program makes without makecontext, as coroutine libraries do in assembly: a new
 * stack begins with an address in the middle of nothing that is described, behind a jump.
 */
#include "e2e.h"

#define STACK_BYTES (1 << 18)

static volatile unsigned long sink;

void *fiber_make(void *top, void (*body)(void));
void *fiber_switch(void *to, void **from);

/* rbx holds the body while a new stack waits for its first turn. */
__asm__(".text\n"
	".globl fiber_make\n"
	".type fiber_make,@function\n"
	"fiber_make:\n"
	"	and $-16, %rdi\n"
	"	lea -64(%rdi), %rax\n"
	"	mov %rsi, 0(%rax)\n"
	"	lea 2f(%rip), %rcx\n"
	"	mov %rcx, 8(%rax)\n"
	"	lea 1f(%rip), %rcx\n"
	"	mov %rcx, 16(%rax)\n"
	"	ret\n"
	"1:	push %rbp\n"
	"	jmp *%rbx\n"
	"2:	hlt\n"
	".size fiber_make, .-fiber_make\n"
	".globl fiber_switch\n"
	".type fiber_switch,@function\n"
	"fiber_switch:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	mov %rsp, (%rsi)\n"
	"	mov %rdi, %rsp\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size fiber_switch, .-fiber_switch\n");

static void *outside, *inside;

FN static void fiber_spin(int turns)
{
	for (int i = 0; i < turns; i++)
		sink = sink * 31 + (unsigned long)i;
}

FN static void fiber_inner(int turns)
{
	fiber_spin(turns);
	__asm__ volatile("");
}

static void fiber_body(void)
{
	for (;;) {
		fiber_inner(20);
		fiber_switch(outside, &inside);
	}
}

FN static void fiber_outer(void)
{
	fiber_spin(20);
	fiber_switch(inside, &outside);
	__asm__ volatile("");
}

int main(void)
{
	char *stack = malloc(STACK_BYTES);

	if (!stack)
		return 1;
	inside = fiber_make(stack + STACK_BYTES, fiber_body);
	say_ready();
	for (;;)
		fiber_outer();
}

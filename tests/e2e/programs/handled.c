/* Spends its time in a signal handler, below main. Linked statically, so that the C library's way back
 * from a handler (__restore_rt) lies in the program itself. */
#include <signal.h>
#include <stdio.h>

static volatile unsigned long rounds;

__attribute__((noinline)) static void handler_leaf(void)
{
	for (int i = 0; i < 10000000; i++)
		rounds++;
}

static void handler(int number)
{
	(void)number;
	handler_leaf();
	rounds++;
}

__attribute__((noinline)) static void raises(void)
{
	raise(SIGUSR1);
	rounds++;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGUSR1, &action, 0);
	puts("ready");
	fflush(stdout);
	for (;;)
		raises();
}

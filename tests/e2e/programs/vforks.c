/* Makes children by vfork, as posix_spawn and Python's subprocess do: glibc's vfork keeps its return
 * address in a register during the system call. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void child_made(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(0);
	waitpid(child, 0, 0);
}

__attribute__((noinline)) static void round_of_children(void)
{
	for (int i = 0; i < 64; i++)
		child_made();
}

int main(void)
{
	puts("ready");
	fflush(stdout);
	for (;;)
		round_of_children();
}

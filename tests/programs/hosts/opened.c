// A C program that opens a test program, built as a shared library: the file beside its own, with
// .so behind its name.
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(".so"));
	if (length < 0)
		return 1;
	strcpy(path + length, ".so");
	void *library = dlopen(path, RTLD_NOW);
	void (*run)(void) = library ? (void (*)(void))dlsym(library, "harness_run") : NULL;
	if (run == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	run();
	return 0;
}

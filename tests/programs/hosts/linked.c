// A C program that a test program is linked into, as an archive or as a shared library.
void harness_run(void);

int main(void) {
	harness_run();
	return 0;
}

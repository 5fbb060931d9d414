// An exception thrown and caught, so that libgcc's unwinder runs.
#include <cstdint>

__attribute__((noipa)) static uint64_t seam_throw(uint64_t n)
{
	if (n & 1)
		throw n;
	return n;
}

extern "C" uint64_t seam_throwing(uint64_t n)
{
	try {
		return seam_throw(n) + 1;
	} catch (uint64_t v) {
		return v;
	}
}

// Machine code written at run time, by hand: what calls what is known byte by byte. The names go to
// /tmp/perf-PID.map as compilers at run time write them.
#ifndef MADE_H
#define MADE_H

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "e2e.h"

typedef uint64_t (*made_code)(uint64_t);

// Where each function lies in the page.
enum {
	MADE_LEAF = 0x10,
	MADE_FRAME = 0x100,
	MADE_BACK = 0x200,
	MADE_BARE = 0x300,
	MADE_STALE = 0x400,
	MADE_END = 0x500,
};

// No frame at all: mov rax, rdi; mov ecx, 40000; again: lea rax, [rax+rax*4+1]; dec ecx;
// jnz again; ret
static const unsigned char made_leaf[] = {
	0x48, 0x89, 0xf8, 0xb9, 0x40, 0x9c, 0, 0, 0x48, 0x8d, 0x44, 0x80, 0x01, 0xff, 0xc9,
	0x75, 0xf7, 0xc3,
};
// push rbp; mov rbp, rsp; sub rsp, 48; mov [rsp], rdi; call made_leaf; call made_leaf;
// mov ecx, 40000; again: lea rax, [rax+rax*4+1]; dec ecx; jnz again; leave; ret
static const unsigned char made_frame[] = {
	0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x30, 0x48, 0x89, 0x3c, 0x24,
	0xe8, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0,
	0xb9, 0x40, 0x9c, 0, 0, 0x48, 0x8d, 0x44, 0x80, 0x01, 0xff, 0xc9, 0x75, 0xf7, 0xc9, 0xc3,
};
// endbr64; push rbp; mov rbp, rsp; push rbx; push rbx; mov rax, made_work; call rax; pop rbx;
// pop rbx; pop rbp; ret
static const unsigned char made_back[] = {
	0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x53, 0x53, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
	0xff, 0xd0, 0x5b, 0x5b, 0x5d, 0xc3,
};
// No frame pointer: push rbx; four times push 0; mov rax, made_work; mov [rsp], rax; call [rsp];
// add rsp, 32; pop rbx; ret
static const unsigned char made_bare[] = {
	0x53, 0x6a, 0, 0x6a, 0, 0x6a, 0, 0x6a, 0, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
	0x48, 0x89, 0x04, 0x24, 0xff, 0x14, 0x24, 0x48, 0x83, 0xc4, 0x20, 0x5b, 0xc3,
};
// The same with sub rsp, 32 instead: what lies in its frame is left from other calls.
static const unsigned char made_stale[] = {
	0x53, 0x48, 0x83, 0xec, 0x20, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x89, 0x04, 0x24,
	0xff, 0x14, 0x24, 0x48, 0x83, 0xc4, 0x20, 0x5b, 0xc3,
};

FN static uint64_t made_c_leaf(uint64_t x) {
	return rounds(x, 40000);
}

FN static uint64_t made_work(uint64_t x) {
	uint64_t r = made_c_leaf(x);
	KEEP(r);
	return r;
}

static inline void made_call(char *page, unsigned at, unsigned function, unsigned target) {
	int distance = (int)(target - (function + at + 5));
	memcpy(page + function + at + 1, &distance, 4);
}

// The functions in a page of the kind: 0 anonymous and writable, 1 anonymous, made executable when
// it is written, 2 a file in memory with a second, executable mapping.
static inline char *made_page(int kind) {
	int file = kind == 2 ? memfd_create("made", 0) : -1;
	if (kind == 2 && ftruncate(file, 4096) != 0) {
		return NULL;
	}
	int all = PROT_READ | PROT_WRITE | (kind == 0 ? PROT_EXEC : 0);
	int how = kind == 2 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	char *page = mmap(NULL, 4096, all, how, file, 0);
	if (page == MAP_FAILED) {
		return NULL;
	}
	void *work = (void *)(uintptr_t)made_work;
	memset(page, 0x90, 4096);
	memcpy(page + MADE_LEAF, made_leaf, sizeof made_leaf);
	memcpy(page + MADE_FRAME, made_frame, sizeof made_frame);
	made_call(page, 12, MADE_FRAME, MADE_LEAF);
	made_call(page, 17, MADE_FRAME, MADE_LEAF);
	memcpy(page + MADE_BACK, made_back, sizeof made_back);
	memcpy(page + MADE_BACK + 12, &work, 8);
	memcpy(page + MADE_BARE, made_bare, sizeof made_bare);
	memcpy(page + MADE_BARE + 11, &work, 8);
	memcpy(page + MADE_STALE, made_stale, sizeof made_stale);
	memcpy(page + MADE_STALE + 7, &work, 8);
	if (kind == 1 && mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) {
		return NULL;
	}
	if (kind == 2) {
		page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
	}
	return page == MAP_FAILED ? NULL : page;
}

static inline void made_names(const char *page) {
	char path[64];
	snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		exit(1);
	}
	const char *names[] = {"made_leaf", "made_frame", "made_back", "made_bare", "made_stale"};
	unsigned starts[] = {MADE_LEAF, MADE_FRAME, MADE_BACK, MADE_BARE, MADE_STALE, MADE_END};
	for (int i = 0; i < 5; i++) {
		fprintf(file, "%lx %x %s\n", (unsigned long)(uintptr_t)page + starts[i],
			starts[i + 1] - starts[i], names[i]);
	}
	fclose(file);
}

FN static uint64_t made_calls(made_code function, uint64_t x) {
	uint64_t r = function(x);
	KEEP(r);
	return r;
}

// One call of each, from ordinary C.
FN static uint64_t made_round(char *page, uint64_t x) {
	x = made_calls((made_code)(uintptr_t)(page + MADE_FRAME), x);
	x = made_calls((made_code)(uintptr_t)(page + MADE_BACK), x);
	x = made_calls((made_code)(uintptr_t)(page + MADE_BARE), x);
	x = made_calls((made_code)(uintptr_t)(page + MADE_STALE), x);
	KEEP(x);
	return x;
}

#endif

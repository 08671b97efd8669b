/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/piece.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/buf.h"
#include "envelope/envelope.h"

#define PAGE_LEN 4096u
#define HUGE_LEN (2u << 20)
#define BAD_STEP 32u

void piece_init(struct piece *p, size_t cap) {
	*p = (struct piece){ .cap = cap, .mem = xmalloc(cap + OBJECT_TRAILER_LEN + 3 * (size_t)PAGE_LEN), .o = p->o };
	p->body = p->mem + PAGE_LEN;
}

static int64_t used_ns(void) {
	struct timespec t;

	return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? t.tv_sec * INT64_C(1000000000) + t.tv_nsec : 0;
}

/* Has every page put in place; returns what that cost. */
static int64_t populate(uint8_t *body) {
	int64_t start = used_ns();

	for (size_t i = 0; i < SEGMENT_LEN; i += PAGE_LEN)
		((volatile uint8_t *)body)[i] = 0;
	return used_ns() - start;
}

/* The body fills huge pages to the last byte; header and trailer lie in small ones on either side. */
void piece_map(struct piece *p) {
	size_t len = SEGMENT_LEN + HUGE_LEN + 2 * (size_t)PAGE_LEN;
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t body = ((uintptr_t)mem + PAGE_LEN + HUGE_LEN - 1) / HUGE_LEN * HUGE_LEN;

	if (mem == MAP_FAILED) {
		piece_init(p, SEGMENT_LEN);
		return;
	}
	*p = (struct piece){ .cap = SEGMENT_LEN, .mem = mem, .mapped = len, .o = p->o };
	p->body = p->mem + (body - (uintptr_t)mem);
	(void)madvise(p->body, SEGMENT_LEN, MADV_HUGEPAGE); /* a wish: the time tells whether it was granted */
	p->cost_ns = populate(p->body);
}

void piece_wipe(struct piece *p) {
	if (p->mapped != 0)
		(void)munmap(p->mem, p->mapped);
	else
		free(p->mem);
	*p = (struct piece){ .o = p->o };
}

/* Within a page of memory the body stands where it stands in a page of the output, but for half a page: the kernel copies to cache lines
 * from cache lines a quarter faster than from between them (pwrite on Zen 4). And it copies at a third of its speed to where a page's
 * offset is 1 to 31 above that of the source: not where the input stands. */
void piece_place(struct piece *p, uint64_t in_off, uint64_t out_off) {
	uintptr_t page = ((uintptr_t)p->mem + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN, start = (uintptr_t)p->mem;
	uint64_t at = (out_off + PAGE_LEN / 2) % PAGE_LEN;

	if (p->mapped != 0)
		return;
	if ((at - in_off) % PAGE_LEN < BAD_STEP)
		at = (at + PAGE_LEN / 4) % PAGE_LEN;
	if (at < OBJECT_HEADER_MAX)
		at += PAGE_LEN;
	p->body = p->mem + (page - start) + at;
}

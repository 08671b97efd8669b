/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#define SECRET_HEAP_PIECE 32 /* bytes, a power of two: the smallest piece; a P-256 scalar */

#define SPARE_MAX 16 /* pages */

/* Pages that were wiped and wait for the next secret. Each file has several keys that live for a millisecond, and to give a page back
 * interrupts every core that the process runs on. */
static struct {
	pthread_mutex_t lock;
	void *page[SPARE_MAX];
	size_t n;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t page_size(void) {
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Whole pages for each secret: what shares a page would share its locking and its dump flag. */
static size_t mapped(size_t len) {
	size_t page = page_size();

	return (len + page - 1) / page * page;
}

static void *take_spare(size_t len) {
	void *p = NULL;

	(void)pthread_mutex_lock(&spare.lock);
	if (len == page_size() && spare.n > 0)
		p = spare.page[--spare.n];
	(void)pthread_mutex_unlock(&spare.lock);
	return p;
}

static bool keep_spare(void *p, size_t len) {
	bool kept = false;

	(void)pthread_mutex_lock(&spare.lock);
	if (len == page_size() && spare.n < SPARE_MAX) {
		spare.page[spare.n++] = p;
		kept = true;
	}
	(void)pthread_mutex_unlock(&spare.lock);
	return kept;
}

static void *new_pages(size_t len) {
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* RLIMIT_MEMLOCK is small for ordinary users: then a secret may reach the swap, but still no core dump and no child. */
	(void)mlock(p, len);
	(void)madvise(p, len, MADV_DONTDUMP);
	(void)madvise(p, len, MADV_WIPEONFORK);
	return p;
}

int secret_init(struct secret *s, size_t len, struct err *e) {
	void *p;

	if (len == 0 || len > SECRET_MAX)
		return err_set(e, ERR_FAIL, "a secret has 1 to %d bytes", SECRET_MAX);
	p = take_spare(mapped(len));
	if (p == NULL)
		p = new_pages(mapped(len));
	if (p == NULL)
		return err_sys(e, ERR_FAIL, "memory for a secret");
	s->data = p;
	s->len = len;
	return 0;
}

int secret_random(struct secret *s, size_t len, struct err *e) {
	int r = secret_init(s, len, e);

	if (r == 0)
		r = random_bytes(s->data, len, e);
	if (r != 0)
		secret_wipe(s);
	return r;
}

int secret_copy(struct secret *s, const uint8_t *data, size_t len, struct err *e) {
	int r = secret_init(s, len, e);

	if (r == 0)
		memcpy(s->data, data, len);
	return r;
}

void secret_wipe(struct secret *s) {
	if (s->data != NULL) {
		OPENSSL_cleanse(s->data, mapped(s->len));
		if (!keep_spare(s->data, mapped(s->len)))
			(void)munmap(s->data, mapped(s->len));
	}
	*s = (struct secret){0};
}

bool secret_equal(const struct secret *a, const struct secret *b) {
	return a->len == b->len && (a->len == 0 || CRYPTO_memcmp(a->data, b->data, a->len) == 0);
}

static void wipe_and_free(void *p) {
	if (p == NULL)
		return;
	OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

void secret_heap(size_t bytes) {
	size_t size = SECRET_HEAP;

	while (size < bytes && size < SECRET_HEAP_MAX)
		size *= 2;
	if (CRYPTO_secure_malloc_initialized() == 1 && CRYPTO_secure_malloc_done() != 1)
		return; /* in use */
	(void)CRYPTO_secure_malloc_init(size, SECRET_HEAP_PIECE);
}

/* core(5): nothing of memory goes into a core, whoever takes it and whatever the limits say. Before the process becomes undumpable: then the
 * file is root's. */
static void keep_out_of_cores(void) {
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	(void)close(fd);
}

void secret_undumpable(void) {
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void secret_harden_process(void) {
	json_set_alloc_funcs(malloc, wipe_and_free);
	(void)unsetenv("SSLKEYLOGFILE"); /* libcurl would write there what opens its TLS connections */
	keep_out_of_cores();
	secret_undumpable();
	secret_heap(SECRET_HEAP);
	(void)umask(077);
}

int random_bytes(uint8_t *out, size_t len, struct err *e) {
	if (len > INT32_MAX || RAND_bytes(out, (int)len) != 1)
		return err_set(e, ERR_FAIL, "no random bytes to be had");
	return 0;
}

int random_uuid(uint8_t out[static 16], struct err *e) {
	int r = random_bytes(out, 16, e);

	out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
	return r;
}

void secret_clean(void *p, size_t len) {
	OPENSSL_cleanse(p, len);
}

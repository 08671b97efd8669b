/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <fcntl.h>
#include <malloc.h>
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

/* Whole pages for each secret: what shares a page would share its locking and its dump flag. */
static size_t mapped(size_t len) {
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

int secret_init(struct secret *s, size_t len, struct err *e) {
	void *p;

	if (len == 0 || len > SECRET_MAX)
		return err_set(e, ERR_FAIL, "a secret has 1 to %d bytes", SECRET_MAX);
	p = mmap(NULL, mapped(len), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_sys(e, ERR_FAIL, "memory for a secret");
	/* RLIMIT_MEMLOCK is small for ordinary users: then a secret may reach the swap, but still no core dump and no child. */
	(void)mlock(p, mapped(len));
	(void)madvise(p, mapped(len), MADV_DONTDUMP);
	(void)madvise(p, mapped(len), MADV_WIPEONFORK);
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
		OPENSSL_cleanse(s->data, s->len);
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

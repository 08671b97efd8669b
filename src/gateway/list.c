/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/list.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "pki/pem.h"

OWN_DEFINE(pem_stream, struct pem_stream, pem_stream_free)

/* Who is revoked is refused whatever the disk says. */
static int open_file(struct list_in *in, struct err *e) {
	if (spool_open(in->dir, 0, &in->fd, e) != 0 && spool_open_in_memory(&in->fd, e) != 0)
		return e->code;
	return file_write_all(in->fd, in->mem.data, in->mem.len, "revocation list", e);
}

/* The disk is full: what it took goes on in memory. */
static int move_to_memory(struct list_in *in, struct err *e) {
	OWN(spool_unmap) struct spool_map m = { 0 };
	int fd;

	if (ftruncate(in->fd, (off_t)in->len) != 0 || spool_map(in->fd, CRL_MAX_BYTES, &m, e) != 0)
		return err_set(e, ERR_FAIL, "revocation list: no room for it");
	if (spool_open_in_memory(&fd, e) != 0)
		return e->code;
	spool_close(&in->fd);
	in->fd = fd;
	return file_write_all(fd, m.data, m.len, "revocation list", e);
}

static int write_on(struct list_in *in, const uint8_t *data, size_t len, struct err *e) {
	if (file_write_all(in->fd, data, len, "revocation list", e) == 0)
		return 0;
	return move_to_memory(in, e) != 0 ? e->code : file_write_all(in->fd, data, len, "revocation list", e);
}

int list_in_add(void *arg, const uint8_t *data, size_t len, struct err *e) {
	struct list_in *in = arg;

	if (len > CRL_MAX_BYTES - in->len)
		return err_set(e, ERR_DAMAGED, "a revocation list above %u MiB", CRL_MAX_BYTES >> 20);
	if (in->fd < 0 && in->len + len <= LIST_SMALL) {
		buf_add(&in->mem, data, len);
	} else {
		if (in->fd < 0 && open_file(in, e) != 0)
			return e->code;
		buf_wipe(&in->mem);
		if (write_on(in, data, len, e) != 0)
			return e->code;
	}
	in->len += len;
	return 0;
}

void list_in_wipe(struct list_in *in) {
	buf_wipe(&in->mem);
	spool_close(&in->fd);
	in->len = 0;
}

int list_in_read(struct list_in *in, int fd, size_t max, struct err *e) {
	OWN(own_pem_stream) struct pem_stream *s = pem_stream_new(CRL_PEM_LABEL, list_in_add, in);
	uint8_t piece[65536];
	size_t got, all = 0;

	do {
		if (file_read_full(fd, piece, sizeof piece, &got, "revocation list", e) != 0)
			return e->code;
		if ((all += got) > max)
			return err_set(e, ERR_DAMAGED, "a revocation list above %zu MiB", max >> 20);
		if (pem_stream_feed(s, piece, got, e) != 0)
			return e->code;
	} while (got == sizeof piece);
	return pem_stream_end(s, e);
}

void list_rest(const struct list *l) {
	spool_rest(&l->map);
}

static int make(struct list *l, X509 *ca, struct err *e) {
	int r = crl_set_make(l->der, l->len, ca, &l->set, e);

	list_rest(l);
	return r;
}

static struct list *new_list(struct list_in *in, struct err *e) {
	struct list *l = xcalloc(1, sizeof *l);

	l->refs = 1;
	l->mem = in->mem;
	in->mem = (struct buf){ 0 };
	l->der = l->mem.data;
	l->len = l->mem.len;
	if (in->fd >= 0) {
		if (spool_map(in->fd, CRL_MAX_BYTES, &l->map, e) != 0) {
			list_free(l);
			return NULL;
		}
		l->der = l->map.data;
		l->len = l->map.len;
	}
	return l;
}

int list_make(struct list_in *in, X509 *ca, struct list **out, struct err *e) {
	struct list *l = new_list(in, e);

	list_in_wipe(in);
	if (l == NULL)
		return e->code;
	if (make(l, ca, e) != 0) {
		list_free(l);
		return e->code;
	}
	*out = l;
	return 0;
}

int list_make_of(struct buf *der, X509 *ca, struct list **l, struct err *e) {
	struct list_in in = { .mem = *der, .fd = -1 };

	*der = (struct buf){ 0 };
	return list_make(&in, ca, l, e);
}

bool list_is_large(const struct list *l) {
	return l != NULL && crl_set_count(l->set) > LIST_LARGE;
}

struct list *list_ref(struct list *l) {
	if (l != NULL)
		__atomic_add_fetch(&l->refs, 1, __ATOMIC_RELAXED);
	return l;
}

void list_free(struct list *l) {
	if (l == NULL || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	crl_set_free(l->set);
	buf_wipe(&l->mem);
	spool_unmap(&l->map);
	free(l);
}

static void *free_one(void *arg) {
	list_free(arg);
	return NULL;
}

void list_free_aside(struct list *l) {
	pthread_t thread;

	if (!list_is_large(l) || pthread_create(&thread, NULL, free_one, l) != 0)
		list_free(l);
	else
		(void)pthread_detach(thread);
}

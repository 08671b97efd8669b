/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of ids: which file an object is, and which ids are there to be used. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "store/gdrive_state.h"

#define SETS 4096u  /* of the table of objects: with 4 places each it remembers 10,000 random ids without losing one in a hundred */
#define PLACES 4u
#define BATCH_FIRST 10u
#define BATCH_MAX 1000u /* generateIds gives no more */

struct place {
	char object[STORE_ID_LEN + 1];
	char file[GDRIVE_FILE_MAX + 1];
};

struct gdrive_known {
	struct place v[SETS][PLACES];
	uint8_t next[SETS]; /* the place that is taken next where all four are used */
};

struct gdrive_known *gdrive_known_new(void) {
	return xcalloc(1, sizeof(struct gdrive_known));
}

void gdrive_known_free(struct gdrive_known *k) {
	free(k);
}

/* FNV-1a: the ids are random, only planted ones are not, and those harm nothing but the memory of themselves. */
static unsigned set_of(const char *object) {
	uint32_t h = 2166136261u;

	for (; *object != '\0'; object++)
		h = (h ^ (uint8_t)*object) * 16777619u;
	return (h ^ h >> 16) % SETS;
}

static struct place *find(struct gdrive_known *k, const char *object) {
	struct place *set = k->v[set_of(object)];

	for (unsigned i = 0; i < PLACES; i++)
		if (strcmp(set[i].object, object) == 0)
			return &set[i];
	return NULL;
}

bool gdrive_recall(struct gdrive *g, const char *object, char file[static GDRIVE_FILE_MAX + 1]) {
	const struct place *p;

	(void)pthread_mutex_lock(&g->lock);
	p = find(g->known, object);
	if (p != NULL)
		memcpy(file, p->file, sizeof(p->file));
	(void)pthread_mutex_unlock(&g->lock);
	return p != NULL;
}

void gdrive_remember(struct gdrive *g, const char *object, const char *file) {
	unsigned set = set_of(object);
	struct place *p;

	(void)pthread_mutex_lock(&g->lock);
	p = find(g->known, object);
	if (p == NULL) {
		p = &g->known->v[set][g->known->next[set]];
		g->known->next[set] = (uint8_t)((g->known->next[set] + 1) % PLACES);
	}
	memcpy(p->object, object, strlen(object) + 1);
	memcpy(p->file, file, strlen(file) + 1);
	(void)pthread_mutex_unlock(&g->lock);
}

void gdrive_forget(struct gdrive *g, const char *object) {
	struct place *p;

	(void)pthread_mutex_lock(&g->lock);
	p = find(g->known, object);
	if (p != NULL)
		memset(p, 0, sizeof(*p));
	(void)pthread_mutex_unlock(&g->lock);
}

struct gdrive_pool {
	pthread_mutex_t lock; /* held while ids are fetched: who needs one waits for these */
	char (*v)[GDRIVE_FILE_MAX + 1];
	size_t n, room;
	unsigned batch;
};

struct gdrive_pool *gdrive_pool_new(void) {
	struct gdrive_pool *p = xcalloc(1, sizeof(*p));

	(void)pthread_mutex_init(&p->lock, NULL);
	p->batch = BATCH_FIRST;
	return p;
}

void gdrive_pool_free(struct gdrive_pool *p) {
	if (p == NULL)
		return;
	(void)pthread_mutex_destroy(&p->lock);
	free(p->v);
	free(p);
}

static void add_id(void *arg, const char *id) {
	struct gdrive_pool *p = arg;

	if (p->n == p->room) {
		p->room = p->room * 2 + BATCH_FIRST;
		p->v = xrealloc(p->v, p->room, sizeof(p->v[0]));
	}
	memcpy(p->v[p->n++], id, strlen(id) + 1);
}

/* Few at first, since most commands make one object; more for who makes many. */
static int fetch_ids(struct gdrive *g, struct gdrive_pool *pool, struct err *e) {
	OWN(own_free) char *count = xasprintf("%u", pool->batch);
	OWN(own_free) char *url =
	    gdrive_url(g, "/drive/v3/files/generateIds", (const char *const[]){ "count", count, "space", "drive", "fields", "ids", NULL });
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	int r = gdrive_ask(g, "GET", url, GDRIVE_PAGE_MAX, "files.generateIds", &p, e);

	if (r == 0)
		r = gdrive_parse_ids(&p.body, add_id, pool, e);
	if (r == 0)
		pool->batch = pool->batch * 10 < BATCH_MAX ? pool->batch * 10 : BATCH_MAX;
	return r;
}

int gdrive_new_id(struct gdrive *g, char file[static GDRIVE_FILE_MAX + 1], struct err *e) {
	struct gdrive_pool *pool = g->pool;
	int r = 0;

	(void)pthread_mutex_lock(&pool->lock);
	if (pool->n == 0)
		r = fetch_ids(g, pool, e);
	if (r == 0)
		memcpy(file, pool->v[--pool->n], sizeof(pool->v[0]));
	(void)pthread_mutex_unlock(&pool->lock);
	return r;
}

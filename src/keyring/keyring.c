/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring/keyring.h"

#include <stdlib.h>
#include <string.h>

static void epoch_wipe(struct epoch *e) {
	secret_wipe(&e->key);
}

void keyring_wipe(struct keyring *k) {
	for (size_t i = 0; i < k->n; i++)
		epoch_wipe(&k->v[i]);
	free(k->v);
	free(k->group);
	*k = (struct keyring){0};
}

static int64_t later(int64_t a, int64_t b) {
	return a > b ? a : b;
}

int keyring_rotate(struct keyring *k, int64_t now_s, struct err *e) {
	struct epoch fresh = { .number = 1, .created_s = now_s };
	int r;

	if (k->n >= KEYRING_MAX)
		return err_set(e, ERR_FAIL, "a group keeps at most %d epochs", KEYRING_MAX);
	if ((r = random_bytes(fresh.key_id, sizeof(fresh.key_id), e)) != 0 || (r = secret_random(&fresh.key, GROUP_KEY_LEN, e)) != 0)
		return r;
	if (k->n > 0) {
		/* A clock that went back does not make an epoch end before it began. */
		k->v[0].retired_s = later(now_s, k->v[0].created_s);
		fresh.number = k->v[0].number + 1;
		fresh.created_s = k->v[0].retired_s;
	}
	k->v = xrealloc(k->v, k->n + 1, sizeof(*k->v));
	memmove(k->v + 1, k->v, k->n * sizeof(*k->v));
	k->v[0] = fresh;
	k->n++;
	return 0;
}

const struct epoch *keyring_find(const struct keyring *k, const uint8_t key_id[static KEY_ID_LEN]) {
	for (size_t i = 0; i < k->n; i++)
		if (memcmp(k->v[i].key_id, key_id, KEY_ID_LEN) == 0)
			return &k->v[i];
	return NULL;
}

const struct epoch *keyring_current(const struct keyring *k) {
	return k->n > 0 ? &k->v[0] : NULL;
}

int keyring_drop(struct keyring *k, uint64_t number, struct err *e) {
	for (size_t i = 0; i < k->n; i++) {
		if (k->v[i].number != number)
			continue;
		if (i == 0)
			return err_set(e, ERR_FAIL, "the current epoch is not dropped");
		epoch_wipe(&k->v[i]);
		memmove(k->v + i, k->v + i + 1, (k->n - i - 1) * sizeof(*k->v));
		k->n--;
		return 0;
	}
	return err_set(e, ERR_NOTFOUND, "no epoch %llu", (unsigned long long)number);
}

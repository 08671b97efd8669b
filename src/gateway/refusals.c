/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/refusals.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct slot {
	struct record what; /* but for time and number */
	bool used;
	int64_t told_ms; /* when an entry told of it last */
};

struct refusals {
	struct slot v[REFUSALS_MAX];
	size_t known; /* slots with a serial number */
};

struct refusals *refusals_new(void) {
	return xcalloc(1, sizeof(struct refusals));
}

void refusals_free(struct refusals *r) {
	free(r);
}

static bool is_quiet(const struct slot *s, int64_t now_ms) {
	return s->what.count == 0 && now_ms - s->told_ms >= REFUSALS_EVERY_MS;
}

/* The slot of this reason and serial number, a new one, or NULL. */
static struct slot *find(struct refusals *r, const struct record *what) {
	struct slot *empty = NULL;

	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		struct slot *s = &r->v[i];

		if (!s->used) {
			if (empty == NULL)
				empty = s;
		} else if (strcmp(s->what.reason, what->reason) == 0 && strcmp(s->what.serial, what->serial) == 0) {
			return s;
		}
	}
	if (empty == NULL || (what->serial[0] != '\0' && r->known >= REFUSALS_KNOWN_MAX))
		return NULL;
	r->known += what->serial[0] != '\0';
	*empty = (struct slot){ .what = *what, .used = true, .told_ms = INT64_MIN / 2 };
	return empty;
}

static void make_room(struct refusals *r) {
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < REFUSALS_MAX; i++)
		if (r->v[i].used && is_quiet(&r->v[i], now_ms)) {
			r->known -= r->v[i].what.serial[0] != '\0';
			r->v[i].used = false;
		}
}

static struct slot *find_or_make_room(struct refusals *r, const struct record *what) {
	struct slot *s = find(r, what);

	if (s != NULL)
		return s;
	make_room(r);
	return find(r, what);
}

void refusals_add(struct refusals *r, const char *reason, size_t reason_len, const char *name, const char *serial, const char *address) {
	struct record what = { .kind = RECORD_REFUSED };
	struct slot *s;

	if (reason_len >= sizeof what.reason)
		reason_len = sizeof what.reason - 1;
	memcpy(what.reason, reason, reason_len);
	if (name != NULL && serial != NULL) {
		record_set(what.name, sizeof what.name, name);
		record_set(what.serial, sizeof what.serial, serial);
		record_set(what.address, sizeof what.address, address);
	}
	s = find_or_make_room(r, &what);
	if (s == NULL) {
		what.name[0] = what.serial[0] = what.address[0] = '\0';
		s = find_or_make_room(r, &what);
	}
	if (s == NULL)
		return; /* reasons are fewer than the slots that are left for them */
	s->what.count++;
	memcpy(s->what.address, what.address, sizeof what.address);
}

void refusals_tell(struct refusals *r, struct audit *a, int64_t now_s, bool all) {
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		struct slot *s = &r->v[i];

		if (!s->used || s->what.count == 0 || (!all && now_ms - s->told_ms < REFUSALS_EVERY_MS) || audit_waiting(a) >= AUDIT_WAITING_MAX)
			continue;
		s->what.time_s = now_s;
		audit_add(a, &s->what, true);
		s->what.count = 0;
		s->told_ms = now_ms;
	}
}

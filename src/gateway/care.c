/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/care.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define AGAIN_MS ((int64_t)86400 * 1000)

static void say(const struct sight *s, enum sight_state state, const char *reasons, int64_t now_s) {
	char crl[32] = "", cert[32];

	if (state == SIGHT_OK) {
		log_event(LOG_LEVEL_INFO, "healthy", NULL);
		return;
	}
	if (s->has_list)
		(void)snprintf(crl, sizeof crl, "%" PRId64, (s->crl_next_s - now_s) / 3600);
	(void)snprintf(cert, sizeof cert, "%" PRId64, (s->cert_end_s - now_s) / 86400);
	log_event(LOG_LEVEL_WARN, state == SIGHT_CLOSED ? "closed" : "degraded", "reasons", reasons, "crl-hours-left",
	    s->has_list ? crl : NULL, "certificate-days-left", cert, NULL);
}

void care_look(struct care *c, const struct sight *s, int64_t now_s, int64_t now_ms) {
	const char *reasons[SIGHT_REASONS];
	char text[sizeof c->said] = "";
	enum sight_state state;
	size_t n, len = 0;

	state = sight_judge(s, now_s, now_ms, reasons, &n);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? "," : "", reasons[i]);
	if (strcmp(text, c->said) == 0 && (n == 0 || now_ms < c->again_ms))
		return;
	memcpy(c->said, text, sizeof text);
	c->again_ms = now_ms + AGAIN_MS;
	say(s, state, text, now_s);
}

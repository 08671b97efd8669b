/* SPDX-License-Identifier: Apache-2.0 */
#include "net/head.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

void head_init(struct head *h, size_t max) {
	*h = (struct head){ .max = max };
}

void head_wipe(struct head *h) {
	free(h->location);
	free(h->range);
	free(h->content_range);
	h->location = h->range = h->content_range = NULL;
}

/* "Name: value" of this name (lower or upper case): the value, else NULL. */
static const char *value_of(const char *line, const char *name) {
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " \t");
}

static bool take_type(struct head *h, const char *value, struct err *why) {
	size_t len = strcspn(value, "; \t");

	(void)why;
	if (len >= sizeof h->type)
		len = 0;
	for (size_t i = 0; i < len; i++)
		h->type[i] = (char)(value[i] >= 'A' && value[i] <= 'Z' ? value[i] + 'a' - 'A' : value[i]);
	h->type[len] = '\0';
	return true;
}

static bool take_coding(struct head *h, const char *value, struct err *why) {
	size_t len = strlen(value);

	if (strcasecmp(value, "identity") == 0)
		len = 0;
	if (len >= sizeof h->coding)
		return err_set(why, ERR_DAMAGED, "RFC 9110 12.5.3: a content coding that was not asked for") == 0;
	memcpy(h->coding, value, len);
	h->coding[len] = '\0';
	return true;
}

static bool take_length(struct head *h, const char *value, struct err *why) {
	uint64_t n;

	if (text_u64(value, INT64_MAX, &n, NULL) != 0 || (h->has_length && h->length != n))
		return err_set(why, ERR_DAMAGED, "RFC 9110 8.6: ill-formed Content-Length") == 0;
	h->has_length = true;
	h->length = n;
	return true;
}

static bool take_retry_after(struct head *h, const char *value, struct err *why) {
	uint64_t n;

	(void)why;
	if (value[0] != '\0' && strspn(value, "0123456789") == strlen(value))
		h->retry_delta_s = text_u64(value, HEAD_RETRY_AFTER_MAX, &n, NULL) == 0 ? (unsigned)n : HEAD_RETRY_AFTER_MAX;
	else
		h->retry_date_s = (int64_t)curl_getdate(value, NULL);
	return true;
}

static bool take_date(struct head *h, const char *value, struct err *why) {
	(void)why;
	h->date_s = (int64_t)curl_getdate(value, NULL);
	return true;
}

static bool take_copy(char **to, const char *value) {
	free(*to);
	*to = xstrdup(value);
	return true;
}

static bool take_location(struct head *h, const char *value, struct err *why) {
	(void)why;
	return take_copy(&h->location, value);
}

static bool take_range(struct head *h, const char *value, struct err *why) {
	(void)why;
	return take_copy(&h->range, value);
}

static bool take_content_range(struct head *h, const char *value, struct err *why) {
	(void)why;
	return take_copy(&h->content_range, value);
}

/* A new reply begins: behind a 100 Continue, for example. */
static bool take_status(struct head *h, const char *line, struct err *why) {
	const char *p = strchr(line, ' ');
	size_t bytes = h->bytes;
	bool went_on = h->went_on || h->status == 100;

	if (p == NULL || strspn(p + 1, "0123456789") != 3)
		return err_set(why, ERR_DAMAGED, "RFC 9112 4: ill-formed status line") == 0;
	head_wipe(h);
	head_init(h, h->max);
	h->bytes = bytes;
	h->went_on = went_on;
	h->status = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
	return true;
}

static const struct {
	const char *name;
	bool (*take)(struct head *h, const char *value, struct err *why);
} fields[] = {
	{ "content-type", take_type },
	{ "content-encoding", take_coding },
	{ "content-length", take_length },
	{ "retry-after", take_retry_after },
	{ "date", take_date },
	{ "location", take_location },
	{ "range", take_range },
	{ "content-range", take_content_range },
};

static bool take_line(struct head *h, const char *line, struct err *why) {
	const char *v;

	if (h->ended && h->status >= 200)
		return true; /* trailers say nothing that counts here (RFC 9110 6.5) */
	if (strncmp(line, "HTTP/", 5) == 0)
		return take_status(h, line, why);
	h->ended = line[0] == '\0';
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if ((v = value_of(line, fields[i].name)) != NULL)
			return fields[i].take(h, v, why);
	return true;
}

bool head_line(struct head *h, const char *line, size_t len, struct err *why) {
	OWN(own_free) char *copy = NULL;

	if (len > h->max - h->bytes)
		return err_set(why, ERR_FAIL, "more than %zu bytes of headers", h->max) == 0;
	h->bytes += len;
	while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL && line[len - 1] != '\0')
		len--;
	copy = xmalloc(len + 1);
	memcpy(copy, line, len);
	copy[len] = '\0';
	return take_line(h, copy, why);
}

unsigned head_retry_after_s(const struct head *h) {
	int64_t now_s, wait_s;

	if (h->retry_delta_s != 0 || h->retry_date_s <= 0)
		return h->retry_delta_s;
	now_s = h->date_s > 0 ? h->date_s : clock_now_s();
	if (h->retry_date_s <= now_s)
		return 0;
	wait_s = h->retry_date_s - now_s;
	return wait_s > HEAD_RETRY_AFTER_MAX ? HEAD_RETRY_AFTER_MAX : (unsigned)wait_s;
}

int head_check_type(const struct head *h, const char *expect, struct err *e) {
	OWN(buf_wipe) struct buf type = {0};

	if (expect == NULL || strcmp(h->type, expect) == 0)
		return 0;
	text_escape(h->type, strlen(h->type), &type);
	return err_set(e, ERR_DAMAGED, "a reply of type \"%s\", not %s", buf_str(&type), expect);
}

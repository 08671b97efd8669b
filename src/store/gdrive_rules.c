/* SPDX-License-Identifier: Apache-2.0 */
/* Names, statuses and headers: what needs no JSON. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "store/gdrive_reply.h"

bool gdrive_is_file_id(const char *s) {
	size_t len = strlen(s);

	return len > 0 && len <= GDRIVE_FILE_MAX &&
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

void gdrive_name(const char *object, char name[static STORE_ID_LEN + sizeof(".cms")]) {
	(void)snprintf(name, STORE_ID_LEN + sizeof(".cms"), "%s.cms", object);
}

/* What Drive refuses and how, by error.errors[].reason; the same status stands for a limit of the second and for one of the day. */
static const struct {
	const char *reason;
	bool passing;
	int code;
	const char *text;
} reasons[] = {
	{ "rateLimitExceeded", true, ERR_UNREACHABLE, "asks for patience" },
	{ "userRateLimitExceeded", true, ERR_UNREACHABLE, "asks for patience" },
	{ "RATE_LIMIT_EXCEEDED", true, ERR_UNREACHABLE, "asks for patience" },
	{ "dailyLimitExceeded", false, ERR_UNREACHABLE, "the day's limit of requests is used up" },
	{ "dailyLimitExceededUnreg", false, ERR_UNREACHABLE, "the day's limit of requests is used up" },
	{ "storageQuotaExceeded", false, ERR_FAIL, "the drive is full" },
	{ "teamDriveFileLimitExceeded", false, ERR_FAIL, "the shared drive takes no more files" },
	{ "numChildrenInNonRootLimitExceeded", false, ERR_FAIL, "the drive's folder takes no more files" },
	{ "insufficientPermissions", false, ERR_REFUSED, "the sign-in does not allow it (scope): scg login again" },
	{ "insufficientScopes", false, ERR_REFUSED, "the sign-in does not allow it (scope): scg login again" },
	{ "insufficientFilePermissions", false, ERR_REFUSED, "this account may not" },
	{ "ACCESS_TOKEN_SCOPE_INSUFFICIENT", false, ERR_REFUSED, "the sign-in does not allow it (scope): scg login again" },
	{ "SERVICE_DISABLED", false, ERR_REFUSED, "the Drive API is not enabled for the client ID's project" },
	{ "accessNotConfigured", false, ERR_REFUSED, "the Drive API is not enabled for the client ID's project" },
};

static size_t find_reason(const struct gdrive_fault *f) {
	size_t i = 0;

	while (i < sizeof(reasons) / sizeof(reasons[0]) && strcmp(reasons[i].reason, f->reason) != 0)
		i++;
	return i;
}

static bool is_known(size_t i) {
	return i < sizeof(reasons) / sizeof(reasons[0]);
}

bool gdrive_is_passing(int status, const struct gdrive_fault *f) {
	size_t i = find_reason(f);

	if (status < 400)
		return false;
	if (is_known(i))
		return reasons[i].passing;
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static int code_of(int status, const struct gdrive_fault *f) {
	if (gdrive_is_passing(status, f))
		return ERR_UNREACHABLE;
	switch (status) {
	case 401:
	case 403:
		return ERR_REFUSED;
	case 404:
	case 410:
		return ERR_NOTFOUND;
	case 409:
		return ERR_EXISTS;
	default:
		return ERR_FAIL;
	}
}

int gdrive_refuse(int status, const struct buf *body, const char *what, struct err *e) {
	struct gdrive_fault f;
	size_t i;

	gdrive_parse_fault(body, &f);
	i = find_reason(&f);
	if (is_known(i))
		return err_set(e, reasons[i].code, "%s: %s (%s)", what, reasons[i].text, f.reason);
	if (status == 401)
		return err_set(e, ERR_REFUSED, "%s: Drive does not accept the sign-in (401): scg login again", what);
	if (f.reason[0] == '\0')
		return err_set(e, code_of(status, &f), "%s: Drive answers %d without a reason (no error document of Drive v3)", what, status);
	return err_set(e, code_of(status, &f), "%s: Drive answers %d: %s (%s)", what, status, f.message, f.reason);
}

/* Digits up to a byte that ends them. */
static const char *number(const char *s, char end, uint64_t *v) {
	size_t len = strspn(s, "0123456789");
	char digits[21];

	if (len == 0 || len >= sizeof(digits) || s[len] != end)
		return NULL;
	memcpy(digits, s, len);
	digits[len] = '\0';
	return text_u64(digits, INT64_MAX, v, NULL) == 0 ? s + len + (end != '\0') : NULL;
}

bool gdrive_parse_range(const char *range, uint64_t *next) {
	static const char unit[] = "bytes=", from[] = "0-";
	uint64_t last;

	*next = 0;
	if (range == NULL)
		return true;
	if (strncmp(range, unit, strlen(unit)) == 0)
		range += strlen(unit);
	if (strncmp(range, from, strlen(from)) != 0 || number(range + strlen(from), '\0', &last) == NULL)
		return false;
	*next = last + 1;
	return true;
}

bool gdrive_parse_span(const char *content_range, struct gdrive_span *s) {
	const char *p = content_range;

	if (p == NULL || strncasecmp(p, "bytes ", strlen("bytes ")) != 0)
		return false;
	p = number(p + strlen("bytes "), '-', &s->first);
	if (p != NULL)
		p = number(p, '/', &s->last);
	if (p != NULL)
		p = number(p, '\0', &s->total);
	return p != NULL && s->first <= s->last && s->last < s->total;
}

bool gdrive_is_session(const char *api, const char *uri) {
	const char *scheme = strstr(api, "://");
	size_t len = scheme == NULL ? 0 : (size_t)(scheme - api) + 3 + strcspn(scheme + 3, "/");

	if (len == 0 || strlen(uri) > GDRIVE_SESSION_MAX || strncasecmp(uri, api, len) != 0 || uri[len] != '/')
		return false;
	for (const char *p = uri; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}#", *p) != NULL)
			return false;
	return true;
}

#define TOKEN_KIND "gdrive1"

char *gdrive_print_token(const struct gdrive_token *t) {
	return xasprintf(TOKEN_KIND " %s %s %s %llu %s", t->folder, t->object, t->file, (unsigned long long)t->size, t->session);
}

/* The next word into out; what follows the blank behind it, NULL where there is none or it is too long. */
static const char *word(const char *s, char *out, size_t size) {
	size_t len = s == NULL ? 0 : strcspn(s, " ");

	if (len == 0 || len >= size || s[len] != ' ')
		return NULL;
	memcpy(out, s, len);
	out[len] = '\0';
	return s + len + 1;
}

bool gdrive_parse_token(const char *text, struct gdrive_token *t) {
	char kind[sizeof(TOKEN_KIND)], size[21];
	const char *p = word(text, kind, sizeof(kind));

	memset(t, 0, sizeof(*t));
	p = word(p, t->folder, sizeof(t->folder));
	p = word(p, t->object, sizeof(t->object));
	p = word(p, t->file, sizeof(t->file));
	p = word(p, size, sizeof(size));
	if (p == NULL || strcmp(kind, TOKEN_KIND) != 0 || !gdrive_is_file_id(t->folder) || !text_is_base32_id(t->object) ||
	    !gdrive_is_file_id(t->file) || text_u64(size, INT64_MAX, &t->size, NULL) != 0)
		return false;
	if (strlen(p) == 0 || strlen(p) > GDRIVE_SESSION_MAX || strchr(p, ' ') != NULL)
		return false;
	memcpy(t->session, p, strlen(p) + 1);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* store/gdrive: what Drive answers, right and wrong. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "lib/suite.h"
#include "store/gdrive_reply.h"

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct buf bytes(const char *text) {
	struct buf b = {0};

	buf_adds(&b, text);
	return b;
}

static int parse(const char *text, struct gdrive_file *f) {
	OWN(buf_wipe) struct buf b = bytes(text);
	struct err e = ERR_INIT;

	memset(f, 0xff, sizeof(*f)); /* what is not said is empty, whatever stood there */
	return gdrive_parse_file(&b, f, &e);
}

#define WHOLE                                                                                                          \
	"{\"id\": \"1AbC_-\", \"name\": \"" ID ".cms\", \"mimeType\": \"application/cms\", \"size\": \"12\", \"trashed\": false," \
	" \"createdTime\": \"2026-11-22T17:00:00.250Z\", \"sha256Checksum\": \"" SUM "\", \"md5Checksum\": \"00112233445566778899aabbccddeeff\"," \
	" \"headRevisionId\": \"0Bxyz\", \"driveId\": \"0APVA\", \"owners\": [{\"emailAddress\": \"alice@example.org\"}], \"new\": {\"x\": [1]}}"

START_TEST(a_resource_is_read) {
	struct gdrive_file f;

	ck_assert_int_eq(parse(WHOLE, &f), 0);
	ck_assert_str_eq(f.id, "1AbC_-");
	ck_assert_str_eq(f.object, ID);
	ck_assert_str_eq(f.name, ID ".cms");
	ck_assert_str_eq(f.drive, "0APVA");
	ck_assert_str_eq(f.head, "0Bxyz");
	ck_assert_str_eq(f.owner, "alice@example.org");
	ck_assert_str_eq(f.checksum, SUM);
	ck_assert_str_eq(f.md5, "00112233445566778899aabbccddeeff");
	ck_assert_uint_eq(f.size, 12);
	ck_assert_int_eq(f.created_ms, INT64_C(1795366800250));
	ck_assert(f.has_size && f.content && !f.folder && !f.trashed);
	ck_assert_int_eq(parse("{\"id\": \"x\", \"createdTime\": \"2026-11-22T17:00:00.9098Z\"}", &f), 0);
	ck_assert_int_eq(f.created_ms, INT64_C(1795366800909));
}
END_TEST

START_TEST(what_was_not_asked_for_may_be_missing) {
	struct gdrive_file f;

	ck_assert_int_eq(parse("{\"id\": \"x\"}", &f), 0);
	ck_assert(!f.has_size && !f.content && f.created_ms == 0 && f.object[0] == '\0' && !f.trashed);
	ck_assert_int_eq(parse("{\"id\": \"x\", \"trashed\": true}", &f), 0);
	ck_assert(f.trashed);
}
END_TEST

START_TEST(a_folder_and_a_document_are_no_objects) {
	struct gdrive_file f;

	ck_assert_int_eq(parse("{\"id\": \"x\", \"name\": \"" ID ".cms\", \"mimeType\": \"" GDRIVE_FOLDER_TYPE "\"}", &f), 0);
	ck_assert(f.folder && f.object[0] == '\0');
	ck_assert_int_eq(
	    parse("{\"id\": \"x\", \"name\": \"" ID ".cms\", \"size\": \"1\", \"mimeType\": \"application/vnd.google-apps.document\"}", &f), 0);
	ck_assert(!f.folder && f.object[0] == '\0');
}
END_TEST

START_TEST(a_name_that_is_no_id_is_no_object) {
	static const char *const names[] = { "AAAAAAAAAAAAAAAAAAAAAAAAAA.cms", "aaaaaaaaaaaaaaaaaaaaaaaa/a.cms", "aaaaaaaaaaaaaaaaaaaaaaaaa1.cms", ID ".cmz", ID "a.cms", "x" };
	struct gdrive_file f;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		OWN(own_free) char *text = xasprintf("{\"id\": \"x\", \"size\": \"1\", \"name\": \"%s\"}", names[i]);

		ck_assert_msg(parse(text, &f) == 0 && f.content && f.object[0] == '\0', "%s", names[i]);
	}
}
END_TEST

START_TEST(a_size_is_a_string_or_a_number) {
	struct gdrive_file f;

	ck_assert_int_eq(parse("{\"id\": \"x\", \"size\": 12}", &f), 0);
	ck_assert(f.has_size && f.size == 12);
	ck_assert_int_eq(parse("{\"id\": \"x\", \"size\": 0}", &f), 0);
	ck_assert(f.has_size && f.size == 0);
	ck_assert_int_eq(parse("{\"id\": \"x\", \"size\": \"12\"}", &f), 0);
	ck_assert(f.has_size && f.size == 12);
}
END_TEST

START_TEST(what_is_no_resource_is_refused) {
	static const char *const bad[] = { "", "null", "[]", "\"x\"", "{}", "{\"id\": \"\"}", "{\"id\": 7}", "{\"id\": \"a/b\"}", "{\"id\": \"a\\u0000b\"}",
		"{\"id\": \"x\", \"id\": \"y\"}", "{\"id\": \"x\"", "{\"id\": \"x\"}}", "{\"id\": \"x\", \"size\": -12}", "{\"id\": \"x\", \"size\": 1.5}", "{\"id\": \"x\", \"size\": \"-1\"}",
		"{\"id\": \"x\", \"size\": \"0x10\"}", "{\"id\": \"x\", \"size\": \"9223372036854775808\"}", "{\"id\": \"x\", \"createdTime\": \"yesterday\"}",
		"{\"id\": \"x\", \"createdTime\": \"2026-02-30T00:00:00Z\"}", "{\"id\": \"x\", \"createdTime\": \"2026-02-20T00:00:00.5\"}",
		"{\"id\": \"x\", \"createdTime\": \"2026-02-20T00:00:00.5xZ\"}", "{\"id\": \"x\", \"createdTime\": \"2026-02-20T00:00:00.5xyZ\"}",
		"{\"id\": \"x\", \"createdTime\": \"2026-02-20T00:00:00.1-2Z\"}", "{\"id\": \"x\", \"createdTime\": \"Z\"}",
		"{\"id\": \"x\", \"sha256Checksum\": \"000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}", "{\"id\": \"x\", \"sha256Checksum\": 7}", "{\"id\": \"x\", \"driveId\": 7}", "{\"id\": \"x\", \"sha256Checksum\": \"00\"}",
		"{\"id\": \"x\", \"md5Checksum\": \"00112233445566778899AABBCCDDEEFF\"}", "{\"id\": \"x\", \"driveId\": \"..\"}",
		"{\"id\": \"x\", \"headRevisionId\": \"a b\"}" };
	struct gdrive_file f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse(bad[i], &f) == ERR_DAMAGED, "%s", bad[i]);
}
END_TEST

START_TEST(an_id_may_have_128_characters_and_no_more) {
	char id[GDRIVE_FILE_MAX + 2];

	memset(id, 'x', sizeof(id));
	id[GDRIVE_FILE_MAX] = '\0';
	ck_assert(gdrive_is_file_id(id));
	OWN(own_free) char *text = xasprintf("{\"id\": \"%s\", \"driveId\": \"%sx\"}", id, id);
	OWN(own_free) char *fits = xasprintf("{\"id\": \"%s\", \"driveId\": \"%s\"}", id, id);
	struct gdrive_file f;
	ck_assert_int_eq(parse(text, &f), ERR_DAMAGED);
	ck_assert_int_eq(parse(fits, &f), 0);
	ck_assert_str_eq(f.drive, id);
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	ck_assert(!gdrive_is_file_id(id));
	ck_assert(!gdrive_is_file_id(""));
	ck_assert(!gdrive_is_file_id("a.b"));
	ck_assert(!gdrive_is_file_id("\xc3\xa4"));
}
END_TEST

START_TEST(names_are_shown_escaped_and_cut_between_characters) {
	struct gdrive_file f;
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(parse("{\"id\": \"x\", \"name\": \"a\\u001b[2J\\u202eb\"}", &f), 0);
	ck_assert_ptr_null(strchr(f.name, '\033'));
	buf_adds(&b, "{\"id\": \"x\", \"name\": \"");
	for (int i = 0; i < 100; i++)
		buf_adds(&b, "\xe2\x82\xac");
	buf_adds(&b, "\"}");
	ck_assert_int_eq(parse(buf_str(&b), &f), 0);
	ck_assert_uint_eq(strlen(f.name), 63);
	buf_clear(&b);
	buf_adds(&b, "{\"id\": \"x\", \"name\": \"a");
	for (int i = 0; i < 100; i++)
		buf_adds(&b, "\xe2\x82\xac");
	buf_adds(&b, "\"}");
	ck_assert_int_eq(parse(buf_str(&b), &f), 0);
	ck_assert_uint_eq(strlen(f.name), 1 + 20 * 3);
	/* One byte too long. */
	b.len -= strlen("\"}") + (size_t)79 * 3;
	buf_adds(&b, "\"}");
	ck_assert_int_eq(parse(buf_str(&b), &f), 0);
	ck_assert_uint_eq(strlen(f.name), 1 + 20 * 3);
}
END_TEST

/* Whatever is cut off or flipped: refused, or it makes a resource whose every text is harmless. */
static bool takes_file(void *arg, const uint8_t *data, size_t len) {
	struct buf b = {0};
	struct err e = ERR_INIT;
	struct gdrive_file f;
	int r;

	(void)arg;
	buf_add(&b, data, len);
	r = gdrive_parse_file(&b, &f, &e);
	ck_assert(r == 0 || r == ERR_DAMAGED);
	if (r == 0) {
		ck_assert(gdrive_is_file_id(f.id));
		ck_assert(f.checksum[0] == '\0' || strlen(f.checksum) == 64);
		for (const char *c = f.name; *c != '\0'; c++)
			ck_assert((unsigned char)*c >= ' ');
	}
	buf_wipe(&b);
	return false;
}

START_TEST(a_resource_cut_or_flipped_is_refused_or_harmless) {
	sweep_refused((const uint8_t *)WHOLE, strlen(WHOLE), takes_file, NULL);
}
END_TEST

/* Pages. */

static int page(const char *text, enum gdrive_list list, struct gdrive_page *p) {
	OWN(buf_wipe) struct buf b = bytes(text);
	struct err e = ERR_INIT;

	memset(p, 0xff, sizeof(*p));
	return gdrive_parse_page(&b, list, p, &e);
}

START_TEST(pages_are_read) {
	struct gdrive_page p;

	ck_assert_int_eq(page("{\"files\": [{\"id\": \"a\"}, {\"id\": \"b\"}], \"nextPageToken\": \"~!!~x\", \"incompleteSearch\": true}", GDRIVE_FILES, &p), 0);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_str_eq(((struct gdrive_file *)p.items)[1].id, "b");
	ck_assert_str_eq(p.next, "~!!~x");
	ck_assert(p.incomplete);
	gdrive_page_wipe(&p);
	ck_assert_int_eq(page("{\"files\": [], \"nextPageToken\": \"\"}", GDRIVE_FILES, &p), 0);
	ck_assert(p.next == NULL && !p.incomplete);
	gdrive_page_wipe(&p);
	ck_assert_int_eq(page("{\"files\": []}", GDRIVE_FILES, &p), 0);
	ck_assert_ptr_null(p.next);
	gdrive_page_wipe(&p);
	ck_assert_int_eq(page("{\"revisions\": [{\"id\": \"r\", \"size\": \"5\"}]}", GDRIVE_REVISIONS, &p), 0);
	ck_assert_uint_eq(((struct gdrive_revision *)p.items)[0].size, 5);
	ck_assert_int_eq(p.list, GDRIVE_REVISIONS);
	gdrive_page_wipe(&p);
	ck_assert_int_eq(
	    page("{\"permissions\": [{\"id\": \"1\", \"emailAddress\": \"a@b\", \"type\": \"user\", \"role\": \"writer\"}]}", GDRIVE_PERMISSIONS, &p), 0);
	ck_assert_str_eq(((struct gdrive_permission *)p.items)[0].email, "a@b");
	gdrive_page_wipe(&p);
}
END_TEST

START_TEST(what_is_no_page_is_refused) {
	static const char *const bad[] = { "", "{}", "[]", "{\"files\": {}}", "{\"files\": [1]}", "{\"files\": [{}]}", "{\"files\": [{\"id\": \"a\"}, null]}",
		"{\"files\": [], \"nextPageToken\": 7}", "{\"files\": [], \"nextPageToken\": \"a\\u0000\"}", "{\"permissions\": []}" };
	struct gdrive_page p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(page(bad[i], GDRIVE_FILES, &p) == ERR_DAMAGED, "%s", bad[i]);
}
END_TEST

START_TEST(what_is_no_revision_or_permission_is_refused) {
	static const char *const revisions[] = { "{}", "{\"id\": \"\"}", "{\"id\": \"../x\"}", "{\"id\": \"r\", \"size\": \"-1\"}" };
	static const char *const permissions[] = { "{}", "{\"id\": \"\"}", "{\"id\": \"a/b\"}", "{\"id\": \"1\", \"role\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
		"{\"id\": \"1\", \"role\": \"xxxxxxxxxxxxxxxxxxxxxxxx\"}", "{\"id\": \"1\", \"type\": \"xxxxxxxxxxxxxxxx\"}", "{\"id\": \"1\", \"emailAddress\": 7}" };
	struct gdrive_page p;

	for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++) {
		OWN(own_free) char *text = xasprintf("{\"revisions\": [%s]}", revisions[i]);

		ck_assert_msg(page(text, GDRIVE_REVISIONS, &p) == ERR_DAMAGED, "%s", text);
	}
	for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++) {
		OWN(own_free) char *text = xasprintf("{\"permissions\": [%s]}", permissions[i]);

		ck_assert_msg(page(text, GDRIVE_PERMISSIONS, &p) == ERR_DAMAGED, "%s", text);
	}
}
END_TEST

/* {"KEY": [ITEM, ITEM ...]} of n items. */
static void list_of(const char *key, const char *item, int n, struct buf *b) {
	buf_addf(b, "{\"%s\": [", key);
	for (int i = 0; i < n; i++)
		buf_addf(b, "%s%s", i == 0 ? "" : ",", item);
	buf_adds(b, "]}");
}

static int page_of(int n, struct gdrive_page *p) {
	OWN(buf_wipe) struct buf b = {0};

	list_of("files", "{\"id\": \"x\"}", n, &b);
	return page(buf_str(&b), GDRIVE_FILES, p);
}

START_TEST(a_page_of_more_than_was_asked_for_is_refused) {
	struct gdrive_page p;

	ck_assert_int_eq(page_of(1001, &p), ERR_DAMAGED);
	ck_assert_int_eq(page_of(1000, &p), 0);
	ck_assert_uint_eq(p.n, 1000);
	gdrive_page_wipe(&p);
}
END_TEST

static void count_id(void *arg, const char *id) {
	ck_assert(gdrive_is_file_id(id));
	++*(unsigned *)arg;
}

START_TEST(generated_ids_are_all_read_or_none) {
	static const char *const bad[] = { "{}", "{\"ids\": []}", "{\"ids\": [\"a\", 1]}", "{\"ids\": [\"a\", \"b/c\"]}", "{\"ids\": [\"a\\u0000b\"]}", "x" };
	struct err e = ERR_INIT;
	unsigned n = 0;
	struct buf b = bytes("{\"ids\": [\"a\", \"b\"]}");

	ck_assert_int_eq(gdrive_parse_ids(&b, count_id, &n, &e), 0);
	ck_assert_uint_eq(n, 2);
	buf_wipe(&b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b = bytes(bad[i]);
		ck_assert_msg(gdrive_parse_ids(&b, count_id, &n, &e) == ERR_DAMAGED, "%s", bad[i]);
		buf_wipe(&b);
	}
	ck_assert_uint_eq(n, 2);
	list_of("ids", "\"x\"", 1001, &b);
	ck_assert_int_eq(gdrive_parse_ids(&b, count_id, &n, &e), ERR_DAMAGED);
	ck_assert_uint_eq(n, 2);
	buf_clear(&b);
	list_of("ids", "\"x\"", 1000, &b);
	ck_assert_int_eq(gdrive_parse_ids(&b, count_id, &n, &e), 0);
	ck_assert_uint_eq(n, 1002);
	buf_wipe(&b);
}
END_TEST

/* Errors. */

static int refused(int status, const char *text, bool *passing, struct err *e) {
	OWN(buf_wipe) struct buf b = bytes(text);
	struct gdrive_fault f;

	gdrive_parse_fault(&b, &f);
	*passing = gdrive_is_passing(status, &f);
	return gdrive_refuse(status, &b, "thing", e);
}

static char *fault_of(const char *reason) {
	return xasprintf("{\"error\": {\"code\": 403, \"message\": \"No\\u001b.\", \"errors\": [{\"reason\": \"%s\"}]}}", reason);
}

START_TEST(errors_are_judged_by_their_reason) {
	static const struct {
		int status;
		const char *reason;
		bool passing;
		int code;
	} all[] = {
		{ 403, "userRateLimitExceeded", true, ERR_UNREACHABLE },
		{ 403, "rateLimitExceeded", true, ERR_UNREACHABLE },
		{ 403, "dailyLimitExceeded", false, ERR_UNREACHABLE },
		{ 429, "dailyLimitExceeded", false, ERR_UNREACHABLE },
		{ 403, "storageQuotaExceeded", false, ERR_FAIL },
		{ 403, "insufficientFilePermissions", false, ERR_REFUSED },
		{ 403, "insufficientPermissions", false, ERR_REFUSED },
		{ 403, "neverHeardOf", false, ERR_REFUSED },
		{ 404, "notFound", false, ERR_NOTFOUND },
		{ 410, "gone", false, ERR_NOTFOUND },
		{ 409, "fileIdInUse", false, ERR_EXISTS },
		{ 400, "badRequest", false, ERR_FAIL },
		{ 401, "authError", false, ERR_REFUSED },
		{ 429, "tooMany", true, ERR_UNREACHABLE },
		{ 500, "internalError", true, ERR_UNREACHABLE },
		{ 503, "backendError", true, ERR_UNREACHABLE },
		{ 501, "notImplemented", false, ERR_FAIL },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		OWN(own_free) char *text = fault_of(all[i].reason);
		struct err e = ERR_INIT;
		bool passing;

		ck_assert_msg(refused(all[i].status, text, &passing, &e) == all[i].code, "%s: %s", all[i].reason, e.text);
		ck_assert_msg(passing == all[i].passing, "%s", all[i].reason);
		ck_assert_msg(all[i].status == 401 || strstr(e.text, all[i].reason) != NULL, "%s", e.text);
		ck_assert_ptr_null(strchr(e.text, '\033'));
	}
}
END_TEST

START_TEST(a_reason_stands_in_the_details_too) {
	struct err e = ERR_INIT;
	bool passing;

	ck_assert_int_eq(refused(403, "{\"error\": {\"status\": \"PERMISSION_DENIED\", \"details\": [{\"@type\": \"x\"}, {\"reason\": \"RATE_LIMIT_EXCEEDED\"}]}}", &passing, &e), ERR_UNREACHABLE);
	ck_assert(passing);
	ck_assert_int_eq(refused(403, "{\"error\": {\"details\": [{\"reason\": \"SERVICE_DISABLED\"}]}}", &passing, &e), ERR_REFUSED);
	ck_assert(!passing && strstr(e.text, "not enabled") != NULL);
	ck_assert_int_eq(refused(403, "{\"error\": {\"errors\": [{\"reason\": \"storageQuotaExceeded\"}], \"details\": [{\"reason\": \"RATE_LIMIT_EXCEEDED\"}]}}",
	    &passing, &e), ERR_FAIL);
	ck_assert(!passing);
}
END_TEST

START_TEST(errors_of_no_form_are_judged_by_their_status) {
	static const char *const odd[] = { "", "<html>Sorry</html>", "{\"error\": \"invalid_grant\"}", "{\"error\": {\"errors\": {}}}", "[1]",
		"{\"error\": {\"errors\": [\"x\"]}}" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct err e = ERR_INIT;
		bool passing;

		ck_assert_int_eq(refused(403, odd[i], &passing, &e), ERR_REFUSED);
		ck_assert(!passing);
		ck_assert_int_eq(refused(503, odd[i], &passing, &e), ERR_UNREACHABLE);
		ck_assert(passing);
		ck_assert_ptr_nonnull(strstr(e.text, "503"));
		ck_assert_int_eq(refused(404, odd[i], &passing, &e), ERR_NOTFOUND);
		ck_assert(!passing);
	}
}
END_TEST

/* Headers. */

START_TEST(the_range_of_a_308_is_read_strictly) {
	static const char *const bad[] = { "", "bytes=0-", "bytes=1-5", "bytes 0-5", "bytes=0-5,7-8", "bytes=0-x", "bytes=0-05", "bytes=0--1", "1-5", "-5", "0-",
		"bytes=bytes=0-5", "bytes=0-99999999999999999999", " bytes=0-5" };
	uint64_t next = 9;

	ck_assert(gdrive_parse_range(NULL, &next));
	ck_assert_uint_eq(next, 0);
	ck_assert(gdrive_parse_range("bytes=0-262143", &next));
	ck_assert_uint_eq(next, 262144);
	ck_assert(gdrive_parse_range("bytes=0-0", &next));
	ck_assert_uint_eq(next, 1);
	ck_assert(gdrive_parse_range("0-42", &next));
	ck_assert_uint_eq(next, 43);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!gdrive_parse_range(bad[i], &next), "%s", bad[i]);
}
END_TEST

START_TEST(the_range_of_a_206_is_read_strictly) {
	static const char *const bad[] = { "", "bytes", "bytes */10", "bytes 5-4/10", "bytes 0-10/10", "bytes 0-9/*", "bytes=0-9/10", "bytes 0-9/10 ",
		"octets 0-9/10", "bytes 00-9/10", "bytes 0-9", "bytes -9/10" };
	struct gdrive_span s;

	ck_assert(gdrive_parse_span("bytes 3-9/10", &s));
	ck_assert(s.first == 3 && s.last == 9 && s.total == 10);
	ck_assert(!gdrive_parse_span(NULL, &s));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!gdrive_parse_span(bad[i], &s), "%s", bad[i]);
}
END_TEST

START_TEST(a_session_is_of_the_very_service) {
	static const char api[] = "https://www.googleapis.com";
	static const char *const bad[] = { "", "/upload/x", "http://www.googleapis.com/upload", "https://www.googleapis.com.evil.example/x",
		"https://www.googleapis.com:8443/x", "https://www.googleapis.com", "https://www.googleapis.com@evil.example/", "https://evil.example/x",
		"https://www.googleapis.com/a b", "https://www.googleapis.com/a\r\nX: y", "https://www.googleapis.com/a#b", "https://www.googleapis.com/\xc3\xa4",
		"https://www.googleapis.com\\@evil.example/" };
	OWN(buf_wipe) struct buf longer = {0};

	ck_assert(gdrive_is_session(api, "https://www.googleapis.com/upload/drive/v3/files?uploadType=resumable&upload_id=A_b-c"));
	ck_assert(gdrive_is_session("http://127.0.0.1:81/base", "http://127.0.0.1:81/upload"));
	ck_assert(!gdrive_is_session("http://127.0.0.1:81/base", "http://127.0.0.1:8/upload"));
	ck_assert(!gdrive_is_session("nothing", "nothing/x"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!gdrive_is_session(api, bad[i]), "%s", bad[i]);
	buf_addf(&longer, "%s/", api);
	while (longer.len <= GDRIVE_SESSION_MAX)
		buf_adds(&longer, "x");
	ck_assert(!gdrive_is_session(api, buf_str(&longer)));
}
END_TEST

/* Tokens. */

static void fill_token(struct gdrive_token *t) {
	*t = (struct gdrive_token){ .size = 123456789012, .folder = "folder_1", .object = ID, .file = "file-2", .session = "https://x/y?z" };
}

/* Values that cost the parser many times their bytes are not parsed at all; what stands in strings is no value. */
START_TEST(a_document_of_all_too_many_values_is_refused) {
	OWN(buf_wipe) struct buf many = {0}, named = {0}, spaced = {0};
	struct gdrive_file f;
	struct err e = ERR_INIT;

	buf_adds(&many, "{\"id\": \"1a\", \"x\": [0");
	buf_adds(&named, "{\"id\": \"1a\", \"x\": \"\\\"");
	for (int i = 0; i < 200000; i++) {
		buf_adds(&many, ",0");
		buf_adds(&named, ",[");
		buf_addc(&spaced, ' ');
	}
	buf_adds(&spaced, "{\"id\": \"1a\"}");
	buf_adds(&many, "]}");
	buf_adds(&named, "\"}");
	ck_assert_int_eq(gdrive_parse_file(&many, &f, &e), ERR_DAMAGED);
	ck_assert_msg(gdrive_parse_file(&named, &f, &e) == 0, "%s", e.text);
	ck_assert_msg(gdrive_parse_file(&spaced, &f, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(a_token_round_trips) {
	struct gdrive_token t, back;
	OWN(own_free) char *text = NULL;

	fill_token(&t);
	text = gdrive_print_token(&t);
	ck_assert(gdrive_parse_token(text, &back));
	ck_assert_str_eq(back.folder, t.folder);
	ck_assert_str_eq(back.object, t.object);
	ck_assert_str_eq(back.file, t.file);
	ck_assert_str_eq(back.session, t.session);
	ck_assert_uint_eq(back.size, t.size);
}
END_TEST

static bool takes_token(void *arg, const uint8_t *data, size_t len) {
	OWN(own_free) char *text = xcalloc(len + 1, 1), *again = NULL;
	struct gdrive_token t;

	(void)arg;
	memcpy(text, data, len);
	if (!gdrive_parse_token(text, &t))
		return false;
	again = gdrive_print_token(&t);
	ck_assert_str_eq(again, text);
	return false;
}

START_TEST(a_token_cut_or_flipped_is_refused_or_round_trips) {
	struct gdrive_token t;
	OWN(own_free) char *text = NULL;

	fill_token(&t);
	text = gdrive_print_token(&t);
	sweep_refused((const uint8_t *)text, strlen(text), takes_token, NULL);
	ck_assert(!gdrive_parse_token("", &t));
	ck_assert(!gdrive_parse_token("gdrive1 a " ID " f 5 ", &t));
	ck_assert(!gdrive_parse_token("gdrive1 a " ID " f 05 https://x", &t));
	ck_assert(!gdrive_parse_token("gdrive2 a " ID " f 5 https://x", &t));
	ck_assert(!gdrive_parse_token("gdrive1 a b/../c f 5 https://x", &t));
}
END_TEST

int main(void) {
	TCase *tc = tcase_create("replies");

	tcase_add_test(tc, a_resource_is_read);
	tcase_add_test(tc, what_was_not_asked_for_may_be_missing);
	tcase_add_test(tc, a_folder_and_a_document_are_no_objects);
	tcase_add_test(tc, a_name_that_is_no_id_is_no_object);
	tcase_add_test(tc, a_size_is_a_string_or_a_number);
	tcase_add_test(tc, what_is_no_resource_is_refused);
	tcase_add_test(tc, an_id_may_have_128_characters_and_no_more);
	tcase_add_test(tc, names_are_shown_escaped_and_cut_between_characters);
	tcase_add_test(tc, a_resource_cut_or_flipped_is_refused_or_harmless);
	tcase_add_test(tc, pages_are_read);
	tcase_add_test(tc, what_is_no_page_is_refused);
	tcase_add_test(tc, what_is_no_revision_or_permission_is_refused);
	tcase_add_test(tc, a_page_of_more_than_was_asked_for_is_refused);
	tcase_add_test(tc, generated_ids_are_all_read_or_none);
	tcase_add_test(tc, errors_are_judged_by_their_reason);
	tcase_add_test(tc, a_reason_stands_in_the_details_too);
	tcase_add_test(tc, errors_of_no_form_are_judged_by_their_status);
	tcase_add_test(tc, the_range_of_a_308_is_read_strictly);
	tcase_add_test(tc, the_range_of_a_206_is_read_strictly);
	tcase_add_test(tc, a_session_is_of_the_very_service);
	tcase_add_test(tc, a_document_of_all_too_many_values_is_refused);
	tcase_add_test(tc, a_token_round_trips);
	tcase_add_test(tc, a_token_cut_or_flipped_is_refused_or_round_trips);
	return suite_run("store/gdrive replies", tc);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The three formats: events, entries, heads. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/own.h"
#include "ledger/entry.h"
#include "ledger/event.h"
#include "ledger/head.h"
#include "lib/fixture.h"
#include "lib/suite.h"
#include "pki/cert.h"
#include "pki/ossl.h"
#include "pki/signed.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const char replace_text[] =
    "scg-event 1\n"
    "group lab\n"
    "op replace\n"
    "file 00010203-0405-0607-0809-0a0b0c0d0e0f\n"
    "version 7\n"
    "base 41\n"
    "name " BASE64 "\n"
    "object aaaaaaaaaaaaaaaaaaaaaaaaaa 1234 " HEX32 "\n"
    "content " HEX32 " 1000\n"
    "epoch 000102030405060708090a0b0c0d0e0f\n"
    "seen 42 " HEX32 "\n"
    "time 2026-01-02T03:04:05Z\n";

static struct err e;

static void fill(uint8_t *p, size_t len) {
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)i;
}

static struct event an_event(enum event_op op) {
	struct event ev = {.group = "lab", .op = op, .version = 7, .base = 41, .object = "aaaaaaaaaaaaaaaaaaaaaaaaaa",
	    .object_size = 1234, .content_size = 1000, .seen = 42, .time_s = 1767323045};

	fill(ev.file, sizeof ev.file);
	fill(ev.name, sizeof ev.name);
	fill(ev.object_sha256, sizeof ev.object_sha256);
	fill(ev.content_sha256, sizeof ev.content_sha256);
	fill(ev.key_id, sizeof ev.key_id);
	fill(ev.seen_root, sizeof ev.seen_root);
	return ev;
}

static int parse(const char *text, struct event *ev) {
	return event_parse((const uint8_t *)text, strlen(text), ev, &e);
}

START_TEST(the_text_is_the_documented_one) {
	const struct event ev = an_event(EVENT_REPLACE);
	OWN(buf_wipe) struct buf text = {0};

	event_print(&ev, &text);
	ck_assert_str_eq(buf_str(&text), replace_text);
} END_TEST

START_TEST(each_op_comes_back_and_says_no_more_than_its_fields) {
	const struct event ev = an_event((enum event_op)_i);
	OWN(buf_wipe) struct buf text = {0}, again = {0};
	struct event back;

	event_print(&ev, &text);
	ck_assert_msg(parse(buf_str(&text), &back) == 0, "%s: %s", buf_str(&text), e.text);
	event_print(&back, &again);
	ck_assert_str_eq(buf_str(&text), buf_str(&again));
	ck_assert_int_eq(back.op, _i);
	ck_assert_int_eq(back.base != 0, (event_fields(ev.op) & EVENT_HAS_BASE) != 0);
	ck_assert_int_eq(back.object[0] != 0, (event_fields(ev.op) & EVENT_HAS_OBJECT) != 0);
} END_TEST

/* What is taken is printed as it came; so no two texts mean one event. */
static bool takes_text(void *arg, const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = {0};
	struct event ev;

	(void)arg;
	if (event_parse(data, len, &ev, NULL) != 0)
		return false;
	event_print(&ev, &again);
	return again.len != len || memcmp(again.data, data, len) != 0;
}

START_TEST(any_change_of_the_text_is_refused_or_another_event) {
	sweep_refused((const uint8_t *)replace_text, strlen(replace_text), takes_text, NULL);
} END_TEST

START_TEST(a_text_that_is_cut_is_refused) {
	struct event ev;

	for (size_t n = 0; n < strlen(replace_text); n++)
		ck_assert_int_eq(event_parse((const uint8_t *)replace_text, n, &ev, &e), ERR_DAMAGED);
} END_TEST

/* One line of the good text, and what must not stand there. */
static const struct {
	const char *line, *instead;
} wrong[] = {
    {"scg-event 1", "scg-event 2"},
    {"scg-event 1", "scg-head 1"},
    {"group lab", "group "},
    {"group lab", "group a/b"},
    {"group lab", "group lab "},
    {"op replace", "op snapshot"},
    {"op replace", "op Replace"},
    {"op replace", "op "},
    {"op replace", "op put"},
    {"op replace", "op epoch"},
    {"version 7", "version 0"},
    {"version 7", "version 07"},
    {"version 7", "version -"},
    {"version 7", "version -7"},
    {"version 7", "version 7 8"},
    {"version 7", "version 9223372036854775808"},
    {"base 41", "base -"},
    {"base 41", "Base 41"},
    {"base 41", "base  41"},
    {"base 41\n", ""},
    {"base 41\n", "base 41\nbase 41\n"},
    {"name " BASE64, "name AAEC"},
    {"name " BASE64, "name -"},
    {"object aaaaaaaaaaaaaaaaaaaaaaaaaa 1234", "object aaaaaaaaaaaaaaaaaaaaaaaaa1 1234"},
    {"object aaaaaaaaaaaaaaaaaaaaaaaaaa 1234", "object aaaaaaaaaaaaaaaaaaaaaaaaaaa 1234"},
    {"object aaaaaaaaaaaaaaaaaaaaaaaaaa 1234", "object ../aaaaaaaaaaaaaaaaaaaaaaa 1234"},
    {"object aaaaaaaaaaaaaaaaaaaaaaaaaa 1234", "object aaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {" 1000", ""},
    {" 1000", " 1000 "},
    {"epoch 000102030405060708090a0b0c0d0e0f", "epoch 000102030405060708090A0b0c0d0e0f"},
    {"epoch 000102030405060708090a0b0c0d0e0f", "epoch 0001"},
    {"seen 42", "seen 042"},
    {"time 2026-01-02T03:04:05Z", "time 2026-01-02T03:04:05+00:00"},
    {"time 2026-01-02T03:04:05Z", "time 2026-02-30T03:04:05Z"},
    {"time 2026-01-02T03:04:05Z\n", "time 2026-01-02T03:04:05Z"},
    {"time 2026-01-02T03:04:05Z\n", "time 2026-01-02T03:04:05Z\n\n"},
    {"time 2026-01-02T03:04:05Z\n", "time 2026-01-02T03:04:05Z\nsign me\n"},
    {"group lab\n", "group lab\r\n"},
    {"version 7\nbase 41\n", "base 41\nversion 7\n"},
};

START_TEST(another_form_is_refused) {
	const char *at = strstr(replace_text, wrong[_i].line);
	OWN(buf_wipe) struct buf text = {0};
	struct event ev;

	ck_assert_ptr_nonnull(at);
	buf_add(&text, replace_text, (size_t)(at - replace_text));
	buf_adds(&text, wrong[_i].instead);
	buf_adds(&text, at + strlen(wrong[_i].line));
	ck_assert_msg(parse(buf_str(&text), &ev) == ERR_DAMAGED, "%s", buf_str(&text));
	ck_assert_ptr_nonnull(strstr(e.text, "event"));
} END_TEST

START_TEST(a_nul_or_a_long_text_is_refused) {
	OWN(buf_wipe) struct buf text = {0};
	struct event ev;

	buf_adds(&text, replace_text);
	text.data[40] = '\0';
	ck_assert_int_eq(event_parse(text.data, text.len, &ev, &e), ERR_DAMAGED);
	buf_clear(&text);
	buf_adds(&text, replace_text);
	while (text.len < 5000)
		buf_addc(&text, '\n');
	ck_assert_int_eq(event_parse(text.data, text.len, &ev, &e), ERR_DAMAGED);
} END_TEST

/* --- what stock tools read --- */

static void stock_verify(
    const struct buf *der, STACK_OF(X509) *certs, const struct fixture *f, const char *purpose, const char *want) {
	const uint8_t *p = der->data;
	OWN(own_cms) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
	OWN(own_x509_store) X509_STORE *store = X509_STORE_new();
	OWN(own_bio) BIO *out = BIO_new(BIO_s_mem());
	char *text;
	long len;

	ck_assert_ptr_nonnull(cms);
	ck_assert_int_eq(X509_STORE_add_cert(store, f->ca.cert), 1);
	ck_assert_int_eq(
	    X509_STORE_set_purpose(store, X509_PURPOSE_get_id(X509_PURPOSE_get0(X509_PURPOSE_get_by_sname(purpose)))),
	    1);
	ck_assert_int_eq(CMS_verify(cms, certs, store, NULL, out, CMS_BINARY | CMS_CADES), 1);
	len = BIO_get_mem_data(out, &text);
	ck_assert_int_eq((long)strlen(want), len);
	ck_assert_mem_eq(text, want, (size_t)len);
}

START_TEST(openssl_verifies_an_event) {
	struct fixture f;
	OWN(buf_wipe) struct buf der = {0};
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct event ev = an_event(EVENT_REPLACE);

	fixture_init(&f);
	ck_assert_int_eq(event_sign(&ev, f.alice.key, f.alice.cert, &der, &e), 0);
	ck_assert_int_gt(sk_X509_push(certs, f.alice.cert), 0);
	stock_verify(&der, certs, &f, "smimesign", replace_text);
	ck_assert_uint_le(der.len, 1400);
	sk_X509_free(certs);
	fixture_wipe(&f);
} END_TEST

static const char head_text[] = "scg/lab\n42\n" BASE64 "\n";

static struct head a_head(void) {
	struct head h = {.group = "lab", .size = 42};

	fill(h.root, sizeof h.root);
	return h;
}

static const uint8_t nonce[16] = "0123456789abcde";

static void sign_head(const struct head *h, const struct fixture_id *by, const struct fixture *f, struct buf *der) {
	const struct head_sign s = {
	    .key = by->key, .cert = by->cert, .nonce = nonce, .nonce_len = sizeof nonce, .now_s = f->now_s};

	ck_assert_msg(head_sign(h, &s, der, &e) == 0, "%s", e.text);
}

START_TEST(openssl_verifies_a_head) {
	struct fixture f;
	OWN(buf_wipe) struct buf der = {0};
	struct head h = a_head();

	fixture_init(&f);
	sign_head(&h, &f.gateway, &f, &der);
	stock_verify(&der, NULL, &f, "sslserver", head_text);
	fixture_wipe(&f);
} END_TEST

/* --- heads --- */

START_TEST(a_head_comes_back) {
	OWN(buf_wipe) struct buf text = {0};
	struct head h = a_head();

	head_print(&h, &text);
	ck_assert_str_eq(buf_str(&text), head_text);
	ck_assert_int_eq(head_parse(text.data, text.len, &h, &e), 0);
	ck_assert_uint_eq(h.size, 42);
	ck_assert_str_eq(h.group, "lab");
} END_TEST

static bool takes_head(void *arg, const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = {0};
	struct head h;

	(void)arg;
	if (head_parse(data, len, &h, NULL) != 0)
		return false;
	head_print(&h, &again);
	return again.len != len || memcmp(again.data, data, len) != 0;
}

START_TEST(any_change_of_a_head_is_refused_or_another_head) {
	struct head h;

	sweep_refused((const uint8_t *)head_text, strlen(head_text), takes_head, NULL);
	for (size_t n = 0; n < strlen(head_text); n++)
		ck_assert_int_eq(head_parse((const uint8_t *)head_text, n, &h, &e), ERR_DAMAGED);
} END_TEST

static const char *const wrong_heads[] = {
    "scg/lab\n042\n" BASE64 "\n",
    "scg/lab\n-1\n" BASE64 "\n",
    "scg/\n42\n" BASE64 "\n",
    "SCG/lab\n42\n" BASE64 "\n",
    "scg/lab\n42\nAAEC\n",
    "scg/lab\n42\n" BASE64 "\n\n",
    "scg/lab\n42\n" BASE64 "\n— lab Az3grl\n",
    "scg/lab\r\n42\r\n" BASE64 "\r\n",
    "scg/a/b\n42\n" BASE64 "\n",
};

START_TEST(a_head_that_is_too_long_is_refused) {
	char text[4096];
	struct head h;

	memset(text, 'a', sizeof text);
	for (size_t len = 161; len <= sizeof text; len += 787) {
		ck_assert_int_eq(head_parse((const uint8_t *)text, len, &h, &e), ERR_DAMAGED);
		ck_assert_ptr_nonnull(strstr(e.text, "too long"));
	}
} END_TEST

START_TEST(another_form_of_head_is_refused) {
	struct head h;

	ck_assert_int_eq(head_parse((const uint8_t *)wrong_heads[_i], strlen(wrong_heads[_i]), &h, &e), ERR_DAMAGED);
} END_TEST

static int open_head(const struct buf *der, const struct fixture *f, const uint8_t *want, int64_t at_s) {
	const struct head_check c = {.chain = f->chain, .nonce = want, .nonce_len = sizeof nonce, .at_s = at_s};
	X509 *signer = NULL;
	struct head h;
	int r = head_open(der->data, der->len, &c, &h, &signer, &e);

	ck_assert_int_eq(signer != NULL, r == 0);
	X509_free(signer);
	return r;
}

START_TEST(a_head_is_the_gateways_fresh_and_of_the_group) {
	static const uint8_t other[16] = "0123456789abcdX";
	OWN(buf_wipe) struct buf der = {0};
	struct head h = a_head();
	struct fixture f;

	fixture_init(&f);
	sign_head(&h, &f.gateway, &f, &der);
	ck_assert_msg(open_head(&der, &f, nonce, f.now_s) == 0, "%s", e.text);
	ck_assert_int_eq(open_head(&der, &f, NULL, f.now_s), 0);
	ck_assert_int_eq(open_head(&der, &f, other, f.now_s), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "nonce"));
	ck_assert_int_eq(open_head(&der, &f, nonce, f.now_s + 1000 * (int64_t)FIXTURE_DAY_S), ERR_DAMAGED);
	memcpy(h.group, "lob", 4);
	buf_clear(&der);
	sign_head(&h, &f.gateway, &f, &der);
	ck_assert_int_eq(open_head(&der, &f, nonce, f.now_s), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "another group"));
	fixture_wipe(&f);
} END_TEST

/* Both logs of a gateway have heads by the same key. */
START_TEST(the_head_of_the_other_log_is_refused) {
	OWN(buf_wipe) struct buf der = {0};
	struct head h = a_head(), found;
	X509 *signer = NULL;
	struct fixture f;

	fixture_init(&f);
	struct head_check c = {.chain = f.chain, .nonce = nonce, .nonce_len = sizeof nonce, .at_s = f.now_s, .audit = _i == 0};
	h.audit = _i == 1;
	sign_head(&h, &f.gateway, &f, &der);
	ck_assert_int_eq(head_open(der.data, der.len, &c, &found, &signer, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "another log"));
	ck_assert_ptr_null(signer);
	c.audit = h.audit;
	ck_assert_msg(head_open(der.data, der.len, &c, &found, &signer, &e) == 0, "%s", e.text);
	X509_free(signer);
	fixture_wipe(&f);
} END_TEST

/* One that was asked for with a longer nonce is not the answer to its beginning. */
START_TEST(the_beginning_of_a_nonce_is_another_nonce) {
	OWN(buf_wipe) struct buf der = {0};
	struct head h = a_head();
	X509 *signer = NULL;
	struct fixture f;

	fixture_init(&f);
	const struct head_check c = {.chain = f.chain, .nonce = nonce, .nonce_len = 8, .at_s = f.now_s};
	sign_head(&h, &f.gateway, &f, &der);
	ck_assert_int_eq(head_open(der.data, der.len, &c, &h, &signer, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "nonce"));
	ck_assert_ptr_null(signer);
	fixture_wipe(&f);
} END_TEST

START_TEST(a_head_with_the_head_of_a_log_beside_it_is_refused) {
	OWN(buf_wipe) struct buf der = {0}, text = {0};
	struct head h = a_head();
	struct fixture f;

	fixture_init(&f);
	struct signed_make m = {.key = f.gateway.key, .cert = f.gateway.cert, .nonce = nonce, .nonce_len = sizeof nonce,
	    .time_s = f.now_s, .log_head = "scg/lab/audit\n"};
	head_print(&h, &text);
	ck_assert_int_eq(signed_make(&m, text.data, text.len, &der, &e), 0);
	ck_assert_int_eq(open_head(&der, &f, nonce, f.now_s), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "does not belong here"));
	m.log_head = NULL;
	buf_clear(&der);
	ck_assert_int_eq(signed_make(&m, text.data, text.len, &der, &e), 0);
	ck_assert_msg(open_head(&der, &f, nonce, f.now_s) == 0, "%s", e.text);
	fixture_wipe(&f);
} END_TEST

START_TEST(a_head_by_somebody_else_is_refused) {
	OWN(buf_wipe) struct buf der = {0};
	struct head h = a_head();
	struct fixture f;

	fixture_init(&f);
	const struct fixture_id *by[] = {&f.alice, &f.foreign_gateway, &f.ca};
	sign_head(&h, by[_i], &f, &der);
	ck_assert_int_eq(open_head(&der, &f, nonce, f.now_s), ERR_DAMAGED);
	fixture_wipe(&f);
} END_TEST

static bool takes_signed_head(void *arg, const uint8_t *data, size_t len) {
	const struct fixture *f = arg;
	const struct head_check c = {.chain = f->chain, .nonce = nonce, .nonce_len = sizeof nonce, .at_s = f->now_s};
	X509 *signer;
	struct head h;
	int r = head_open(data, len, &c, &h, &signer, NULL);

	X509_free(signer);
	return r == 0;
}

START_TEST(any_change_of_a_signed_head_is_refused) {
	OWN(buf_wipe) struct buf der = {0};
	struct head h = a_head();
	struct fixture f;

	fixture_init(&f);
	sign_head(&h, &f.gateway, &f, &der);
	sweep_refused(der.data, der.len, takes_signed_head, &f);
	fixture_wipe(&f);
} END_TEST

/* --- entries --- */

static const uint8_t some_event[40] = "event", a_salt[SALT_LEN] = "salt", a_cert[30] = "cert";

static struct entry an_entry(const struct buf *serials) {
	return (struct entry){.event = some_event,
	    .event_len = sizeof some_event,
	    .salt = a_salt,
	    .path = "dir/a",
	    .path_len = 5,
	    .cert = a_cert,
	    .cert_len = sizeof a_cert,
	    .revoked = serials->data,
	    .revoked_len = serials->len};
}

static void some_serials(struct buf *b) {
	entry_put_serial(b, (const uint8_t *)"\x07", 1);
	entry_put_serial(b, (const uint8_t *)"\x80", 1);
	entry_put_serial(b, (const uint8_t *)"\x01\x00", 2);
	entry_put_serial(
	    b, (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20);
}

START_TEST(each_combination_of_fields_comes_back) {
	OWN(buf_wipe) struct buf serials = {0}, der = {0}, again = {0};
	struct entry en, back;

	some_serials(&serials);
	en = an_entry(&serials);
	if ((_i & 1) == 0)
		en.salt = NULL, en.path = NULL;
	if ((_i & 2) == 0)
		en.cert = NULL;
	if ((_i & 4) == 0)
		en.revoked = NULL;
	if ((_i & 8) == 0)
		en.revoked_len = 0;
	entry_print(&en, &der);
	ck_assert_msg(entry_parse(der.data, der.len, &back, &e) == 0, "%s", e.text);
	entry_print(&back, &again);
	ck_assert_uint_eq(again.len, der.len);
	ck_assert_mem_eq(again.data, der.data, der.len);
	ck_assert_int_eq(back.revoked != NULL, en.revoked != NULL);
	ck_assert_int_eq(back.salt != NULL, en.salt != NULL);
} END_TEST

static bool takes_entry(void *arg, const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = {0};
	struct entry en;

	(void)arg;
	if (entry_parse(data, len, &en, NULL) != 0)
		return false;
	entry_print(&en, &again);
	return again.len != len || memcmp(again.data, data, len) != 0;
}

START_TEST(any_change_of_an_entry_is_refused_or_another_entry) {
	OWN(buf_wipe) struct buf serials = {0}, der = {0};
	struct entry en;

	some_serials(&serials);
	en = an_entry(&serials);
	entry_print(&en, &der);
	sweep_refused(der.data, der.len, takes_entry, NULL);
	for (size_t n = 0; n < der.len; n++)
		ck_assert_int_eq(entry_parse(der.data, n, &en, &e), ERR_DAMAGED);
} END_TEST

/* Contents of SEQUENCE OF INTEGER that are none of rising serial numbers. */
static const struct {
	const char *der; size_t len;
} wrong_serials[] = {
    {"\x02\x01\x07\x02\x01\x07", 6},
    {"\x02\x01\x08\x02\x01\x07", 6},
    {"\x02\x01\x00", 3},
    {"\x02\x01\x80", 3},
    {"\x02\x00", 2},
    {"\x02\x02\x00\x07", 4},
    {"\x02\x02\x01\x00\x02\x01\x07", 7},
    {"\x04\x01\x07", 3},
    {"\x02\x02\x07", 3},
    {"\x02\x15\x01xxxxxxxxxxxxxxxxxxxx", 23},
};

START_TEST(serials_that_do_not_rise_are_refused) {
	struct buf serials = {.data = (uint8_t *)(uintptr_t)wrong_serials[_i].der, .len = wrong_serials[_i].len};
	struct entry en = an_entry(&serials);
	OWN(buf_wipe) struct buf der = {0};

	entry_print(&en, &der);
	ck_assert_int_eq(entry_parse(der.data, der.len, &en, &e), ERR_DAMAGED);
} END_TEST

static void change_len(struct entry *en, int which) {
	static uint8_t big[EVENT_MAX_BYTES + CERT_MAX_BYTES];

	if (which == 0)
		en->event = big, en->event_len = EVENT_MAX_BYTES + 1;
	if (which == 1)
		en->path = (const char *)big, en->path_len = PATH_BYTES_MAX + 1;
	if (which == 2)
		en->cert = big, en->cert_len = CERT_MAX_BYTES + 1;
}

START_TEST(what_is_longer_than_its_cap_is_refused) {
	OWN(buf_wipe) struct buf serials = {0}, der = {0};
	struct entry en;

	some_serials(&serials);
	en = an_entry(&serials);
	change_len(&en, _i);
	entry_print(&en, &der);
	ck_assert_int_eq(entry_parse(der.data, der.len, &en, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "allowed"));
} END_TEST

START_TEST(a_salt_has_16_bytes_and_a_path) {
	static const uint8_t only_salt[] = "\x30\x15\x04\x01x\x04\x10"
					   "0123456789abcdef",
			     short_salt[] = "\x30\x0a\x04\x01x\x04\x01s\x0c\x02"
					    "ab",
			     only_path[] = "\x30\x07\x04\x01x\x0c\x02"
					   "ab";
	struct entry en;

	ck_assert_int_eq(entry_parse(only_salt, sizeof only_salt - 1, &en, &e), ERR_DAMAGED);
	ck_assert_int_eq(entry_parse(short_salt, sizeof short_salt - 1, &en, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "salt of 1"));
	ck_assert_int_eq(entry_parse(only_path, sizeof only_path - 1, &en, &e), ERR_DAMAGED);
} END_TEST

START_TEST(a_run_of_entries_is_one_sequence) {
	OWN(buf_wipe) struct buf serials = {0}, der = {0};
	struct entry en, back;
	struct der run;

	some_serials(&serials);
	en = an_entry(&serials);
	entry_print(&en, &der);
	entry_print(&en, &der);
	ck_assert_int_eq(entry_parse(der.data, der.len, &back, &e), ERR_DAMAGED);
	entries_wrap(&der, 0);
	ck_assert_int_eq(entries_open(der.data, der.len, &run, &e), 0);
	ck_assert_int_eq(entry_take(&run, &back, &e), 0);
	ck_assert_int_eq(entry_take(&run, &back, &e), 0);
	ck_assert_uint_eq(run.len, 0);
	ck_assert_int_eq(entries_open(der.data, der.len - 1, &run, &e), ERR_DAMAGED);
	buf_addc(&der, 0);
	ck_assert_int_eq(entries_open(der.data, der.len, &run, &e), ERR_DAMAGED);
} END_TEST

int main(void) {
	TCase *t = tcase_create("event");

	tcase_add_test(t, the_text_is_the_documented_one);
	tcase_add_loop_test(t, each_op_comes_back_and_says_no_more_than_its_fields, EVENT_PUT, EVENT_SNAPSHOT);
	tcase_add_test(t, any_change_of_the_text_is_refused_or_another_event);
	tcase_add_test(t, a_text_that_is_cut_is_refused);
	tcase_add_loop_test(t, another_form_is_refused, 0, COUNT(wrong));
	tcase_add_test(t, a_nul_or_a_long_text_is_refused);
	tcase_add_test(t, openssl_verifies_an_event);
	tcase_add_test(t, openssl_verifies_a_head);
	tcase_add_test(t, a_head_comes_back);
	tcase_add_test(t, any_change_of_a_head_is_refused_or_another_head);
	tcase_add_test(t, a_head_that_is_too_long_is_refused);
	tcase_add_loop_test(t, the_head_of_the_other_log_is_refused, 0, 2);
	tcase_add_test(t, the_beginning_of_a_nonce_is_another_nonce);
	tcase_add_test(t, a_head_with_the_head_of_a_log_beside_it_is_refused);
	tcase_add_loop_test(t, another_form_of_head_is_refused, 0, COUNT(wrong_heads));
	tcase_add_test(t, a_head_is_the_gateways_fresh_and_of_the_group);
	tcase_add_loop_test(t, a_head_by_somebody_else_is_refused, 0, 3);
	tcase_add_test(t, any_change_of_a_signed_head_is_refused);
	tcase_add_loop_test(t, each_combination_of_fields_comes_back, 0, 16);
	tcase_add_test(t, any_change_of_an_entry_is_refused_or_another_entry);
	tcase_add_loop_test(t, serials_that_do_not_rise_are_refused, 0, COUNT(wrong_serials));
	tcase_add_loop_test(t, what_is_longer_than_its_cap_is_refused, 0, 3);
	tcase_add_test(t, a_salt_has_16_bytes_and_a_path);
	tcase_add_test(t, a_run_of_entries_is_one_sequence);
	return suite_run("event", t);
}

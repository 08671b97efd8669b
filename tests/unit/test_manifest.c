/* SPDX-License-Identifier: Apache-2.0 */
/* manifest: one text for a manifest, and nothing else is taken for one. */
#include "envelope/manifest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/gauge.h"
#include "lib/suite.h"

static const char digest0[] = "c0334cf298591786ac2b63a96810bc8ec3cf5a1eaf00443b3eba07216fbafb04\n";
static const char digest1[] = "7bdd1b06ef7cfdb854fd97e480eb19d31497cf66d702329312018c2c097dba4b\n";

/* The lines, each of which a test may replace. */
struct text { const char *kind, *group, *name, *file, *version, *size, *segment, *count, *digests; };
static const struct text good = { "scg-manifest 1\n", "group lab\n", "name reports/q%201%C3%A4.pdf\n",
				  "file b48293e7-c5f0-4678-b2b7-5a8e10c55223\n", "version 7\n", "size 4194305\n",
				  "segment-size 4194304\n", "count 2\n", NULL };

static int parse_text(const struct text *t, struct manifest *m, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	struct gauge gauge;
	int r;

	buf_addf(&b, "%s%s%s%s%s%s%s%s", t->kind, t->group, t->name, t->file, t->version, t->size, t->segment, t->count);
	if (t->digests != NULL)
		buf_adds(&b, t->digests);
	else
		buf_addf(&b, "%s%s", digest0, digest1);
	gauge_start(&gauge);
	r = manifest_parse(b.data, b.len, m, e);
	gauge_end(&gauge);
	return r;
}

START_TEST(each_line_is_read) {
	OWN(manifest_wipe) struct manifest m = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(parse_text(&good, &m, &e) == 0, "%s", e.text);
	ck_assert_str_eq(m.group, "lab");
	ck_assert_str_eq(m.name, "reports/q 1\xc3\xa4.pdf");
	ck_assert_uint_eq(m.version, 7);
	ck_assert_uint_eq(m.size, 4194305);
	ck_assert_uint_eq(m.segment_size, SEGMENT_LEN);
	ck_assert_uint_eq(m.count, 2);
	ck_assert_uint_eq(m.file_id[0], 0xb4);
	ck_assert_uint_eq(m.digests[1][31], 0x4b);
}
END_TEST

START_TEST(what_is_read_is_printed_the_same) {
	OWN(manifest_wipe) struct manifest m = {0};
	OWN(manifest_wipe) struct manifest again = {0};
	OWN(buf_wipe) struct buf text = {0};
	OWN(buf_wipe) struct buf twice = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(parse_text(&good, &m, &e), 0);
	manifest_print(&m, &text);
	ck_assert_uint_le(text.len, manifest_text_max(m.count));
	ck_assert_int_eq(manifest_parse(text.data, text.len, &again, &e), 0);
	manifest_print(&again, &twice);
	ck_assert_str_eq(buf_str(&text), buf_str(&twice));
}
END_TEST

START_TEST(longest_text_is_within_its_bound) {
	OWN(manifest_wipe) struct manifest m = { .version = INT64_MAX, .size = INT64_MAX, .segment_size = SEGMENT_LEN, .count = 1 };
	OWN(buf_wipe) struct buf text = {0};

	m.group = xcalloc(65, 1);
	m.name = xcalloc(MANIFEST_NAME_MAX + 1, 1);
	m.digests = xcalloc(1, sizeof *m.digests);
	memset(m.group, 'g', 64);
	memset(m.name, ' ', MANIFEST_NAME_MAX);
	manifest_print(&m, &text);
	ck_assert_uint_le(text.len, manifest_text_max(1));
}
END_TEST

/* One line other than it should be. */
static const struct { struct text t; const char *rule; } bad[] = {
#define BAD(field, value, rule) { { .field = (value) }, (rule) }
	BAD(kind, "scg-manifest 2\n", "another format"),
	BAD(kind, "scg-event 1\n", "\"scg-manifest\" missing"),
	BAD(kind, "", "\"scg-manifest\" missing"),
	BAD(group, "group a/b\n", "group"),
	BAD(group, "group \n", "group"),
	BAD(group, "group lab\r\n", "group"),
	BAD(group, "group  lab\n", "group"),
	BAD(group, "group lab\nname x\n", "manifest"),
	BAD(name, "name \n", "1 to 4096"),
	BAD(name, "name a%0Ab\n", "control character"),
	BAD(name, "name a%7fb\n", "percent-encoding"),
	BAD(name, "name a%E2%80%AEb\n", "control character"),
	BAD(name, "name a%00b\n", "percent-encoding"),
	BAD(name, "name a b\n", "percent-encoded"),
	BAD(name, "name %41\n", "percent-encoding"),
	BAD(name, "name a%c3%A4\n", "percent-encoding"),
	BAD(name, "name a%C3\n", "UTF-8"),
	BAD(name, "name a%2Fb\n", "percent-encoding"),
	BAD(name, "name a%\n", "percent-encoded"),
	BAD(file, "file B48293E7-C5F0-4678-B2B7-5A8E10C55223\n", "UUID"),
	BAD(file, "file b48293e7c5f04678b2b75a8e10c55223\n", "UUID"),
	BAD(version, "version 0\n", "version"),
	BAD(version, "version 01\n", "version"),
	BAD(version, "version +1\n", "version"),
	BAD(version, "version -1\n", "version"),
	BAD(version, "version 9223372036854775808\n", "version"),
	BAD(version, "version 18446744073709551617\n", "version"),
	BAD(size, "size 4194304\n", "do not hold"),
	BAD(size, "size 8388609\n", "do not hold"),
	BAD(size, "size 0\n", "do not hold"),
	BAD(size, "size 0x400001\n", "size"),
	BAD(segment, "segment-size 4194305\n", "segment size"),
	BAD(segment, "segment-size 0\n", "segment size"),
	BAD(count, "count 1\n", "do not hold"),
	BAD(count, "count 3\n", "do not hold"),
	BAD(count, "count 0\n", "count"),
	BAD(count, "count 16777217\n", "count"),
	BAD(count, "count 2 \n", "count"),
	BAD(digests, "", "one digest for each"),
	BAD(digests, "c0334cf298591786ac2b63a96810bc8ec3cf5a1eaf00443b3eba07216fbafb04\n", "one digest for each"),
	BAD(digests, "C0334cf298591786ac2b63a96810bc8ec3cf5a1eaf00443b3eba07216fbafb04\n"
		     "7bdd1b06ef7cfdb854fd97e480eb19d31497cf66d702329312018c2c097dba4b\n", "lower-case hex"),
	BAD(digests, "c0334cf298591786ac2b63a96810bc8ec3cf5a1eaf00443b3eba07216fbafb04\n"
		     "7bdd1b06ef7cfdb854fd97e480eb19d31497cf66d702329312018c2c097dba4b\r", "lower-case hex"),
	BAD(digests, "c0334cf298591786ac2b63a96810bc8ec3cf5a1eaf00443b3eba07216fbafb04\n"
		     "7bdd1b06ef7cfdb854fd97e480eb19d31497cf66d702329312018c2c097dba4b\n\n", "one digest for each"),
};
#define N_BAD ((int)(sizeof bad / sizeof bad[0]))

START_TEST(a_line_that_is_not_in_its_one_form_is_refused) {
	OWN(manifest_wipe) struct manifest m = {0};
	struct text t = good;
	const char **to = (const char **)&t;
	const char *const *from = (const char *const *)&bad[_i].t;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof t / sizeof *to; i++)
		if (from[i] != NULL)
			to[i] = from[i];
	ck_assert_int_eq(parse_text(&t, &m, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, bad[_i].rule) != NULL, "%s: no \"%s\"", e.text, bad[_i].rule);
	ck_assert_ptr_null(m.group);
	ck_assert_ptr_null(m.digests);
}
END_TEST

static void good_text(struct buf *text) {
	OWN(manifest_wipe) struct manifest m = {0};

	ck_assert_int_eq(parse_text(&good, &m, NULL), 0);
	manifest_print(&m, text);
}

START_TEST(every_cut_is_refused) {
	OWN(buf_wipe) struct buf text = {0};

	good_text(&text);
	for (size_t len = 0; len < text.len; len++) {
		OWN(own_free) uint8_t *copy = xmalloc(len);
		struct manifest m = {0};

		if (len > 0)
			memcpy(copy, text.data, len);
		ck_assert_int_eq(manifest_parse(copy, len, &m, NULL), ERR_DAMAGED);
	}
}
END_TEST

START_TEST(every_changed_byte_is_refused_or_read_as_it_stands) {
	OWN(buf_wipe) struct buf text = {0};

	good_text(&text);
	for (size_t i = 0; i < 255 * text.len; i++) {
		OWN(manifest_wipe) struct manifest m = {0};
		OWN(buf_wipe) struct buf again = {0};

		text.data[i / 255] ^= (uint8_t)(i % 255 + 1);
		if (manifest_parse(text.data, text.len, &m, NULL) == 0) {
			manifest_print(&m, &again);
			ck_assert_uint_eq(again.len, text.len);
			ck_assert_mem_eq(again.data, text.data, text.len);
		}
		text.data[i / 255] ^= (uint8_t)(i % 255 + 1);
	}
}
END_TEST

START_TEST(a_nul_in_a_line_is_refused) {
	OWN(buf_wipe) struct buf text = {0};
	struct manifest m = {0};

	good_text(&text);
	text.data[strlen("scg-manifest 1\ngroup l")] = '\0';
	ck_assert_int_eq(manifest_parse(text.data, text.len, &m, NULL), ERR_DAMAGED);
}
END_TEST

START_TEST(a_count_that_the_text_cannot_hold_allocates_nothing) {
	struct text t = good;
	struct manifest m = {0};
	struct err e = ERR_INIT;

	t.size = "size 70368744177664\n";
	t.count = "count 16777216\n";
	ck_assert_int_eq(parse_text(&t, &m, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "one digest for each"));
}
END_TEST

/* What a sealing asks before it writes one: the bounds that a text cannot even spell, and the count of too large a file. */
START_TEST(a_manifest_beyond_its_bounds_is_refused) {
	OWN(manifest_wipe) struct manifest m = {0};
	struct err e = ERR_INIT;
	char name[MANIFEST_NAME_MAX + 2] = {0};

	ck_assert_int_eq(parse_text(&good, &m, NULL), 0);
	ck_assert_int_eq(manifest_check(&m, &e), 0);
	m.version = INT64_MAX;
	ck_assert_int_eq(manifest_check(&m, &e), 0);
	m.version++;
	ck_assert_int_eq(manifest_check(&m, &e), ERR_USAGE);
	m.version = 1;
	m.count = SEGMENTS_MAX;
	m.size = m.count * SEGMENT_LEN;
	ck_assert_int_eq(manifest_check(&m, &e), 0);
	m.count++;
	m.size++;
	ck_assert_int_eq(manifest_check(&m, &e), ERR_USAGE);
	m.count = m.size = 1;
	free(m.name);
	memset(name, 'a', MANIFEST_NAME_MAX);
	m.name = xstrdup(name);
	ck_assert_int_eq(manifest_check(&m, &e), 0);
	free(m.name);
	name[MANIFEST_NAME_MAX] = 'a';
	m.name = xstrdup(name);
	ck_assert_int_eq(manifest_check(&m, &e), ERR_USAGE);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("text");

	tcase_add_test(c, each_line_is_read);
	tcase_add_test(c, what_is_read_is_printed_the_same);
	tcase_add_test(c, longest_text_is_within_its_bound);
	tcase_add_loop_test(c, a_line_that_is_not_in_its_one_form_is_refused, 0, N_BAD);
	tcase_add_test(c, every_cut_is_refused);
	tcase_add_test(c, every_changed_byte_is_refused_or_read_as_it_stands);
	tcase_add_test(c, a_nul_in_a_line_is_refused);
	tcase_add_test(c, a_count_that_the_text_cannot_hold_allocates_nothing);
	tcase_add_test(c, a_manifest_beyond_its_bounds_is_refused);
	return suite_run("manifest", c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pki/pem_stream: what it hands on is what the reader of whole texts finds, however the text was cut; what that one refuses, it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/suite.h"
#include "pki/crl.h"
#include "pki/pem.h"

OWN_DEFINE(pem_stream, struct pem_stream, pem_stream_free)

static int put(void *arg, const uint8_t *data, size_t len, struct err *e) {
	(void)e;
	buf_add(arg, data, len);
	return 0;
}

static int read_in_steps(const uint8_t *data, size_t len, size_t step, struct buf *out, struct err *e) {
	OWN(own_pem_stream) struct pem_stream *s = pem_stream_new(CRL_PEM_LABEL, put, out);
	int r;

	for (size_t at = 0, n; at < len; at += n) {
		n = len - at < step ? len - at : step;
		if ((r = pem_stream_feed(s, data + at, n, e)) != 0)
			return r;
	}
	return pem_stream_end(s, e);
}

static void make(size_t len, struct buf *der, struct buf *pem) {
	struct err e = ERR_INIT;

	buf_addc(der, 0x30);
	for (size_t i = 1; i < len; i++)
		buf_addc(der, (uint8_t)(i * 7 >> 2));
	ck_assert_int_eq(crl_pem(der->data, der->len, pem, &e), 0);
}

START_TEST(a_text_is_read_however_it_is_cut) {
	static const size_t steps[] = { 1, 2, 3, 63, 64, 65, 1000, 1u << 20 };
	struct err e = ERR_INIT;

	for (size_t len = 1; len < 70000; len = len * 3 + 1) {
		OWN(buf_wipe) struct buf der = {0};
		OWN(buf_wipe) struct buf pem = {0};

		make(len, &der, &pem);
		for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
			OWN(buf_wipe) struct buf got = {0};

			ck_assert_msg(read_in_steps(pem.data, pem.len, steps[i], &got, &e) == 0, "%s", e.text);
			ck_assert_uint_eq(got.len, der.len);
			ck_assert_mem_eq(got.data, der.data, der.len);
		}
	}
} END_TEST

START_TEST(der_is_handed_on_as_it_is) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf pem = {0};
	OWN(buf_wipe) struct buf got = {0};
	struct err e = ERR_INIT;

	make(5000, &der, &pem);
	ck_assert_int_eq(read_in_steps(der.data, der.len, 7, &got, &e), 0);
	ck_assert_uint_eq(got.len, der.len);
	ck_assert_mem_eq(got.data, der.data, der.len);
} END_TEST

#define BEGIN "-----BEGIN X509 CRL-----\n"
#define END "-----END X509 CRL-----\n"

static const struct { const char *text, *der; } fine[] = {
	{ BEGIN "MAAB\n" END, "\x30\x00\x01" },
	{ "some words before\n\n" BEGIN "MAAB\n" END "\n \t\r\n", "\x30\x00\x01" },
	{ "-----BEGIN X509 CRL-----\r\nMAAB\r\n-----END X509 CRL-----\r\n", "\x30\x00\x01" },
	{ BEGIN "MAAB\n-----END X509 CRL-----", "\x30\x00\x01" },
	{ BEGIN "MAA\nB\n" END, "\x30\x00\x01" },
};

START_TEST(what_rfc_7468_allows_is_read) {
	OWN(buf_wipe) struct buf got = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(read_in_steps((const uint8_t *)fine[_i].text, strlen(fine[_i].text), 5, &got, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(got.len, 3);
	ck_assert_mem_eq(got.data, fine[_i].der, 3);
} END_TEST

static const char *const wrong[] = {
	"", "\n", "words\n", BEGIN, BEGIN "MAAB\n", BEGIN END "x\n", BEGIN "MAAB\n" END "MAAB\n", BEGIN "MAAB\n" END BEGIN "MAAB\n" END,
	BEGIN "MA*B\n" END, BEGIN "MAA\n" END, BEGIN "MAAB=\n" END, BEGIN "MA==\nMAAB\n" END, BEGIN "MA-B\n" END, BEGIN "MA AB\n" END,
	BEGIN "\nMAAB\n" END, BEGIN "Proc-Type: 4,ENCRYPTED\n\nMAAB\n" END, BEGIN "MAAB\n-----END CERTIFICATE-----\n",
	"-----BEGIN CERTIFICATE-----\nMAAB\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n" BEGIN "MAAB\n" END,
	BEGIN BEGIN "MAAB\n" END, BEGIN "M===\n" END, BEGIN "====\n" END,
};

START_TEST(what_is_no_block_is_refused) {
	for (size_t step = 1; step < 50; step += 24) {
		OWN(buf_wipe) struct buf got = {0};
		struct err e = ERR_INIT;

		ck_assert_msg(read_in_steps((const uint8_t *)wrong[_i], strlen(wrong[_i]), step, &got, &e) == ERR_DAMAGED, "%s", wrong[_i]);
	}
} END_TEST

START_TEST(lines_without_an_end_are_refused) {
	OWN(buf_wipe) struct buf text = {0};
	OWN(buf_wipe) struct buf got = {0};
	struct err e = ERR_INIT;

	buf_adds(&text, BEGIN);
	for (int i = 0; i < 1025; i++)
		buf_addc(&text, 'A');
	ck_assert_int_eq(read_in_steps(text.data, text.len, 100, &got, &e), ERR_DAMAGED);
	ck_assert_uint_eq(got.len, 0);
} END_TEST

/* Each byte changed: refused, or something was decoded that has the same length or less, without end. */
START_TEST(changed_bytes_never_read_too_far) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf pem = {0};
	struct err e = ERR_INIT;

	make(300, &der, &pem);
	for (size_t i = 0; i < pem.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			OWN(buf_wipe) struct buf got = {0};

			pem.data[i] = (uint8_t)(pem.data[i] ^ 1u << bit);
			if (read_in_steps(pem.data, pem.len, pem.len, &got, &e) == 0)
				ck_assert(got.len <= der.len || pem_is_der(pem.data, pem.len));
			pem.data[i] = (uint8_t)(pem.data[i] ^ 1u << bit);
		}
	}
} END_TEST

START_TEST(cut_texts_are_refused) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf pem = {0};
	struct err e = ERR_INIT;

	make(300, &der, &pem);
	for (size_t len = 0; len < pem.len - 1; len++) {
		OWN(buf_wipe) struct buf got = {0};

		ck_assert_int_eq(read_in_steps(pem.data, len, 50, &got, &e), ERR_DAMAGED);
	}
} END_TEST

int main(void) {
	TCase *t = tcase_create("pem_stream");

	tcase_add_test(t, a_text_is_read_however_it_is_cut);
	tcase_add_test(t, der_is_handed_on_as_it_is);
	tcase_add_loop_test(t, what_rfc_7468_allows_is_read, 0, sizeof fine / sizeof *fine);
	tcase_add_loop_test(t, what_is_no_block_is_refused, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, lines_without_an_end_are_refused);
	tcase_add_test(t, changed_bytes_never_read_too_far);
	tcase_add_test(t, cut_texts_are_refused);
	return suite_run("pem_stream", t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: objects that break a rule, and honest objects in the wrong place. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "envelope/layout.h"
#include "envelope/object.h"
#include "lib/forge.h"
#include "lib/suite.h"
#include "pki/ossl.h"
#include "pki/signed.h"

static struct lab lab;
static const char text[] = "the minutes of the meeting";
static struct buf honest; /* text, sealed */

static void set_up(void) {
	lab_init(&lab);
	lab_seal(&lab, text, sizeof text, &honest, NULL);
}

static void tear_down(void) {
	buf_wipe(&honest);
	lab_wipe(&lab);
}

/* rule "": whichever document's it is. */
static bool names(const char *said, const char *rule) {
	if (rule[0] != '\0')
		return strstr(said, rule) != NULL;
	return strstr(said, "RFC ") != NULL || strstr(said, "X.690 ") != NULL;
}

/* Refused both as a file and as a stream (at a bounded price: lab_open), and from file to file, where each segment goes to its place at once;
 * from a file not one byte may have left in order. */
static void assert_refused(const struct buf *sealed, const char *rule) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct err e = ERR_INIT;

	lab_out_init(&out, sealed->len + 1);
	ck_assert_int_eq(lab_open(&lab, sealed, LAB_SEEK, LAB_STREAM, &out, &r, &e), ERR_DAMAGED);
	ck_assert(r.author == NULL && r.manifest.digests == NULL);
	ck_assert_msg(names(e.text, rule), "file: %s: no \"%s\"", e.text, rule);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(lab_open(&lab, sealed, LAB_STREAM, LAB_STREAM, &out, NULL, &e), ERR_DAMAGED);
	ck_assert_msg(names(e.text, rule), "stream: %s: no \"%s\"", e.text, rule);
	lab_out_wipe(&out);
	lab_out_init(&out, sealed->len + 1);
	ck_assert_int_eq(lab_open(&lab, sealed, LAB_SEEK, LAB_SEEK, &out, NULL, &e), ERR_DAMAGED);
	ck_assert_msg(names(e.text, rule), "from file to file: %s: no \"%s\"", e.text, rule);
	ck_assert(!out.ended);
}

static void assert_opens(const struct buf *sealed, const void *plain, size_t len) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	struct err e = ERR_INIT;

	lab_out_init(&out, len + 1);
	ck_assert_msg(lab_open(&lab, sealed, LAB_SEEK, LAB_STREAM, &out, NULL, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(out.len, len);
	ck_assert_mem_eq(out.p, plain, len);
}

/* ---- bytes ---- */

START_TEST(every_flipped_byte_is_refused) {
	static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };
	OWN(lab_out_wipe) struct lab_out out = {0};

	lab_out_init(&out, honest.len);
	for (size_t i = 0; i < honest.len * sizeof masks; i++) {
		uint8_t mask = masks[i % sizeof masks];
		int r;

		honest.data[i / sizeof masks] ^= mask;
		ck_assert_int_eq(lab_open(&lab, &honest, LAB_SEEK, LAB_STREAM, &out, NULL, NULL), ERR_DAMAGED);
		ck_assert_uint_eq(out.len, 0);
		/* A stream cannot know yet whether the key identifier of its first object is wrong or merely unknown. */
		r = lab_open(&lab, &honest, LAB_STREAM, LAB_SEEK, &out, NULL, NULL);
		ck_assert(r == ERR_DAMAGED || r == ERR_REFUSED);
		out.len = 0;
		honest.data[i / sizeof masks] ^= mask;
	}
	assert_opens(&honest, text, sizeof text);
}
END_TEST

START_TEST(every_cut_is_refused) {
	OWN(lab_out_wipe) struct lab_out out = {0};

	lab_out_init(&out, honest.len);
	for (size_t len = 0; len < honest.len; len++) {
		OWN(own_free) uint8_t *copy = xmalloc(len);
		struct buf cut = { .data = copy, .len = len };

		if (len > 0)
			memcpy(copy, honest.data, len);
		ck_assert_int_eq(lab_open(&lab, &cut, LAB_SEEK, LAB_STREAM, &out, NULL, NULL), ERR_DAMAGED);
		ck_assert_uint_eq(out.len, 0);
		ck_assert_int_eq(lab_open(&lab, &cut, LAB_STREAM, LAB_SEEK, &out, NULL, NULL), ERR_DAMAGED);
		out.len = 0;
	}
}
END_TEST

START_TEST(bytes_behind_the_manifest_are_refused) {
	buf_addc(&honest, 0);
	assert_refused(&honest, "behind the manifest");
	honest.len--;
	lab_seal(&lab, text, sizeof text, &honest, NULL);
	assert_refused(&honest, "behind the manifest");
}
END_TEST

START_TEST(random_bytes_are_refused) {
	OWN(own_free) uint8_t *noise = lab_plain(100000);
	struct buf b = { .data = noise, .len = 100000 };
	struct err e = ERR_INIT;

	for (int i = 0; i < 256; i++) {
		noise[0] = (uint8_t)i;
		ck_assert_int_eq(lab_open(&lab, &b, LAB_SEEK, LAB_STREAM, NULL, NULL, &e), ERR_DAMAGED);
		ck_assert_int_eq(lab_open(&lab, &b, LAB_STREAM, LAB_STREAM, NULL, NULL, &e), ERR_DAMAGED);
	}
}
END_TEST

/* ---- one object ---- */

static const struct { struct forge f; const char *rule; } bad[] = {
#define BAD(rule, ...) { { __VA_ARGS__ }, (rule) }
	BAD("content type data", .type = "1.2.840.113549.1.7.1"),
	BAD("content type signedData", .type = "1.2.840.113549.1.7.2"),
	BAD("content type envelopedData", .type = "1.2.840.113549.1.7.3"),
	BAD("content type digestedData", .type = "1.2.840.113549.1.7.5"),
	BAD("content type encryptedData", .type = "1.2.840.113549.1.7.6"),
	BAD("content type authData", .type = "1.2.840.113549.1.9.16.1.2"),
	BAD("content type compressedData", .type = "1.2.840.113549.1.9.16.1.9"),
	BAD("RFC 5083 1.1", .type = "1.2.840.113549.1.9.16.1.24"),
	BAD("RFC 5083 1.1", .type = "1.2.840.113549.1.9.16.1"), /* the beginning of the right one, as three more below */
	BAD("RFC 5083 2.1: version", .version = 1),
	BAD("RFC 5083 2.1: version", .version = 2),
	BAD("originatorInfo", .originator = true),
	BAD("RFC 5652 6.2", .no_recipient = true),
	BAD("RFC 5652 6.2", .recipients = 2),
	BAD("RFC 5652 6.2", .recipients = 100000),
	BAD("RFC 5652 6.2", .nested = 1), BAD("RFC 5652 6.2", .nested = 1000),
	BAD("RFC 5652 6.2.1: ", .recipient_tag = 0x30),
	BAD("RFC 5652 6.2.2: ", .recipient_tag = 0xa1),
	BAD("RFC 5652 6.2: the recipient is not", .recipient_tag = 0xa3),
	BAD("RFC 5652 6.2: the recipient is not", .recipient_tag = 0xa4),
	BAD("RFC 5652 6.2.3: KEKRecipientInfo of version", .kek_version = 3),
	BAD("RFC 5652 6.2.3: key identifier of 15", .key_id_len = 15),
	BAD("RFC 5652 6.2.3: key identifier of 17", .key_id_len = 17),
	BAD("RFC 5652 6.2.3: kekid", .kek_date = true),
	BAD("key wrap", .wrap = "2.16.840.1.101.3.4.1.5"),
	BAD("key wrap", .wrap = "2.16.840.1.101.3.4.1.25"),
	BAD("key wrap", .wrap = "2.16.840.1.101.3.4.1.48"),
	BAD("key wrap", .wrap = "1.2.840.113549.1.9.16.3.6"),
	BAD("key wrap", .wrap = "2.16.840.1.101.3.4.1"),
	BAD("parameters of id-aes256-wrap", .wrap_null = true),
	BAD("RFC 3394", .wrapped_len = 24),
	BAD("RFC 3394", .wrapped_len = 32),
	BAD("RFC 3394", .wrapped_len = 39),
	BAD("RFC 3394", .wrapped_len = 41),
	BAD("RFC 3394", .wrapped_len = 48),
	BAD("id-data", .inner = "1.2.840.113549.1.7.2"),
	BAD("id-data", .inner = "1.2.840.113549.1.7.3"),
	BAD("id-data", .inner = "1.2.840.113549.1.9.16.1.9"),
	BAD("id-data", .inner = "1.2.840.113549.1.9.16.1.23"),
	BAD("id-data", .inner = "1.2.840.113549.1.7"),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1"),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.6"),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.26"),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.41"),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.42", .cipher_iv = true, .nonce_len = 16),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.43", .cipher_iv = true, .nonce_len = 16),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.44", .cipher_iv = true, .nonce_len = 16),
	BAD("RFC 5084 3.2: cipher", .cipher = "2.16.840.1.101.3.4.1.47"),
	BAD("RFC 5084 3.2: cipher", .cipher = "0.3.4401.5.3.1.9.49", .cipher_iv = true, .nonce_len = 16), /* the only CTR of 256 bits with a name */
	BAD("RFC 5084 3.2: cipher", .cipher = "1.2.840.113549.3.7", .cipher_iv = true, .nonce_len = 8),
	BAD("RFC 5084 3.2: cipher", .cipher = "1.2.840.113549.1.9.16.3.18"),
	BAD("GCMParameters", .cipher_iv = true),
	BAD("nonce of 0 ", .nonce_empty = true),
	BAD("tag of 0 ", .tag_empty = true),
	BAD("mac of 16", .tag_empty = true, .icv_len = 16),
	BAD("content type envelopedData", .type = "1.2.840.113549.1.7.3", .version = 2, .cipher = "2.16.840.1.101.3.4.1.42", .cipher_iv = true,
	    .nonce_len = 16, .no_tag = true),
	BAD("RFC 5083 2.1: version", .version = 2, .cipher = "2.16.840.1.101.3.4.1.42", .cipher_iv = true, .nonce_len = 16, .no_tag = true),
	BAD("content type encryptedData", .type = "1.2.840.113549.1.7.6", .no_recipient = true, .no_tag = true),
	BAD("nonce of 1 ", .nonce_len = 1), BAD("nonce of 8 ", .nonce_len = 8), BAD("nonce of 11 ", .nonce_len = 11),
	BAD("nonce of 13 ", .nonce_len = 13), BAD("nonce of 16 ", .nonce_len = 16), BAD("nonce of 32 ", .nonce_len = 32),
	BAD("tag of 12", .no_icv_len = true, .tag_len = 12),
	BAD("tag of 12", .no_icv_len = true),
	BAD("tag of 1 ", .tag_len = 1), BAD("tag of 2 ", .tag_len = 2), BAD("tag of 3 ", .tag_len = 3), BAD("tag of 4 ", .tag_len = 4),
	BAD("tag of 5 ", .tag_len = 5), BAD("tag of 6 ", .tag_len = 6), BAD("tag of 7 ", .tag_len = 7), BAD("tag of 8 ", .tag_len = 8),
	BAD("tag of 9 ", .tag_len = 9), BAD("tag of 10 ", .tag_len = 10), BAD("tag of 11 ", .tag_len = 11), BAD("tag of 12 ", .tag_len = 12),
	BAD("tag of 13 ", .tag_len = 13), BAD("tag of 14 ", .tag_len = 14), BAD("tag of 15 ", .tag_len = 15),
	BAD("mac of 16", .tag_len = 15, .icv_len = 16),
	BAD("mac of 16", .tag_len = 4, .icv_len = 16),
	BAD("mac of 16", .no_tag = true),
	BAD("tag of 17 ", .icv_len = 17),
	BAD("authAttrs", .auth_attrs = true),
	BAD("unauthAttrs", .unauth_attrs = true),
	BAD("indefinite", .form = FORGE_INDEFINITE),
	BAD("indefinite", .form = FORGE_PIECES),
	BAD("pieces", .form = FORGE_DEFINITE_PIECES),
	BAD("not minimal", .form = FORGE_LONG_LENGTH),
};
#define N_BAD ((int)(sizeof bad / sizeof bad[0]))

static void forge_pair(const struct forge *segment, const struct forge *manifest, struct buf *out) {
	OWN(content_wipe) struct content c = {0};
	OWN(manifest_wipe) struct manifest m = {0};
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf lines = {0};
	struct signed_make sign = { .key = lab.f.alice.key, .cert = lab.f.alice.cert, .time_s = lab.f.now_s };
	struct err e = ERR_INIT;

	forge_content(&lab, &honest, &c);
	forge_manifest(&lab, text, sizeof text, &m);
	manifest_print(&m, &lines);
	ck_assert_int_eq(signed_make(&sign, lines.data, lines.len, &der, &e), 0);
	forge_small(&c, segment, manifest, text, sizeof text, der.data, der.len, out);
}

START_TEST(an_unforged_pair_opens) {
	static const struct forge none;
	OWN(buf_wipe) struct buf b = {0};

	forge_pair(&none, &none, &b);
	assert_opens(&b, text, sizeof text);
}
END_TEST

START_TEST(a_segment_that_breaks_a_rule_is_refused) {
	static const struct forge none;
	OWN(buf_wipe) struct buf b = {0};

	forge_pair(&bad[_i].f, &none, &b);
	assert_refused(&b, bad[_i].rule);
}
END_TEST

START_TEST(a_manifest_object_that_breaks_a_rule_is_refused) {
	static const struct forge none;
	OWN(buf_wipe) struct buf b = {0};

	forge_pair(&none, &bad[_i].f, &b);
	assert_refused(&b, "manifest");
}
END_TEST

/* ---- other kinds of CMS, as OpenSSL makes them ---- */

static CMS_ContentInfo *encrypt_to_alice(BIO *in, const EVP_CIPHER *cipher) {
	STACK_OF(X509) *to = sk_X509_new_null();
	CMS_ContentInfo *cms;

	ck_assert_int_gt(sk_X509_push(to, lab.f.alice.cert), 0);
	cms = CMS_encrypt(to, in, cipher, CMS_BINARY);
	sk_X509_free(to);
	return cms;
}

static CMS_ContentInfo *make_cms(int i, BIO *in) {
	static const uint8_t key[32];

	switch (i) {
	case 0:
		return encrypt_to_alice(in, EVP_aes_256_cbc());
	case 1:
		return encrypt_to_alice(in, EVP_aes_256_gcm());
	case 2:
		return CMS_EncryptedData_encrypt(in, EVP_aes_256_cbc(), key, sizeof key, CMS_BINARY);
	case 3:
		return CMS_digest_create(in, EVP_sha256(), CMS_BINARY);
	case 4:
		return CMS_sign(lab.f.alice.cert, lab.f.alice.key, NULL, in, CMS_BINARY);
	case 5:
		return CMS_data_create(in, CMS_BINARY);
	default:
		return CMS_compress(in, NID_zlib_compression, CMS_BINARY);
	}
}

static const char *const stock_rules[] = { "content type envelopedData", "RFC 5753 7.1.4", "content type encryptedData",
	"content type digestedData", "content type signedData", "content type data",
	"content type compressedData" };

/* Each holds a whole file of ours: it is not looked for inside. */
START_TEST(a_sealed_file_inside_other_cms_is_refused) {
	OWN(own_bio) BIO *in = BIO_new_mem_buf(honest.data, (int)honest.len);
	OWN(own_cms) CMS_ContentInfo *cms = make_cms(_i, in);
	OWN(buf_wipe) struct buf b = {0};
	unsigned char *der = NULL;
	int len;

	if (cms == NULL && _i == 6) /* an OpenSSL without zlib */
		return;
	ck_assert_ptr_nonnull(cms);
	len = i2d_CMS_ContentInfo(cms, &der);
	ck_assert_int_gt(len, 0);
	buf_add(&b, der, (size_t)len);
	OPENSSL_free(der);
	assert_refused(&b, stock_rules[_i]);
}
END_TEST

/* ---- lengths ---- */

START_TEST(lengths_that_lie_are_refused_at_once) {
	static const uint64_t lens[] = { 1u << 31, UINT64_C(1) << 32, UINT64_C(1) << 40, UINT64_C(1) << 62, INT64_MAX };
	OWN(content_wipe) struct content c = {0};

	forge_content(&lab, &honest, &c);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		for (int kind = OBJECT_MORE; kind <= OBJECT_NOTE; kind++) {
			OWN(buf_wipe) struct buf b = {0};
			struct object o = { 0, (uint8_t)kind, lens[i] };

			object_header(&c.file, &o, &b);
			buf_add(&b, honest.data, honest.len);
			assert_refused(&b, "");
		}
	}
}
END_TEST

/* Each length of a header in eight bytes, small ones too: there is one way to write a length. */
START_TEST(lengths_in_eight_bytes_are_refused_everywhere) {
	static const uint64_t lens[] = { 0, 16, 1u << 31, UINT64_C(1) << 32, (UINT64_C(1) << 63) - 1, UINT64_C(1) << 63, UINT64_MAX };
	unsigned places = 0;

	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		for (places = 0;; places++) {
			OWN(buf_wipe) struct buf b = {0};

			if (!forge_length(&honest, places, lens[i], &b))
				break;
			assert_refused(&b, "");
		}
	}
	ck_assert_uint_gt(places, 18);
}
END_TEST

START_TEST(a_manifest_longer_than_any_is_refused_unread) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf b = {0};
	struct object segment = { 0, OBJECT_LAST, sizeof text }, manifest = { 1, OBJECT_MANIFEST, 1u << 30 };
	static const struct forge none;

	forge_content(&lab, &honest, &c);
	forge_object(&none, &c, &segment, text, sizeof text, &b);
	object_header(&c.file, &manifest, &b);
	buf_add(&b, honest.data, honest.len);
	assert_refused(&b, "longer than any");
}
END_TEST

START_TEST(a_thousand_levels_are_refused) {
	OWN(buf_wipe) struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_add(&b, "\x30\x80", 2);
	assert_refused(&b, "");
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		der_wrap(&b, 0, DER_SEQUENCE);
	assert_refused(&b, "");
}
END_TEST

/* ---- objects in the wrong place ---- */

#define LONG_LEN (2u * SEGMENT_LEN + 1000u)

/* A file of three segments, and one of another version of it. */
struct pair {
	uint8_t *plain;
	struct buf one, two;
	struct layout l;
};

static void pair_init(struct pair *p) {
	p->plain = lab_plain(LONG_LEN);
	lab_seal(&lab, p->plain, LONG_LEN, &p->one, NULL);
	lab.seal.version = 2;
	lab_seal(&lab, p->plain, LONG_LEN, &p->two, NULL);
	layout_make(&p->l, LONG_LEN, OBJECT_KEK_LEN);
}

static void pair_wipe(struct pair *p) {
	free(p->plain);
	buf_wipe(&p->one);
	buf_wipe(&p->two);
}

/* Objects: 'n'ote, '0'.. segments, 'm'anifest; capital N, A.. and M: of the other version. */
static void add_object(const struct pair *p, char what, struct buf *out) {
	bool other = (what >= 'A' && what <= 'C') || what == 'N' || what == 'M';
	const struct buf *from = other ? &p->two : &p->one;
	uint64_t begin, end;

	if (what == 'n' || what == 'N') {
		begin = 0;
		end = p->l.note_size;
	} else if (what == 'm' || what == 'M') {
		begin = layout_manifest_off(&p->l);
		end = from->len;
	} else {
		uint64_t i = (uint64_t)(what - (other ? 'A' : '0'));

		begin = layout_segment_off(&p->l, i);
		end = i + 1 < p->l.count ? layout_segment_off(&p->l, i + 1) : layout_manifest_off(&p->l);
	}
	buf_add(out, from->data + begin, (size_t)(end - begin));
}

static const struct { const char *objects, *rule; } orders[] = {
	{ "n102m", "segment 0" },       /* swapped */
	{ "n021m", "segment 1" },
	{ "n12m", "segment 0" },        /* dropped */
	{ "n02m", "segment 1" },
	{ "n01m", "segment 2" },
	{ "nm", "segment 0" },
	{ "n", "cut off" },
	{ "n0012m", "segment 1" },      /* doubled */
	{ "n0112m", "segment 2" },
	{ "n0122m", "manifest" },
	{ "nn012m", "segment 0" },
	{ "n012mm", "behind the manifest" },
	{ "n012m0", "behind the manifest" },
	{ "n012", "manifest" },         /* cut off */
	{ "n01", "segment 2" },
	{ "n0", "segment 1" },
	{ "nA12m", "segment 0" },       /* mixed from two versions */
	{ "n0B2m", "segment 1" },
	{ "n01Cm", "segment 2" },
	{ "n012M", "manifest" },        /* the manifest of another version */
	{ "N012m", "segment 0" },
	{ "012m", "first object" },     /* no note */
	{ "2m", "first object" },
	{ "0", "first object" },
	{ "m", "first object" },
	{ "n2m", "segment 0" },
	{ "n2", "segment 0" },
};

START_TEST(objects_out_of_place_are_refused) {
	OWN(pair_wipe) struct pair p = {0};

	pair_init(&p);
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		OWN(buf_wipe) struct buf b = {0};

		for (const char *c = orders[i].objects; *c != '\0'; c++)
			add_object(&p, *c, &b);
		assert_refused(&b, orders[i].rule);
	}
}
END_TEST

START_TEST(one_flipped_byte_in_a_long_file_is_refused) {
	OWN(pair_wipe) struct pair p = {0};

	pair_init(&p);
	for (uint64_t i = 0; i <= p.l.count; i++) { /* in the note, then in each segment */
		uint64_t off = (i < p.l.count ? layout_segment_off(&p.l, i) : layout_manifest_off(&p.l)) - 100;
		OWN(lab_out_wipe) struct lab_out out = {0};

		lab_out_init(&out, LONG_LEN);
		p.one.data[off] ^= 1;
		ck_assert_int_eq(lab_open(&lab, &p.one, LAB_SEEK, LAB_STREAM, &out, NULL, NULL), ERR_DAMAGED);
		/* What was released before are whole segments whose digests the author signed. */
		ck_assert_uint_eq(out.len % SEGMENT_LEN, 0);
		ck_assert_mem_eq(out.p, p.plain, out.len);
		ck_assert_int_eq(lab_open(&lab, &p.one, LAB_SEEK, LAB_SEEK, &out, NULL, NULL), ERR_DAMAGED);
		ck_assert(!out.ended);
		/* From a stream, too, nothing leaves whose tag is wrong. */
		lab_out_wipe(&out);
		lab_out_init(&out, LONG_LEN);
		ck_assert_int_eq(lab_open(&lab, &p.one, LAB_STREAM, LAB_STREAM, &out, NULL, NULL), ERR_DAMAGED);
		ck_assert_uint_le(out.len, i == 0 ? 0 : (i - 1) * SEGMENT_LEN);
		ck_assert_mem_eq(out.p, p.plain, out.len);
		p.one.data[off] ^= 1;
	}
}
END_TEST

/* Under the group's key, so that only the length tells. */
START_TEST(a_last_segment_without_content_or_with_too_much_is_refused) {
	static const struct { size_t len; const char *rule; } lasts[] = {
		{ 0, "RFC 5652 6.1: content of 0 bytes" }, { SEGMENT_LEN + 1, "RFC 5652 6.1: content of 4194305 bytes" },
	};
	static const struct forge none;
	OWN(pair_wipe) struct pair p = {0};
	OWN(content_wipe) struct content c = {0};

	pair_init(&p);
	forge_content(&lab, &p.one, &c);
	for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++) {
		OWN(buf_wipe) struct buf b = {0};
		struct object last = { 2, OBJECT_LAST, lasts[i].len };

		for (const char *what = "n01"; *what != '\0'; what++)
			add_object(&p, *what, &b);
		forge_object(&none, &c, &last, p.plain, lasts[i].len, &b);
		add_object(&p, 'm', &b);
		assert_refused(&b, lasts[i].rule);
	}
}
END_TEST

/* No index is longer than the nonce has room for, however long the drive says that the object is. */
START_TEST(more_segments_than_there_may_be_are_refused) {
	OWN(pair_wipe) struct pair p = {0};
	struct lab_in in;
	struct source source;
	struct object_file f;
	struct layout l;
	struct err e = ERR_INIT;

	pair_init(&p);
	in = (struct lab_in){ .p = p.one.data, .len = p.one.len };
	source = lab_source(&in, LAB_SEEK);
	source.size = p.l.note_size + SEGMENTS_MAX * p.l.full_size;
	ck_assert_int_eq(layout_find_ends(&source, &f, &l, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "2^24") != NULL, "%s", e.text);
	source.size--;
	ck_assert_int_eq(layout_find_ends(&source, &f, &l, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "2^24") == NULL, "%s", e.text);
}
END_TEST

/* A member who knows the group's key can make tags; what he cannot make is the author's digest. */
START_TEST(a_segment_sealed_anew_by_another_member_is_refused) {
	static const struct forge none;
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf b = {0};
	struct object segment = { 0, OBJECT_LAST, sizeof text };
	uint8_t other[sizeof text] = "the minutes of the mutiny!";

	forge_content(&lab, &honest, &c);
	forge_object(&none, &c, &segment, other, sizeof other, &b);
	buf_add(&b, honest.data + b.len, honest.len - b.len);
	assert_refused(&b, "SHA-256");
}
END_TEST

/* The note of a file of one segment, and a long file with the note's text changed under the key. */
START_TEST(a_note_in_the_wrong_place_or_of_other_words_is_refused) {
	static const struct forge none;
	OWN(content_wipe) struct content c = {0};
	OWN(pair_wipe) struct pair p = {0};
	OWN(buf_wipe) struct buf b = {0};
	OWN(own_free) char *words = xstrdup(layout_note);
	struct object note = layout_note_object();

	forge_content(&lab, &honest, &c);
	forge_object(&none, &c, &note, words, layout_note_len(), &b);
	buf_add(&b, honest.data, honest.len);
	assert_refused(&b, "segment 0");

	pair_init(&p);
	content_wipe(&c);
	forge_content(&lab, &p.one, &c);
	words[0] ^= 1;
	buf_clear(&b);
	forge_object(&none, &c, &note, words, layout_note_len(), &b);
	buf_add(&b, p.one.data + b.len, p.one.len - b.len);
	assert_refused(&b, "note");
}
END_TEST

/* ---- keys ---- */

START_TEST(an_unknown_key_is_a_refusal_not_damage) {
	static struct keyring old;
	struct err e = ERR_INIT;

	old = (struct keyring){ .group = lab.keys.group, .v = lab.keys.v + 1, .n = 1 };
	lab.open.keys = &old;
	ck_assert_int_eq(lab_open(&lab, &honest, LAB_SEEK, LAB_STREAM, NULL, NULL, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "not among the keys"));
	ck_assert_int_eq(lab_open(&lab, &honest, LAB_STREAM, LAB_STREAM, NULL, NULL, &e), ERR_REFUSED);
}
END_TEST

START_TEST(a_wrong_key_under_the_right_identifier_is_refused) {
	lab.keys.v[0].key.data[0] ^= 1;
	assert_refused(&honest, "RFC 3394 2.2.2");
}
END_TEST

int main(void) {
	TCase *c = tcase_create("refusals");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, every_flipped_byte_is_refused);
	tcase_add_test(c, every_cut_is_refused);
	tcase_add_test(c, bytes_behind_the_manifest_are_refused);
	tcase_add_test(c, random_bytes_are_refused);
	tcase_add_test(c, an_unforged_pair_opens);
	tcase_add_loop_test(c, a_segment_that_breaks_a_rule_is_refused, 0, N_BAD);
	tcase_add_loop_test(c, a_manifest_object_that_breaks_a_rule_is_refused, 0, N_BAD);
	tcase_add_loop_test(c, a_sealed_file_inside_other_cms_is_refused, 0, (int)(sizeof stock_rules / sizeof stock_rules[0]));
	tcase_add_test(c, lengths_that_lie_are_refused_at_once);
	tcase_add_test(c, lengths_in_eight_bytes_are_refused_everywhere);
	tcase_add_test(c, a_manifest_longer_than_any_is_refused_unread);
	tcase_add_test(c, a_thousand_levels_are_refused);
	tcase_add_test(c, objects_out_of_place_are_refused);
	tcase_add_test(c, one_flipped_byte_in_a_long_file_is_refused);
	tcase_add_test(c, a_last_segment_without_content_or_with_too_much_is_refused);
	tcase_add_test(c, more_segments_than_there_may_be_are_refused);
	tcase_add_test(c, a_segment_sealed_anew_by_another_member_is_refused);
	tcase_add_test(c, a_note_in_the_wrong_place_or_of_other_words_is_refused);
	tcase_add_test(c, an_unknown_key_is_a_refusal_not_damage);
	tcase_add_test(c, a_wrong_key_under_the_right_identifier_is_refused);
	return suite_run("envelope, hostile", c);
}

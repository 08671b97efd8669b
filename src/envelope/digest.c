/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/digest.h"

#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/secret.h"
#include "envelope/content.h"
#include "pki/ossl.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define BLOCK DIGEST_BLOCK
#define WITH_SHA __attribute__((target("sha,ssse3,sse4.1")))

/* FIPS 180-4 4.2.2. */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* FIPS 180-4 5.3.3. */
static const uint32_t begin[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* The eight words in the order of the instructions, and the sixteen of the schedule that are due. */
struct lane {
	__m128i abef, cdgh, w[4];
};

WITH_SHA static inline __m128i load(const void *p) {
	return _mm_loadu_si128(p);
}

WITH_SHA static inline struct lane lane_of(const uint32_t h[static 8]) {
	__m128i cdab = _mm_shuffle_epi32(load(h), 0xb1), efgh = _mm_shuffle_epi32(load(h + 4), 0x1b);

	return (struct lane){ .abef = _mm_alignr_epi8(cdab, efgh, 8), .cdgh = _mm_blend_epi16(efgh, cdab, 0xf0) };
}

WITH_SHA static inline void lane_store(const struct lane *l, uint32_t h[static 8]) {
	__m128i feba = _mm_shuffle_epi32(l->abef, 0x1b), dchg = _mm_shuffle_epi32(l->cdgh, 0xb1);

	_mm_storeu_si128((void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* FIPS 180-4 6.2.2: a block is sixteen words, the most significant byte of each first. */
WITH_SHA static inline void lane_take(struct lane *l, const uint8_t block[static BLOCK]) {
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	for (size_t i = 0; i < 4; i++)
		l->w[i] = _mm_shuffle_epi8(load(block + 16 * i), order);
}

/* The four words of the schedule that come sixteen after w0. */
WITH_SHA static inline __m128i later(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
	return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3);
}

WITH_SHA static inline void sixteen_later(struct lane *l) {
	l->w[0] = later(l->w[0], l->w[1], l->w[2], l->w[3]);
	l->w[1] = later(l->w[1], l->w[2], l->w[3], l->w[0]);
	l->w[2] = later(l->w[2], l->w[3], l->w[0], l->w[1]);
	l->w[3] = later(l->w[3], l->w[0], l->w[1], l->w[2]);
}

/* Each instruction waits for the one before it in its own lane: half of the time the other lane's can run. */
WITH_SHA static inline void four_rounds(struct lane *a, __m128i wa, struct lane *b, __m128i wb, const uint32_t four[static 4]) {
	__m128i ma = _mm_add_epi32(wa, load(four)), mb = _mm_add_epi32(wb, load(four));

	a->cdgh = _mm_sha256rnds2_epu32(a->cdgh, a->abef, ma);
	b->cdgh = _mm_sha256rnds2_epu32(b->cdgh, b->abef, mb);
	a->abef = _mm_sha256rnds2_epu32(a->abef, a->cdgh, _mm_shuffle_epi32(ma, 0x0e));
	b->abef = _mm_sha256rnds2_epu32(b->abef, b->cdgh, _mm_shuffle_epi32(mb, 0x0e));
}

WITH_SHA static inline void sixteen_rounds(struct lane *a, struct lane *b, const uint32_t sixteen[static 16]) {
	for (size_t i = 0; i < 4; i++)
		four_rounds(a, a->w[i], b, b->w[i], sixteen + 4 * i);
}

WITH_SHA static inline void lane_add(struct lane *l, const struct lane *before) {
	l->abef = _mm_add_epi32(l->abef, before->abef);
	l->cdgh = _mm_add_epi32(l->cdgh, before->cdgh);
}

/* n blocks of each. */
WITH_SHA static void compress(uint32_t ha[static 8], const uint8_t *pa, uint32_t hb[static 8], const uint8_t *pb, size_t n) {
	struct lane a = lane_of(ha), b = lane_of(hb);

	for (; n > 0; n--, pa += BLOCK, pb += BLOCK) {
		const struct lane was_a = a, was_b = b;

		lane_take(&a, pa);
		lane_take(&b, pb);
		sixteen_rounds(&a, &b, k);
		for (size_t i = 16; i < 64; i += 16) {
			sixteen_later(&a);
			sixteen_later(&b);
			sixteen_rounds(&a, &b, k + i);
		}
		lane_add(&a, &was_a);
		lane_add(&b, &was_b);
	}
	lane_store(&a, ha);
	lane_store(&b, hb);
}

static bool has_instructions(void) {
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

#else

#define BLOCK DIGEST_BLOCK

static const uint32_t begin[8];

static void compress(uint32_t ha[static 8], const uint8_t *pa, uint32_t hb[static 8], const uint8_t *pb, size_t n) {
	(void)ha, (void)pa, (void)hb, (void)pb, (void)n;
}

static bool has_instructions(void) {
	return false;
}

#endif

/* --- without OpenSSL --- */

/* One alone takes as long as two. */
static void blocks(struct digest *d, const uint8_t *p, size_t n) {
	uint32_t nobody[8] = {0};

	if (n > 0)
		compress(d->h, p, nobody, p, n);
}

static size_t tail_len(const struct digest *d) {
	return (size_t)(d->len % BLOCK);
}

/* Until whole blocks are due; returns how much it took. */
static size_t fill(struct digest *d, const uint8_t *p, size_t len) {
	size_t have = tail_len(d), n = BLOCK - have < len ? BLOCK - have : len;

	if (have == 0 || len == 0)
		return 0;
	memcpy(d->tail + have, p, n);
	d->len += n;
	if (have + n == BLOCK)
		blocks(d, d->tail, 1);
	return n;
}

/* What stands behind the whole blocks, of which there are n. */
static void rest(struct digest *d, const uint8_t *p, size_t len, size_t n) {
	if (len > n * BLOCK)
		memcpy(d->tail, p + n * BLOCK, len - n * BLOCK);
	d->len += len;
}

static void two(struct digest *a, const uint8_t *pa, size_t na, struct digest *b, const uint8_t *pb, size_t nb) {
	size_t fa = fill(a, pa, na), fb = fill(b, pb, nb), both;

	if ((na -= fa) > 0)
		pa += fa;
	if ((nb -= fb) > 0)
		pb += fb;
	both = (na < nb ? na : nb) / BLOCK;
	if (both > 0)
		compress(a->h, pa, b->h, pb, both);
	if (na / BLOCK > both)
		blocks(a, pa + both * BLOCK, na / BLOCK - both);
	if (nb / BLOCK > both)
		blocks(b, pb + both * BLOCK, nb / BLOCK - both);
	rest(a, pa, na, na / BLOCK);
	rest(b, pb, nb, nb / BLOCK);
}

/* FIPS 180-4 5.1.1: a bit, zeros, and how many bits there were, at the end of a block. */
static void end(struct digest *d, uint8_t out[static 32]) {
	uint8_t pad[2 * BLOCK] = {0x80};
	uint64_t bits = 8 * d->len;
	size_t have = tail_len(d), zeros = (have < BLOCK - 8 ? (size_t)BLOCK : 2 * (size_t)BLOCK) - 8 - have;

	for (size_t i = 0; i < 8; i++)
		pad[zeros + i] = (uint8_t)(bits >> (56 - 8 * i));
	two(d, pad, zeros + 8, &(struct digest){0}, NULL, 0);
	for (size_t i = 0; i < 32; i++)
		out[i] = (uint8_t)(d->h[i / 4] >> (24 - 8 * (i % 4)));
}

/* --- which of both --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool may_pair;

/* Who computes otherwise than OpenSSL is not asked. */
static bool agrees(void) {
	static const size_t lens[] = {0, 55, 56, 64, 200};
	struct digest a = {0}, b = {0};
	uint8_t text[200], got[32], want[32];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		memcpy(a.h, begin, sizeof a.h);
		memcpy(b.h, begin, sizeof b.h);
		a.len = b.len = 0;
		two(&a, text, lens[i], &b, text, sizeof text);
		end(&a, got);
		ossl_sha256(text, lens[i], want);
		if (memcmp(got, want, sizeof got) != 0)
			return false;
		end(&b, got);
		ossl_sha256(text, sizeof text, want);
		if (memcmp(got, want, sizeof got) != 0)
			return false;
	}
	return true;
}

static void find_out(void) {
	may_pair = has_instructions() && EVP_default_properties_is_fips_enabled(NULL) == 0 && agrees();
}

bool digest_may_pair(void) {
	(void)pthread_once(&once, find_out);
	return may_pair;
}

/* --- */

int digest_init(struct digest *d, struct err *e) {
	*d = (struct digest){ .on = true };
	if (!digest_may_pair() && (d->evp = EVP_MD_CTX_new()) == NULL)
		return ossl_err(e, ERR_FAIL, "cannot set up SHA-256");
	return digest_restart(d, e);
}

int digest_restart(struct digest *d, struct err *e) {
	if (d->evp != NULL)
		return EVP_DigestInit_ex2(d->evp, content_sha256(), NULL) == 1 ? 0 : ossl_err(e, ERR_FAIL, "cannot set up SHA-256");
	memcpy(d->h, begin, sizeof d->h);
	d->len = 0;
	return 0;
}

void digest_wipe(struct digest *d) {
	EVP_MD_CTX_free(d->evp);
	secret_clean(d, sizeof *d);
}

int digest_two(struct digest *a, const void *pa, size_t na, struct digest *b, const void *pb, size_t nb, struct err *e) {
	int r;

	if (a->on && b->on && a->evp == NULL && b->evp == NULL) {
		two(a, pa, na, b, pb, nb);
		return 0;
	}
	r = digest_add(a, pa, na, e);
	return r != 0 ? r : digest_add(b, pb, nb, e);
}

int digest_add(struct digest *d, const void *p, size_t n, struct err *e) {
	if (!d->on || n == 0)
		return 0;
	if (d->evp != NULL)
		return EVP_DigestUpdate(d->evp, p, n) == 1 ? 0 : ossl_err(e, ERR_FAIL, "SHA-256 failed");
	two(d, p, n, &(struct digest){0}, NULL, 0);
	return 0;
}

int digest_end(struct digest *d, uint8_t out[static 32], struct err *e) {
	if (!d->on)
		return 0;
	if (d->evp != NULL)
		return EVP_DigestFinal_ex(d->evp, out, NULL) == 1 ? 0 : ossl_err(e, ERR_FAIL, "SHA-256 failed");
	end(d, out);
	return 0;
}

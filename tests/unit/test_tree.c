/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/text.h"
#include "ledger/tree.h"
#include "lib/suite.h"
#include "pki/ossl.h"

#define LEAVES 300

/* The definition of RFC 6962 2.1, word by word: what the code under test never computes that way. */
static void mth(uint8_t (*leaves)[32], size_t n, uint8_t out[32]) {
	uint8_t b[65] = {1};
	size_t k = 1;

	if (n == 0) {
		ossl_sha256("", 0, out);
		return;
	}
	if (n == 1) {
		memcpy(out, leaves[0], 32);
		return;
	}
	while (2 * k < n)
		k *= 2;
	mth(leaves, k, b + 1);
	mth(leaves + k, n - k, b + 33);
	ossl_sha256(b, sizeof b, out);
}

static uint8_t leaves[LEAVES][32];
static uint8_t stored[LEAVES][TREE_HEIGHT_MAX][32];
static unsigned n_stored[LEAVES];

static void grow(struct tree *t, size_t i) {
	uint8_t content[3] = {(uint8_t)i, (uint8_t)(i >> 8), 7};

	tree_leaf(content, sizeof content, leaves[i]);
	n_stored[i] = tree_add(t, leaves[i], stored[i]);
}

START_TEST(each_root_is_that_of_the_definition) {
	struct tree t = {0};
	uint8_t got[32], want[32];

	for (size_t n = 0; n < LEAVES; n++) {
		tree_root(&t, got);
		mth(leaves, n, want);
		ck_assert_mem_eq(got, want, 32);
		ck_assert_uint_eq(t.size, n);
		grow(&t, n);
	}
} END_TEST

/* The vectors that Certificate Transparency's implementations share: the roots of 0 to 8 of these leaves. */
static const struct { const char *leaf; size_t len; const char *root; } shared[] = {
	{ "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "\0", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

START_TEST(the_shared_vectors_hold) {
	uint8_t done[TREE_HEIGHT_MAX][32], leaf[32], root[32];
	struct tree t = {0};
	char hex[65];

	for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
		if (i > 0) {
			tree_leaf(shared[i].leaf, shared[i].len, leaf);
			(void)tree_add(&t, leaf, done);
		}
		tree_root(&t, root);
		text_hex(root, sizeof root, hex);
		ck_assert_str_eq(hex, shared[i].root);
	}
} END_TEST

static int get(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	(void)arg;
	ck_assert_uint_lt(level, n_stored[leaf]);
	memcpy(out, stored[leaf][level], 32);
	return 0;
}

START_TEST(the_edge_of_each_size_comes_back_from_stored_nodes) {
	struct tree t = {0}, again;
	uint8_t a[32], b[32];

	for (size_t n = 0; n < LEAVES; n++) {
		ck_assert_int_eq(tree_load(&again, n, get, NULL), 0);
		ck_assert_uint_eq(again.n, t.n);
		tree_root(&t, a);
		tree_root(&again, b);
		ck_assert_mem_eq(a, b, 32);
		grow(&t, n);
	}
} END_TEST

static int lose(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	(void)arg, (void)leaf, (void)level, (void)out;
	return -4;
}

START_TEST(a_lost_node_is_an_error) {
	struct tree t;

	ck_assert_int_eq(tree_load(&t, 5, lose, NULL), -4);
} END_TEST

/* RFC 6962 2.1: what the prefixes are for. The content of a leaf that looks like a node must not hash like one. */
START_TEST(a_leaf_is_never_a_node) {
	struct tree t = {0};
	uint8_t pair[64], leaf[32], root[32];

	grow(&t, 0);
	grow(&t, 1);
	tree_root(&t, root);
	memcpy(pair, leaves[0], 32);
	memcpy(pair + 32, leaves[1], 32);
	tree_leaf(pair, sizeof pair, leaf);
	ck_assert_mem_ne(leaf, root, 32);
} END_TEST

int main(void) {
	TCase *t = tcase_create("tree");

	tcase_add_test(t, each_root_is_that_of_the_definition);
	tcase_add_test(t, the_shared_vectors_hold);
	tcase_add_test(t, the_edge_of_each_size_comes_back_from_stored_nodes);
	tcase_add_test(t, a_lost_node_is_an_error);
	tcase_add_test(t, a_leaf_is_never_a_node);
	return suite_run("tree", t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ledger/proof: each proof between two sizes of one log holds, and nothing else passes for one. */
#include <check.h>
#include <string.h>

#include "ledger/proof.h"
#include "lib/suite.h"

#define LEAVES 70

static uint8_t stored[LEAVES][TREE_HEIGHT_MAX][32], root[LEAVES + 1][32];
static unsigned n_stored[LEAVES];

static void grow(void) {
	struct tree t = { 0 };
	uint8_t leaf[32];

	tree_root(&t, root[0]);
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t content[2] = { (uint8_t)i, 9 };

		tree_leaf(content, sizeof content, leaf);
		n_stored[i] = tree_add(&t, leaf, stored[i]);
		tree_root(&t, root[i + 1]);
	}
}

static int get(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	(void)arg;
	ck_assert_uint_lt(leaf, LEAVES);
	ck_assert_uint_lt(level, n_stored[leaf]);
	memcpy(out, stored[leaf][level], 32);
	return 0;
}

static int lose(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	(void)arg, (void)leaf, (void)level, (void)out;
	return -4;
}

struct proof {
	uint8_t path[PROOF_MAX + 1][32];
	size_t n;
};

static struct proof prove(uint64_t old, uint64_t size) {
	struct proof p = { .n = 0 };

	ck_assert_int_eq(proof_make(old, size, get, NULL, p.path, &p.n), 0);
	ck_assert_uint_le(p.n, 8);
	return p;
}

static bool holds(uint64_t old, const uint8_t *old_root, uint64_t size, const uint8_t *now_root, const struct proof *p) {
	const struct proof_end from = { old, old_root }, to = { size, now_root };
	struct err e = ERR_INIT;
	int r = proof_check(&from, &to, (const uint8_t(*)[32])p->path, p->n, &e);

	ck_assert(r == 0 || r == ERR_DAMAGED);
	return r == 0;
}

START_TEST(every_size_is_proved_to_be_the_beginning_of_every_later_one) {
	grow();
	for (uint64_t old = 0; old <= LEAVES; old++)
		for (uint64_t size = old; size <= LEAVES; size++) {
			struct proof p = prove(old, size);

			ck_assert_msg(holds(old, root[old], size, root[size], &p), "%d %d", (int)old, (int)size);
		}
}
END_TEST

/* RFC 6962 2.1.3: the proofs of the tree of seven leaves between 3, 4, 6 and 7. */
START_TEST(the_examples_of_the_rfc_have_their_lengths) {
	grow();
	ck_assert_uint_eq(prove(3, 7).n, 4);
	ck_assert_uint_eq(prove(4, 7).n, 1);
	ck_assert_uint_eq(prove(6, 7).n, 3);
}
END_TEST

START_TEST(a_proof_with_one_changed_bit_is_refused) {
	grow();
	for (uint64_t old = 1; old < LEAVES; old += 3) {
		struct proof p = prove(old, LEAVES);

		for (size_t i = 0; i < p.n * 32; i += 5) {
			((uint8_t *)p.path)[i] ^= 0x10;
			ck_assert(!holds(old, root[old], LEAVES, root[LEAVES], &p));
			((uint8_t *)p.path)[i] ^= 0x10;
		}
	}
}
END_TEST

START_TEST(a_proof_that_is_shorter_or_longer_is_refused) {
	grow();
	for (uint64_t old = 1; old < LEAVES; old++) {
		struct proof p = prove(old, LEAVES);

		p.n--;
		ck_assert(!holds(old, root[old], LEAVES, root[LEAVES], &p));
		p.n += 2;
		ck_assert(!holds(old, root[old], LEAVES, root[LEAVES], &p));
	}
}
END_TEST

START_TEST(a_proof_of_other_sizes_is_refused) {
	grow();
	for (uint64_t old = 1; old < 20; old++)
		for (uint64_t size = old + 1; size < 20; size++) {
			struct proof p = prove(old, size);

			ck_assert(!holds(old + 1 < size ? old + 1 : old - 1, root[old], size, root[size], &p) || p.n == 0);
			ck_assert(!holds(old, root[old + 1], size, root[size], &p));
			ck_assert(!holds(old, root[old], size, root[size - 1], &p));
		}
}
END_TEST

START_TEST(another_history_of_the_same_size_is_refused) {
	struct proof none = { .n = 0 };

	grow();
	ck_assert(!holds(9, root[9], 9, root[10], &none));
	ck_assert(!holds(0, root[1], 9, root[9], &none));
	ck_assert(!holds(5, root[5], 9, root[9], &none));
}
END_TEST

START_TEST(a_log_that_shrank_is_refused) {
	struct proof none = { .n = 0 };

	grow();
	ck_assert(!holds(9, root[9], 8, root[8], &none));
}
END_TEST

/* Were the sizes not asked, the steps of the algorithm would lead to the old root, and any root over it would do. */
START_TEST(a_forged_proof_of_a_log_that_shrank_is_refused) {
	grow();
	for (uint64_t old = 2; old <= LEAVES; old++)
		for (uint64_t size = 1; size < old; size++) {
			struct proof p = { .n = 1 };
			uint8_t now[32];

			memcpy(p.path[0], root[old], 32);
			memcpy(now, root[old], 32);
			ck_assert(!holds(old, root[old], size, now, &p));
			while (p.n < PROOF_MAX) {
				memset(p.path[p.n], (int)p.n, 32);
				tree_node(now, p.path[p.n++], now);
				ck_assert(!holds(old, root[old], size, now, &p));
			}
		}
} END_TEST

START_TEST(a_lost_node_is_an_error) {
	struct proof p;

	ck_assert_int_eq(proof_make(3, 7, lose, NULL, p.path, &p.n), -4);
}
END_TEST

int main(void) {
	TCase *t = tcase_create("proof");

	tcase_add_test(t, every_size_is_proved_to_be_the_beginning_of_every_later_one);
	tcase_add_test(t, the_examples_of_the_rfc_have_their_lengths);
	tcase_add_test(t, a_proof_with_one_changed_bit_is_refused);
	tcase_add_test(t, a_proof_that_is_shorter_or_longer_is_refused);
	tcase_add_test(t, a_proof_of_other_sizes_is_refused);
	tcase_add_test(t, another_history_of_the_same_size_is_refused);
	tcase_add_test(t, a_log_that_shrank_is_refused);
	tcase_add_test(t, a_forged_proof_of_a_log_that_shrank_is_refused);
	tcase_add_test(t, a_lost_node_is_an_error);
	return suite_run("proof", t);
}

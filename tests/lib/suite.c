/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

int suite_run(const char *name, TCase *t) {
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	tcase_set_timeout(t, SUITE_TIMEOUT_S);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void sweep_refused(const uint8_t *data, size_t len, bool (*takes)(void *arg, const uint8_t *data, size_t len), void *arg) {
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = xmalloc(cut);
		memcpy(copy, data, cut);
		if (takes(arg, copy, cut))
			ck_abort_msg("cut at %zu of %zu bytes, and taken", cut, len);
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit <= 8; bit++) {
			uint8_t *copy = xmalloc(len);
			memcpy(copy, data, len);
			copy[i] = (uint8_t)(copy[i] ^ (bit == 8 ? 0xffu : 1u << bit));
			if (takes(arg, copy, len))
				ck_abort_msg("byte %zu changed from %02x to %02x, and taken", i, data[i], copy[i]);
			free(copy);
		}
	}
}

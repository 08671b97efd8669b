/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes in memory for tests: a group with a key, sources and sinks of both kinds. Any failure here aborts the test. */
#ifndef SCG_TESTS_ENVELOPE_LAB_H
#define SCG_TESTS_ENVELOPE_LAB_H

#include <stdbool.h>

#include "envelope/content.h"
#include "envelope/envelope.h"
#include "lib/fixture.h"

struct lab {
	struct fixture f;
	struct keyring keys;            /* two epochs; the newer one seals */
	struct envelope_seal seal;      /* by alice: "reports/q1.pdf", version 1; change at will */
	struct envelope_open open;
};
void lab_init(struct lab *l);
void lab_wipe(struct lab *l);

/* How one end behaves. */
enum lab_end { LAB_SEEK, LAB_STREAM };

/* Memory as a source. */
struct lab_in { const uint8_t *p; size_t len, at; size_t fail_at; /* an error at this byte, if not 0 */ };
struct source lab_source(struct lab_in *in, enum lab_end end);
/* Memory as a sink: room for cap bytes, an error beyond. len: up to where was written. */
struct lab_out { uint8_t *p; size_t cap, len; bool ended; };
void lab_out_init(struct lab_out *o, size_t cap);
void lab_out_wipe(struct lab_out *o);
struct sink lab_sink(struct lab_out *o, enum lab_end end);

/* len bytes that no two positions share for long. */
uint8_t *lab_plain(size_t len);

/* Seals into out (appended); aborts on failure. r may be NULL. */
void lab_seal(const struct lab *l, const void *plain, size_t len, struct buf *out, struct envelope_result *r);
/* Opens; what left stands in out afterwards, also after a failure (out may be NULL: verify only). r may be NULL. A refusal has to keep to
 * the bounds of gauge.h. */
int lab_open(const struct lab *l, const struct buf *sealed, enum lab_end in, enum lab_end end, struct lab_out *out, struct envelope_result *r,
    struct err *e);

#endif

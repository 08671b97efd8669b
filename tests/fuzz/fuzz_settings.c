/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: settings_parse, settings_set_gdrive, settings_host, group_info_parse. What is accepted leads to a URL with a host and a store
 * that can be named. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/own.h"
#include "client/gateway.h"
#include "client/settings.h"

/* What is written anew says the same but for the group gdrive. (libconfig takes some texts that nothing can be added to, such as those that end
 * within a string: these are refused.) */
static void try_edit(const char *text, struct settings *s) {
	OWN(settings_wipe) struct settings again = {0};
	OWN(buf_wipe) struct buf out = {0};

	free(s->gdrive.client_secret);
	s->gdrive.client_secret = xstrdup("a \"secret\" {;} # /* \\");
	if (settings_set_gdrive(text, "scg.conf", s, &out, NULL) != 0)
		return;
	if (settings_parse(buf_str(&out), "scg.conf", &again, NULL) != 0 || strcmp(again.gateway, s->gateway) != 0 ||
	    strcmp(again.gdrive.client_secret, s->gdrive.client_secret) != 0)
		abort();
}

static void try_settings(const char *text) {
	OWN(settings_wipe) struct settings s = {0};
	OWN(own_free) char *store = NULL, *host = NULL;

	if (settings_parse(text, "scg.conf", &s, NULL) != 0)
		return;
	if (settings_host(s.gateway, &host, NULL) != 0 || host[0] == '\0' || s.settle_s > SETTLE_MAX_S)
		abort();
	store = settings_store(&s);
	if (store != NULL && strncmp(store, "directory:/", strlen("directory:/")) != 0 &&
	    (strncmp(store, "gdrive:", strlen("gdrive:")) != 0 || strspn(store + strlen("gdrive:"), "/ %?&\"'") != 0))
		abort();
	try_edit(text, &s);
}

static void try_group(const uint8_t *data, size_t len) {
	OWN(group_info_wipe) struct group_info g = {0};
	OWN(buf_wipe) struct buf json = {0};

	buf_add(&json, data, len);
	if (group_info_parse(&json, "lab", &g, NULL) == 0 && (g.epoch > INT64_MAX || g.crl_number > INT64_MAX))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(own_free) char *text = NULL;

	if (len > CONF_MAX_BYTES)
		return 0;
	text = xcalloc(len + 1, 1);
	if (len > 0)
		memcpy(text, data, len);
	try_settings(text);
	try_group(data, len);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The folders of the groups that one configuration names: each is what init makes, with a gateway.conf that works alone too. */
#ifndef SCG_GATEWAY_FOLDERS_H
#define SCG_GATEWAY_FOLDERS_H

#include "gateway/gwconf.h"
#include "pki/chain.h"

/* The gateway.conf of group i of a configuration that names groups, malloc'd; NULL: that one has no folder (gwconf_load_all). */
char *folders_config(const struct gwconf *c, size_t i);
/* No folder twice, under whatever path; ERR_USAGE. A folder that is not there is no fault here. */
int folders_check(const struct gwconf *c, struct err *e) MUST_CHECK;
/* Two anchors of different groups: neither of one CA nor of one name. ERR_USAGE. */
int folders_distinct(const struct chain *a, const struct chain *b, struct err *e) MUST_CHECK;
/* folders_distinct of all; what cannot be loaded is no fault here. */
int folders_check_anchors(const struct gwconf *c, struct err *e) MUST_CHECK;
/* The gateway.conf that a command is about: config itself, or in the folder of the group of this name, where it names groups. malloc'd. ERR_USAGE: group
 * is NULL though there are several; ERR_NOTFOUND: there is none of this name. */
int folders_find(const char *config, const char *group, char **path, struct err *e) MUST_CHECK;
/* The configuration of a group as it counts beside common: whose files they are is the process's affair. */
void folders_take_user(struct gwconf *c, const struct gwconf *common);
/* gwconf_load of that one; what holds for the whole process (user) is config's. */
int folders_load(const char *config, const char *group, struct gwconf *c, struct err *e) MUST_CHECK;

#endif

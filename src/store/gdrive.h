/* SPDX-License-Identifier: Apache-2.0 */
/* Google Drive as a drive: where its services are, and what a member set for himself (scg.conf, group gdrive). */
#ifndef SCG_STORE_GDRIVE_H
#define SCG_STORE_GDRIVE_H

#include <stdint.h>

#define GDRIVE_API_URL "https://www.googleapis.com"
#define GDRIVE_AUTH_URL "https://accounts.google.com/o/oauth2/v2/auth"
#define GDRIVE_TOKEN_URL "https://oauth2.googleapis.com/token"
#define GDRIVE_DEVICE_URL "https://oauth2.googleapis.com/device/code"
#define GDRIVE_REVOKE_URL "https://oauth2.googleapis.com/revoke"
#define GDRIVE_CHUNK_BYTES 16777216
#define GDRIVE_CHUNK_UNIT 262144         /* every chunk but the last is a multiple of this */
#define GDRIVE_CHUNK_MAX 1073741824u
#define GDRIVE_SETTLE_MS 3000
#define GDRIVE_SCOPE "https://www.googleapis.com/auth/drive"
#define GDRIVE_SCOPE_FILE "https://www.googleapis.com/auth/drive.file"

struct gdrive_conf {
	char *client_id, *client_secret;  /* "" until login */
	char *api_url;                    /* /drive/v3 and /upload/drive/v3 hang below it */
	char *auth_url, *token_url, *device_url, *revoke_url;
	char *drive_id;                   /* a shared drive, or "" */
	uint64_t chunk_bytes;             /* 256 KiB to GDRIVE_CHUNK_MAX */
	char *ca_file;                    /* PEM, instead of the system's anchors, or "" */
	unsigned settle_ms;               /* listings lag: a name that is not found is looked for again until then; 0: GDRIVE_SETTLE_MS */
};

#endif

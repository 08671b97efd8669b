/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "net/conn.h"
#include "net/listener.h"

#define BACKLOG 1024

OWN_DEFINE(addrinfo, struct addrinfo, freeaddrinfo)

/* "HOST:PORT", "[IPv6]:PORT", ":PORT" */
static int split(const char *where, char host[static 256], char port[static 8], struct err *e) {
	const char *colon = strrchr(where, ':'), *from = where;
	uint64_t number;
	size_t len;

	if (colon == NULL)
		return err_set(e, ERR_USAGE, "%s: an address to listen on is HOST:PORT", where);
	len = (size_t)(colon - where);
	if (len >= 2 && where[0] == '[' && colon[-1] == ']') {
		from++;
		len -= 2;
	} else if (memchr(where, ':', len) != NULL) {
		return err_set(e, ERR_USAGE, "%s: an IPv6 address stands in brackets (RFC 3986 3.2.2)", where);
	}
	if (len >= 256 || text_u64(colon + 1, 65535, &number, NULL) != 0)
		return err_set(e, ERR_USAGE, "%s: an address to listen on is HOST:PORT", where);
	memcpy(host, from, len);
	host[len] = '\0';
	(void)snprintf(port, 8, "%u", (unsigned)number);
	return 0;
}

static int open_one(const struct addrinfo *a, const char *where, struct err *e) {
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, off = 0;

	if (fd < 0)
		return err_sys(e, ERR_FAIL, "%s: socket", where);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Accepted sockets inherit it: a reply is one write, and Nagle would hold its last segment back. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (a->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		(void)err_sys(e, ERR_FAIL, "%s: cannot listen", where);
		close(fd);
		return ERR_FAIL;
	}
	return fd;
}

/* Somebody bound it for us: a port that we may not bind, connections that wait over a restart. */
static int adopt(const char *where, int *fd, struct sockaddr_storage *bound, struct err *e) {
	int listens = 0, type = 0, on = 1;
	socklen_t len = sizeof listens;
	uint64_t number;

	if (text_u64(where + 1, INT32_MAX, &number, NULL) != 0)
		return err_set(e, ERR_USAGE, "%s: not the number of a socket", where);
	*fd = (int)number;
	if (getsockopt(*fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || listens == 0 ||
	    getsockopt(*fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
		return err_set(e, ERR_USAGE, "%s: not a socket that listens", where);
	len = sizeof *bound;
	memset(bound, 0, sizeof *bound);
	if (getsockname(*fd, (struct sockaddr *)bound, &len) != 0 || (bound->ss_family != AF_INET && bound->ss_family != AF_INET6))
		return err_set(e, ERR_USAGE, "%s: not a socket of IPv4 or IPv6", where);
	if (fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(*fd, F_SETFL, O_NONBLOCK) != 0)
		return err_sys(e, ERR_FAIL, "%s", where);
	(void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return 0;
}

int listen_open(const char *where, int *fd, struct sockaddr_storage *bound, struct err *e) {
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	OWN(own_addrinfo) struct addrinfo *found = NULL;
	char host[256], port[8];
	socklen_t len = sizeof *bound;
	int rc;

	if (where[0] == '@')
		return adopt(where, fd, bound, e);
	if ((rc = split(where, host, port, e)) != 0)
		return rc;
	if (getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found) != 0 || found == NULL)
		return err_set(e, ERR_USAGE, "%s: no such address", where);
	*fd = -1;
	for (const struct addrinfo *a = found; a != NULL && *fd < 0; a = a->ai_next)
		*fd = open_one(a, where, e);
	if (*fd < 0)
		return ERR_FAIL;
	if (getsockname(*fd, (struct sockaddr *)bound, &len) != 0) {
		(void)err_sys(e, ERR_FAIL, "%s: cannot listen", where);
		close(*fd);
		return ERR_FAIL;
	}
	return 0;
}

/* The 4 bytes of an IPv4 address, also of one inside IPv6 (RFC 4291 2.5.5.2); NULL for others. */
static const uint8_t *ipv4(const struct sockaddr_storage *a) {
	const struct in6_addr *six = &((const struct sockaddr_in6 *)a)->sin6_addr;

	if (a->ss_family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)a)->sin_addr;
	return a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six) ? six->s6_addr + 12 : NULL;
}

static const uint8_t *ipv6(const struct sockaddr_storage *a) {
	return ((const struct sockaddr_in6 *)a)->sin6_addr.s6_addr;
}

void listen_print(const struct sockaddr_storage *a, bool with_port, char *out, size_t cap) {
	const uint8_t *four = ipv4(a);
	char text[INET6_ADDRSTRLEN] = "?";
	unsigned port = ntohs(((const struct sockaddr_in *)a)->sin_port); /* at the same place in sockaddr_in6 */

	(void)inet_ntop(four != NULL ? AF_INET : AF_INET6, four != NULL ? four : ipv6(a), text, sizeof text);
	if (!with_port)
		(void)snprintf(out, cap, "%s", text);
	else
		(void)snprintf(out, cap, four != NULL ? "%s:%u" : "[%s]:%u", text, port);
}

void listen_peer(const struct sockaddr_storage *a, struct server_peer *peer, uint8_t key[static 8]) {
	const uint8_t *four = ipv4(a);

	listen_print(a, false, peer->address, sizeof peer->address);
	memset(key, 0, 8);
	if (four != NULL) {
		/* no /64 that is routed begins with ffff: the two kinds cannot meet */
		memset(key, 0xff, 4);
		memcpy(key + 4, four, 4);
		peer->loopback = four[0] == 127;
	} else {
		memcpy(key, ipv6(a), 8);
		peer->loopback = IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr) != 0;
	}
}

int listener_open(const char *where, int *fd, struct err *e) {
	struct sockaddr_storage bound;
	int rc;

	memset(&bound, 0, sizeof bound);
	if ((rc = listen_open(where, fd, &bound, e)) != 0)
		*fd = -1;
	return rc;
}

int listener_open_local(const char *where, int *fd, char address[static 80], struct err *e) {
	struct sockaddr_storage bound;
	struct server_peer peer = {0};
	uint8_t key[8];
	int rc;

	memset(&bound, 0, sizeof bound);
	if ((rc = listen_open(where, fd, &bound, e)) != 0) {
		*fd = -1;
		return rc;
	}
	listen_peer(&bound, &peer, key);
	listen_print(&bound, true, address, 80);
	if (peer.loopback)
		return 0;
	close(*fd);
	*fd = -1;
	return err_set(e, ERR_USAGE, "%s: not a loopback address", where);
}

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./autogen.sh                 bootstraps: makes ./configure
# ./autogen.sh deps            installs what building and testing need and is missing (Debian: apt)
# ./autogen.sh demo            the above, then builds in ./build and plays the main job with real processes
# ./autogen.sh check [OPT...]  the above, but runs the tests; the last line is "N passed, N failed, N skipped"
# OPT... goes to ./configure. $BUILD names another folder than ./build, $TESTS some tests instead of all, $JOBS how many jobs run at once.
set -eu
cd "$(dirname "$0")"
BUILD=${BUILD:-build}

# Debian's names. libssl3 comes along with libssl-dev, which demands its very version.
TOOLS='gcc libc6-dev make autoconf automake pkgconf'
LIBRARIES='libssl-dev libcurl4-openssl-dev libconfig-dev libsqlite3-dev libjansson-dev libutf8proc-dev zlib1g-dev libseccomp-dev check'
TEST_TOOLS='openssl curl jq sqlite3 strace python3 xz-utils python3-pyasn1-modules gnutls-bin'
FRESH='openssl libssl3 libssl-dev'	# kept at Debian's newest
SAFE_OPENSSL=3.0.22			# repairs known holes in CMS and X.509

say() { printf '%s\n' "autogen.sh: $*" >&2; }
die() { say "$*"; exit 1; }

installed_version() { dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'; }

is_outdated() {
	have=$(installed_version "$1")
	newest=$(apt-cache policy "$1" | sed -n 's/^ *Candidate: //p')
	[ -n "$have" ] && [ -n "$newest" ] && dpkg --compare-versions "$have" lt "$newest"
}

# What has to be installed, by the package lists that are there.
wanted() {
	for p in $TOOLS $LIBRARIES $TEST_TOOLS; do
		[ -n "$(installed_version "$p")" ] || echo "$p"
	done
	for p in $FRESH; do
		! is_outdated "$p" || echo "$p"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		# shellcheck disable=SC2086 # one line of the list
		die "to be installed by root, and there is no sudo:" $todo
	fi
}

# Elsewhere the compiler and the libraries may well be there already, under other names.
deps_elsewhere() {
	lacking=
	for tool in cc make autoreconf automake pkg-config openssl curl jq; do
		command -v $tool >/dev/null || lacking="$lacking $tool"
	done
	for lib in openssl libcurl libconfig sqlite3 jansson libutf8proc zlib check; do
		pkg-config --exists $lib 2>/dev/null || lacking="$lacking $lib(headers)"
	done
	[ -z "$lacking" ] || die "this is no Debian; please install:$lacking"
}

deps() {
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		deps_elsewhere
		return
	fi
	todo=$(wanted)
	if [ -z "$todo" ] && dpkg --compare-versions "$(installed_version libssl-dev)" ge $SAFE_OPENSSL; then
		return
	fi
	as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2 || say "apt-get update failed, going on with the lists that are there"
	todo=$(wanted)
	[ -n "$todo" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $todo >&2
}

bootstrap() { autoreconf --install --force; }

# The steps are chained: a caller that asks for the result switches set -e off.
configured() {
	deps && { [ -x configure ] || bootstrap; } && mkdir -p "$BUILD" || return
	if [ ! -f "$BUILD/Makefile" ] || [ $# -gt 0 ]; then
		(cd "$BUILD" && "$(dirs_up)/configure" "$@")
	fi
}

# From $BUILD back to here; relative, so that the tree can be moved.
dirs_up() {
	case $BUILD in
	/*) pwd ;;
	*) printf '%s\n' "$BUILD" | sed 's|[^/][^/]*|..|g' ;;
	esac
}

cores() { nproc 2>/dev/null || echo 1; }

demo() {
	configured "$@" >&2
	make -C "$BUILD" -j "$(cores)" >&2
	top_srcdir=$PWD top_builddir=$(cd "$BUILD" && pwd) sh tests/lib/demo.sh
}

# Automake's totals. Without any the build broke, which counts as one failure.
totals() {
	awk '/^# (PASS|XFAIL):/ { pass += $3 } /^# (FAIL|XPASS|ERROR):/ { fail += $3 } /^# SKIP:/ { skip += $3 }
		END { if (status != 0 && fail == 0) fail = 1
		printf "%d passed, %d failed, %d skipped\n", pass, fail, skip
		exit (fail > 0) }' status="$1" "$2"
}

check() {
	status=0
	rm -f "$BUILD/test-suite.log"
	{ configured "$@" && make -C "$BUILD" -j "${JOBS:-$(cores)}" check ${TESTS:+"TESTS=$TESTS"}; } || status=$?
	[ -f "$BUILD/test-suite.log" ] && log=$BUILD/test-suite.log || log=/dev/null
	totals "$status" "$log"
}

case ${1:-} in
'') bootstrap ;;
deps) deps ;;
demo) shift; demo "$@" ;;
check) shift; check "$@" ;;
*) sed -n 's/^# \(\.\/auto\)/\1/p' autogen.sh >&2; exit 2 ;;
esac

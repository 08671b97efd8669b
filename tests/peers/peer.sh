# shellcheck shell=sh
# shellcheck disable=SC2154 # T is of lib.sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts that let other programs talk to the Drive emulator.

# A certificate for Google's names, which only the peers of this test believe.
peer_certificate() {
	ok openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=peers -keyout "$T/peer.key" -out "$T/peer.pem" \
		-addext subjectAltName=DNS:www.googleapis.com,DNS:oauth2.googleapis.com,DNS:accounts.google.com,IP:127.0.0.1
}

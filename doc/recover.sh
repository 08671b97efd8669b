#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Opens what scg sealed where there is no scg: sh, openssl (3.0 or later), tail, head, awk, and mkdir, mv, rm are enough.
#     recover.sh CA.crt CRL.pem KEYS IN OUT               KEYS: the group's keys in hex, one a line; - is standard input
#     recover.sh CA.crt CRL.pem PACKAGE IN OUT CERT KEY   PACKAGE: from scg-gateway export, for this certificate and its key; or none: IN was
#                         sealed to the certificate itself (scg encrypt -recip). PASS in the environment is the passphrase of KEY, if it has one
# IN is a sealed file and OUT a new file; or IN is a folder of them (a drive) and OUT a new folder, in which each has the name that its
# author gave it (later renamings stand in the ledger only). Status 4: something was refused, and has no name; 2: wrong usage. doc/FORMAT 5 to 7
# openssl takes a group key from its command line only (-secretkey): no file, environment or configuration does instead. While it
# runs, whoever else works on this machine can see the key in the list of processes: do this where nobody else does.
set -u; umask 077; export LC_ALL=C; die() { printf 'recover.sh: %s\n' "$*" | shown >&2; exit 4; }
shown() { awk '{ gsub(/[\001-\037\177]|\302[\200-\237]/, "?"); printf "%s%s", (NR > 1 ? "?" : ""), $0 } END { print "" }'; } # no commands
stretch() { tail -c "+$(($2 + 1))" "$1" | head -c "$3"; } # FILE OFFSET LENGTH
has_size() { case $2$(stretch "$1" $(($2 > 0 ? $2 - 1 : 0)) 2 | openssl base64 -A) in 0 | [1-9]*==) ;; *) false ;; esac; }
opened() { # FILE OFFSET LENGTH KEY, or "-recip CERT -inkey KEY" as that
	if [ "$4" = own ]; then set -- "$@" -recip "$cert" -inkey "$own" ${PASS+-passin env:PASS}; else set -- "$@" -secretkey "$4"; fi
	stretch "$1" "$2" "$3" | { shift 4; openssl cms -decrypt -inform DER -binary "$@" 2>/dev/null; }
}
object_len() { # FILE OFFSET: its first ten octets, made an OCTET STRING, are shown in hex: 30 8n and n octets of length
	_sum=$({ printf '\004\012'; stretch "$1" "$2" 10; } | openssl asn1parse -inform DER 2>/dev/null | awk -F: '/HEX DUMP/ &&
		$NF ~ /^308[1-4][0-9A-F]+$/ { n = substr($NF, 4, 1); print n + 2 "+0x" substr($NF, 5, 2 * n) }')
	[ -n "$_sum" ] && echo $((${_sum%+*} + ${_sum#*+}))
}
first_time() { awk -F: "$1"' && / (UTC|GENERALIZED)TIME +:[0-9]+Z$/ { sub(/Z$/, "", $NF); print (/UTCTIME/ ? 20 : "") $NF; exit }'; }
author() { # checks $tmp/signed: signature, purpose, chain and dates at the time of signing, then the list
	when=$(openssl asn1parse -inform DER -in "$tmp/signed" 2>/dev/null | first_time '/OBJECT +:signingTime$/ { on = 1 } on')
	epoch=$(awk -v t="$when" 'BEGIN { y = substr(t, 1, 4); m = substr(t, 5, 2) + 0; if (m < 3) { y--; m += 12 }
		d = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + substr(t, 7, 2) - 719469
		printf "%.0f", d * 86400 + substr(t, 9, 2) * 3600 + substr(t, 11, 2) * 60 + substr(t, 13, 2) }')
	openssl cms -verify -inform DER -in "$tmp/signed" -CAfile "$ca" -no-CApath -no-CAstore -purpose smimesign -cades -attime "$epoch" \
		-binary -signer "$tmp/signer" -out "$tmp/text" 2>/dev/null || die "$file: the author's signature or certificate is not good"
	who=$(openssl x509 -in "$tmp/signer" -noout -subject) serial=$(openssl x509 -in "$tmp/signer" -noout -serial)
	revoked=$(openssl crl -in "$crl" -outform DER | openssl asn1parse -inform DER | first_time "/INTEGER +:/ { on = \$NF == \"${serial#*=}\" } on")
	[ -n "$revoked" ] || return 0; awk -v s="$when" -v r="$revoked" 'BEGIN { exit !(s < r) }' || die "$file: signed at $when, revoked at $revoked: $who"
	printf 'recover.sh: warning: %s: revoked at %s; to have signed before is his claim: %s\n' "$file" "$revoked" "$who" | shown >&2
}
described() { # $tmp/text: version, size, count, and the name, decoded: without control characters, and not leading elsewhere
	awk 'NR == 1 && $0 != "scg-manifest 1" || NR == 7 && $0 != "segment-size 4194304" || NR > 8 && (/[^0-9a-f]/ || length != 64) { exit bad = 1 }
		NR == 3 && /^name [A-Za-z0-9._~%\/-]+$/ { n = split($2, p, "%") } NR == 5 { v = $2 } NR == 6 { v = v " " $2 } NR == 8 { count = $2 }
		END { if (bad || !n || v " " count !~ /^[0-9]+ [0-9]+ [1-9][0-9]*$/ || NR != 8 + count) exit 1
			hex = "0123456789ABCDEF"; for (i = 2; i <= n; i++) {
				c = 16 * (index(hex, substr(p[i], 1, 1)) - 1) + index(hex, substr(p[i], 2, 1)) - 1; if (c < 32 || c == 127) exit 1
				p[1] = p[1] sprintf("%c", c) substr(p[i], 3) }
			if ("/" p[1] "/" ~ /\/\.?\.?\/|\302[\200-\237]|\342(\200[\250-\256]|\201[\246-\251])/) exit 1; print v, count, "/" p[1] "/" }' "$tmp/text"
}
segments() { # KEY LAST COUNT: those of the list (descriptor 3), each held against its line of the manifest (4)
	for _ in 1 2 3 4 5 6 7 8; do read -r _ <&4; done # then, if there are several, the note is the first object
	[ "$3" -eq 1 ] || { read -r off len <&3 && opened "$file" "$off" "$len" "$1" >"$tmp/piece" &&
		[ "$(head -c 23 "$tmp/piece")" = 'scg envelope, format 1.' ]; } || die "$file: damaged at byte 0: no note"
	while read -r off len <&3 && [ "$off" -ne "$2" ]; do
		if ! opened "$file" "$off" "$len" "$1" >"$tmp/piece" || ! read -r digest <&4; then die "$file: damaged at byte $off, or no space"; fi
		[ "$(openssl dgst -sha256 -r <"$tmp/piece")" = "$digest *stdin" ] || die "$file: not what the author signed, at byte $off"
		tail -c +1 "$tmp/piece" || die "cannot write"; done
}
recover() ( # FILE PLACE, or only FILE: then where its name says
	off=0 n=0 last=0 key='' file=$1
	while len=$(object_len "$file" $off); do echo "$off $len"; last=$off off=$((off + len)) n=$((n + 1)); done >"$tmp/list"
	if [ $n -lt 2 ] || ! has_size "$file" $off; then die "$file: no sealed file, or cut off, or something stands behind it"; fi
	for try in $keys; do ! opened "$file" $last $((off - last)) "$try" >"$tmp/signed" || { key=$try; break; }; done
	[ -n "$key" ] || die "$file: no key opens its manifest, or it is damaged or cut off"
	author; if ! described >"$tmp/about" || ! read -r version size count name <"$tmp/about"; then die "$file: manifest or name not fit"; fi
	[ $n -eq $((count == 1 ? 2 : count + 2)) ] || die "$file: $n objects for $count segments: cut off, or something is doubled"
	segments "$key" $last "$count" 3<"$tmp/list" 4<"$tmp/text" >"$tmp/plain"
	has_size "$tmp/plain" "$size" || die "$file: another size than the author signed"
	name=${name#/}; name=${name%/}; to=${2:-$out/$name} # bare, its blanks at either end would be lost
	if [ -e "$to" ] || [ -L "$to" ]; then die "$file: $to is there (a copy, or another version): open this one by itself"; fi
	if ! mkdir -p "${to%/*}" || ! mv "$tmp/plain" "$to"; then die "$file: cannot write $to"; fi
	printf '%s: %s, version %s, %s bytes, signed at %s: %s\n' "$file" "$name" "$version" "$size" "$when" "$who" | shown
)
[ $# -eq 5 ] || [ $# -eq 7 ] || { (die "usage: CA.crt CRL.pem {KEYS | PACKAGE | none} IN OUT [CERT KEY]: see this script's first lines"); exit 2; }
ca=$1 crl=$2 in=./$4 out=./$5 failed=0 any=''; case $4 in /*) in=$4 ;; esac; case $5 in /*) out=$5 ;; esac
case $(openssl crl -in "$crl" -noout -CAfile "$ca" -no-CApath -no-CAstore 2>&1) in *"verify OK"*) ;; *) die "$crl: not of $ca" ;; esac
if [ $# -eq 5 ]; then keys=$(awk '{ gsub(/[ \t\r]/, "") } /^[0-9A-Fa-f]+$/ && length == 64' "$3"); elif cert=$6 own=$7; [ "$3" = none ]; then keys=own; else
	keys=$(openssl cms -decrypt -inform DER -in "$3" -recip "$cert" -inkey "$own" ${PASS+-passin env:PASS} -binary | openssl asn1parse -inform DER |
		awk -F: '/OCTET STRING +\[HEX DUMP\]:/ && length($NF) == 64 { print $NF }'); fi
out=${out%/} tmp=${out%/}.recover.$$; trap 'rm -rf "$tmp"' EXIT; trap 'exit 1' INT TERM HUP
if [ -z "$keys" ] || ! mkdir "$tmp"; then die "no group key, or no place for $out"; fi
[ -d "$in" ] || { recover "$in" "$out"; exit; }; mkdir "$out" || exit 1
for file in "$in"/*.cms "$in"/*/*.cms; do if [ -f "$file" ]; then any=y; recover "$file" || failed=4; fi; done
[ -n "$any" ] || die "$in: no file in it is named .cms"; exit $failed

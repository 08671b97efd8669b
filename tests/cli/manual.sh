# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: does a manual page say what the program does?

# check_page PAGE: mandoc has nothing to say of it.
check_page() {
	if command -v mandoc >/dev/null; then
		# whether the pages that it refers to are installed says nothing about this one
		mandoc -T lint -W style "$1" 2>/dev/null | grep -v 'referenced manual not found' >"$T/lint" || :
		[ ! -s "$T/lint" ] || fail "$(cat "$T/lint")"
	fi
}

# The options of PROGRAM COMMAND, one a line, from its own help.
_options() { "$1" "$2" -help | sed -n 's/^  -\([a-z0-9-]*\).*/\1/p' | sort; }

# The options in the SYNOPSIS of PAGE under COMMAND.
_synopsis() {
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$1" | awk -v command="$2" '
		/^\.Nm/ { on = 0 }
		$1 == ".Cm" { on = $2 == command }
		on { for (i = 1; i < NF; i++) if ($i == "Fl" || $i == ".Fl") print $(i + 1) }' | sort
}

# check_synopsis PROGRAM PAGE: the commands and options are those of the program, and each is explained.
check_synopsis() {
	_commands=$("$1" -help | sed -n 's/^  \([a-z]*\) .*/\1/p')
	for _command in $_commands; do
		_options "$1" "$_command" >"$T/has"
		_synopsis "$2" "$_command" >"$T/says"
		same "$T/has" "$T/says"
		sed '1,/^\.Sh DESCRIPTION/d' "$2" >"$T/text"
		has "$T/text" "^\\.It Cm $_command"
		while read -r _option; do
			grep -Eq "^\\.(It )?Fl $_option( |\$)|Fl $_option( |\$)" "$T/text" || fail "$2: -$_option of $_command is not explained"
		done <"$T/has"
	done
	[ "$(grep -c '^\.Nm$' "$2")" -ge "$(echo "$_commands" | wc -l)" ] || fail "$2: a command is missing"
}

# run_examples PAGE: the literal blocks of its EXAMPLES, one after the other in one shell.
run_examples() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$1" | sed -n '/^\.Bd/,/^\.Ed/{/^\./d;s/\\e/\\/g;p;}' >"$T/examples"
	[ -s "$T/examples" ] || fail "$1: no examples"
	ok sh -eu "$T/examples"
}

#!/bin/bash
# SPDX-License-Identifier: MIT
# The bash completion of distributex, called as bash calls it: options, pools of a
# running daemon, and nothing where only the user knows the value.
set -u
export LC_ALL=C.UTF-8
cd "${TOP:-.}" || exit 1
. etc/distributex.bash-completion
dir=$(mktemp -d) || exit 1
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$dir"' EXIT
failures=0

# expect LINE WORDS: for the last word of LINE the completion offers WORDS.
expect() {
    local offered
    COMP_LINE=$1
    # shellcheck disable=SC2206 # words as bash splits them
    COMP_WORDS=(${1//=/ = })
    [[ $1 == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _distributex "$DISTRIBUTEX" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    offered="${COMPREPLY[*]-}"
    [ "$offered" = "$2" ] || {
        echo "\"$1\" offers \"$offered\", not \"$2\""
        failures=$((failures + 1))
    }
}

printf 'pools:\n  - name: alpha\n  - name: beta\n' >"$dir/distributex.yaml"
"$DISTRIBUTEXD" -c "$dir/distributex.yaml" -l 127.0.0.1:0 2>"$dir/log" &
daemon=$!
for ((i = 0; i < 200; i++)); do
    grep -q 'ready pools=' "$dir/log" && break
    sleep 0.1
done
port=$(sed -n 's/.*listening address=127\.0\.0\.1:\([0-9]*\).*/\1/p' "$dir/log")

expect 'distributex --st' '--status'
expect 'distributex --l' '--local --lease'
expect 'distributex -w ' ''
expect "distributex -H 127.0.0.1:$port -r " 'alpha beta'
expect "distributex --server=127.0.0.1 -p $port --pool=b" 'beta'
expect 'distributex -r ' ''
expect "distributex -H 127.0.0.1:$port -r alpha -- --st" ''
[ "$failures" -eq 0 ]

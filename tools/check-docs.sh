#!/bin/bash
# SPDX-License-Identifier: MIT
# check-docs.sh: says which options, configuration keys, verbs and files of code the
# programs have but the documents lack, or the other way round; and what mandoc and man
# complain of in the manual pages. Runs the programs $DISTRIBUTEXD and $DISTRIBUTEX in the
# tree $TOP.
set -u
export LC_ALL=C.UTF-8
cd "${TOP:-.}" || exit 1
daemon=${DISTRIBUTEXD:-$PWD/build/distributexd}
client=${DISTRIBUTEX:-$PWD/build/distributex}
failures=0

complain() {
    echo "$1"
    failures=$((failures + 1))
}

present() {
    local file missing=0
    for file; do
        [ -s "$file" ] || {
            complain "$file is missing"
            missing=1
        }
    done
    return $missing
}

# The options that a program's --help shows, one a line: -c, --config.
options_of_help() {
    "$1" --help </dev/null | sed -n 's/^ *\(-.*\)/\1/p' | sed 's/   *[^-].*//' |
        grep -oE '(^|[ ,])--?[A-Za-z][A-Za-z-]*' | tr -d ' ,' | sort -u
}

# The options that have an entry of their own in an mdoc page.
options_of_page() {
    sed -n 's/^\.It \(Fl .*\)/\1/p' "$1" | sed 's/\\-/-/g; s/Fl Fl /Fl -/g; s/Fl /\n-/g' |
        grep -oE '^--?[A-Za-z][A-Za-z-]*' | sort -u
}

# Entries between the comments "// WORD begin" and "// WORD end" of a source:
# the first string of each row.
rows() {
    sed -n "/\/\/ $2 begin/,/\/\/ $2 end/s/^ *{[^\"]*\"\([^\"]*\)\".*/\1/p" "$1" | grep -o '[^.]*$' | sort -u
}

# compare WHAT A LIST-A B LIST-B: both lists shall hold the same.
compare() {
    local what=$1 word
    [ -n "$3" ] || complain "$2 shows no $what"
    for word in $(comm -23 <(echo "$3") <(echo "$5")); do
        complain "$what $word of $2 is not in $4"
    done
    for word in $(comm -13 <(echo "$3") <(echo "$5")); do
        complain "$what $word of $4 is not in $2"
    done
}

# Each word stands in the file, by a pattern in which @ is the word.
expect_words() {
    local what=$1 file=$2 pattern=$3 words=$4 word
    for word in $words; do
        grep -qE -- "${pattern//@/$word}" "$file" || complain "$what $word is not in $file"
    done
}

check_page() {
    local said
    said=$(mandoc -T lint -W warning "$1" 2>&1) || complain "$said"
    said=$(MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null)
    [ -z "$said" ] || complain "man: $1: $said"
}

check_daemon() {
    present "$daemon" doc/distributexd.8 || return
    check_page doc/distributexd.8
    compare option 'distributexd --help' "$(options_of_help "$daemon")" \
        doc/distributexd.8 "$(options_of_page doc/distributexd.8)"
}

check_configuration() {
    local keys file sources
    present doc/distributex.yaml.5 etc/distributex.yaml etc/example.yaml || return
    check_page doc/distributex.yaml.5
    # Options are declared where they belong: wherever these comments stand.
    sources=$(grep -rlE '^ *// (pool )?options begin$' src)
    [ -n "$sources" ] || complain 'no file of src has rows between "// options begin" and "// options end"'
    for file in $sources; do
        keys+=" $(rows "$file" options) $(rows "$file" 'pool options')"
    done
    for file in backend poll max_waiting pools expire; do
        [[ " ${keys//$'\n'/ } " == *" $file "* ]] || complain "the rows of options have no $file"
    done
    expect_words key doc/distributex.yaml.5 '^\.It .*[^a-z_]@([^a-z_]|$)' "$keys"
    expect_words key etc/distributex.yaml '^[# -]*@:' "$keys"
    [ -x "$daemon" ] || return
    for file in etc/*.yaml; do
        "$daemon" -t -c "$file" >/dev/null 2>&1 || complain "$file: $("$daemon" -t -c "$file" 2>&1)"
    done
}

check_verbs() {
    local verbs
    present src/lock/names.cpp doc/protocol.txt doc/distributexd.8 || return
    verbs=$(rows src/lock/names.cpp verbs)
    [ -n "$verbs" ] || complain 'src/lock/names.cpp has no rows between "// verbs begin" and "// verbs end"'
    expect_words verb doc/protocol.txt '(^|[^A-Za-z])@([^A-Za-z]|$)' "$verbs"
    expect_words verb doc/distributexd.8 '(^|[^A-Za-z])@([^A-Za-z]|$)' "$verbs"
}

# A completion that asks the program itself (_parse_help) knows all of them.
check_client() {
    local options completion=etc/distributex.bash-completion
    [ -e src/client/main.cpp ] || return 0
    present "$client" doc/distributex.1 $completion || return
    check_page doc/distributex.1
    options=$(options_of_help "$client")
    compare option 'distributex --help' "$options" doc/distributex.1 "$(options_of_page doc/distributex.1)"
    bash -n $completion || complain "$completion is no bash"
    grep -q _parse_help $completion || compare option 'distributex --help' "$(grep "^--" <<<"$options")" \
        $completion "$(grep -oE -- '--[a-z][a-z-]+' $completion | sort -u)"
}

# Every file of code that a document names is there, under that path or the end of one.
check_named_files() {
    local name all
    all=$(find src tests fuzz soak bench tools -type f | sed 's,^,/,')
    while read -r name; do
        [[ $all$'\n' == *"/$name"$'\n'* ]] || complain "a document names $name, which is not there"
    done < <(grep -ohE '[a-z][a-z_/.-]*\.(cpp|h|sh)\b' HACKING README* doc/*.txt | sort -u)
}

check_daemon
check_configuration
check_verbs
check_client
check_named_files
[ "$failures" -eq 0 ]

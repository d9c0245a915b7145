#!/bin/sh
# SPDX-License-Identifier: MIT
# embed-page.sh PAGE: prints src/doors/pages/page.html as C++, and the Content-Security-Policy
# that lets a browser use only the page's one style and one script. The policy names both
# by their hashes, so they must be in the page itself.
set -eu
export LC_ALL=C
page=$1

# What stands between <TAG> and </TAG>, to the byte; the page has it once.
inside() {
    awk -v tag="$1" '
        { text = text $0 "\n" }
        END {
            opening = "<" tag ">"
            closing = "</" tag ">"
            at = index(text, opening)
            rest = substr(text, at + length(opening))
            size = index(rest, closing)
            if (at == 0 || size == 0 || index(rest, "<" tag) > 0) exit 1
            printf "%s", substr(rest, 1, size - 1)
        }' "$page" || {
        echo "$page: needs one <$1> without attributes" >&2
        exit 1
    }
}

hash_of() {
    text=$(mktemp)
    trap 'rm -f "$text"' EXIT
    inside "$1" >"$text"
    sum=$(sha256sum <"$text")
    echo "sha256-$(printf '%s' "${sum%% *}" | tr a-f A-F | basenc --base16 -d | base64 -w 0)"
}

style=$(hash_of style)
script=$(hash_of script)
if grep -qE '<[a-z][^>]* (src|style|on[a-z]+)=' "$page"; then
    echo "$page: the policy forbids src, style and on... attributes" >&2
    exit 1
fi

cat <<END
#include "doors/pages/page.h"

namespace distributex {

namespace {

constexpr char bytes[] = {
END
od -An -v -tx1 "$page" | sed "s/ \(..\)/'\\\\x\1',/g"
cat <<END
};

}  // namespace

const std::string_view page_html{bytes, sizeof bytes};
const char* const page_policy =
    "default-src 'none'; style-src '$style'; script-src '$script'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace distributex
END

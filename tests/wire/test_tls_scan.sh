#!/bin/bash
# SPDX-License-Identifier: MIT
# What sslscan finds at a TLS address: TLS 1.2 and 1.3 alone, no cipher below 128 bits
# or beyond the system's own policy (openssl.cnf), no renegotiation, no compression. As a
# control, the same checks must fail for an OpenSSL server that accepts anything.
set -u

command -v sslscan >/dev/null && command -v openssl >/dev/null || exit 77
work=$(mktemp -d) || exit 1
pids=()
# shellcheck disable=SC2317 # the trap calls it
end() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
bad=0
for kind in 'ec:ec -pkeyopt ec_paramgen_curve:P-256' 'rsa:rsa:2048'; do
    # shellcheck disable=SC2086 # the kind is several words
    openssl req -x509 -newkey ${kind#*:} -nodes -days 90 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$work/${kind%%:*}.key" \
        -out "$work/${kind%%:*}.pem" 2>/dev/null || exit 1
done

# The port in the log of a server, once it is there.
port_in() {
    local i port
    for ((i = 0; i < 400; i++)); do
        port=$(sed -n "s/.*$2:\([0-9][0-9]*\).*/\1/p" "$1" | head -n 1)
        [ -z "$port" ] || { echo "$port"; return; }
        sleep 0.05
    done
    return 1
}

# Prints what is wrong in a report, one line for each.
policy=$(openssl ciphers -s)
judge() {
    awk -v policy=":$policy:" '
        /^(SSLv2|SSLv3|TLSv1.0|TLSv1.1) / && $2 != "disabled" { print "old: " $0 }
        /^TLSv1.[23] +enabled/ { good++ }
        /^(Preferred|Accepted)/ { ciphers++ }
        /^(Preferred|Accepted)/ && ($3 < 128 || !index(policy, ":" $5 ":")) { print "weak: " $0 }
        /renegotiation (is )?supported|Insecure|[^t] vulnerable to heartbleed/ { print $0 }
        /Compression enabled/ { print $0 }
        END { if (good < 2) print "TLS 1.2 and 1.3 are not both there"; if (!ciphers) print "no ciphers" }
    ' "$1"
}

for kind in ec rsa; do
    printf 'listen: "tls:127.0.0.1:0"\ntls_certificate: %s\ntls_key: %s\npools:\n  - name: one\n' \
        "$work/$kind.pem" "$work/$kind.key" >"$work/$kind.yaml"
    "$DISTRIBUTEXD" -c "$work/$kind.yaml" 2>"$work/$kind.log" &
    pids+=($!)
    port=$(port_in "$work/$kind.log" 'address=tls:127\.0\.0\.1') || { cat "$work/$kind.log"; exit 1; }
    sslscan --no-colour "127.0.0.1:$port" >"$work/$kind.report" 2>&1
    found=$(judge "$work/$kind.report")
    if [ -n "$found" ]; then
        echo "with a key of $kind: $found"
        cat "$work/$kind.report"
        bad=1
    fi
done

openssl s_server -accept 127.0.0.1:0 -cert "$work/rsa.pem" -key "$work/rsa.key" \
    -cipher ALL:eNULL:@SECLEVEL=0 -tls1_2 -www >"$work/weak.log" 2>&1 </dev/null &
pids+=($!)
if port=$(port_in "$work/weak.log" 'ACCEPT 127\.0\.0\.1'); then
    sslscan --no-colour "127.0.0.1:$port" >"$work/weak.report" 2>&1
    judge "$work/weak.report" | grep -q '^weak: ' || {
        echo "a weak server is not found weak:"
        cat "$work/weak.report"
        bad=1
    }
else
    echo "openssl s_server does not start:" && cat "$work/weak.log"
    bad=1
fi
exit $bad

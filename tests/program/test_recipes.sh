#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the recipes of README's chapter "Encrypt it, and know who asks" word for word. Each
# block runs in an empty folder and a network of its own, where port 9889 is free, and
# must end with a lock; a client without the proof of the recipe must get none. openssl
# makes Puppet's files in the places where Puppet has them; where the tool of Puppet's own
# CA is installed (make deps DEPS=puppet), the CA and the certificate are also made by it.
set -u
export LC_ALL=C
top=$(realpath "${TOP:-.}")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && ln -s "$(realpath "$DISTRIBUTEXD")" "$work/bin/distributexd" || exit 1

# Prints the block of code behind the paragraph of README that begins with $1.
recipe() {
    awk -v begins="$1" '
        index($0, begins) == 1 { found = 1 }
        found && /^    / { code = 1; print substr($0, 5) }
        code && /^[^ ]/ { exit }' "$top/README"
}

# Makes a root CA, an intermediate CA and the machine's certificate, in the layout of a
# Puppet agent.
# shellcheck disable=SC2016 # run by the inner shell
puppet='
set -e
mount -t tmpfs none /var/lib
ssl=/var/lib/puppet/ssl; mkdir -p $ssl/certs $ssl/private_keys
ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
cd "$(mktemp -d)"
openssl req -x509 $ec -days 9 -subj "/CN=Puppet Root CA" -keyout root.key -out root.pem
openssl req $ec -subj "/CN=Puppet CA" -keyout int.key -out int.csr
printf "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" >ca.ext
openssl x509 -req -in int.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9 -extfile ca.ext -out int.pem
host=$(hostname -f)
openssl req $ec -subj "/CN=$host" -keyout $ssl/private_keys/$host.pem -out host.csr
printf "subjectAltName=DNS:%s\nextendedKeyUsage=critical,serverAuth,clientAuth\n" $host >host.ext
openssl x509 -req -in host.csr -CA int.pem -CAkey int.key -CAcreateserial -days 9 -extfile host.ext -out $ssl/certs/$host.pem
cat int.pem >>$ssl/certs/$host.pem
cat int.pem root.pem >$ssl/certs/ca.pem
for ca in int root; do
    : >$ca.index; echo 01 >$ca.number
    printf "[ca]\ndefault_ca=it\n[it]\ndatabase=$ca.index\ncrlnumber=$ca.number\ndefault_md=sha256\n" >$ca.conf
    openssl ca -config $ca.conf -gencrl -crldays 9 -cert $ca.pem -keyfile $ca.key >>$ssl/crl.pem
done
'

# The same by Puppet's CA. It gives its files to a user puppet, who is root here.
# shellcheck disable=SC2016 # run by the inner shell
puppet_ca='
set -e
mount -t tmpfs none /var/lib
for list in passwd group; do
    { cat /etc/$list; [ $list = group ] && echo puppet:x:0: || echo puppet:x:0:0::/:/bin/false; } >$list
    mount --bind $list /etc/$list
done
printf "[main]\nssldir = /var/lib/puppet/ssl\ncadir = /var/lib/puppet/ca\n" >puppet.conf
mkdir /var/lib/puppet
ruby -r puppetserver/ca/cli -e "exit Puppetserver::Ca::Cli.run(ARGV)" setup --config "$PWD/puppet.conf" \
    --certname "$(hostname -f)"
'

# run NAME PREPARATION BEGINNING
run() {
    local name=$1 out
    recipe "$3" >"$work/$name.sh"
    [ -s "$work/$name.sh" ] || { echo "--- FAILED $name: README has no such recipe"; return 1; }
    mkdir "$work/$name"
    # shellcheck disable=SC2016 # run by the inner shell
    out=$(cd "$work/$name" && PATH=$work/bin:$PATH PREPARE=$2 RECIPE=$work/$name.sh timeout 100 \
        unshare -rmn --uts bash -c '
            ip link set lo up; hostname localhost
            (eval "$PREPARE") >prepare.log 2>&1 || { cat prepare.log; exit 1; }
            . "$RECIPE" 2>recipe.log
            curl -sk "https://localhost:9889/get/?host=stranger&pool=test1" >stranger
            kill %1; wait' 2>&1)
    if [ "$out" != YES ] || [ "$(cat "$work/$name/stranger")" != INVALID ]; then
        echo "--- FAILED $name: \"$out\", stranger \"$(cat "$work/$name/stranger")\""
        cat "$work/$name/recipe.log"
        return 1
    fi
    echo "ok $name"
}

unshare -rmn --uts true 2>/dev/null || { echo "no name spaces here: skipped"; exit 77; }
status=0
run secret true 'One secret for all machines' || status=1
run puppet "$puppet" "Puppet's certificates" || status=1
if ruby -r puppetserver/ca/cli -e exit 2>/dev/null; then
    run puppet_ca "$puppet_ca" "Puppet's certificates" || status=1
else
    echo "puppet_ca: skipped, for Puppet's CA is missing"
fi
run own_ca true 'A CA of your own' || status=1
exit $status

# What every page's commands are run with. PORT, ADMIN, UPSTREAM and OUT come from the test.
set -euo pipefail
trap 'kill $(jobs -p) 2> "$OUT/trap" || :; wait' EXIT

# A portal as `init` makes it, and its root.
portal() {
  countersign init --site portal.test --upstream "$UPSTREAM" --listen "127.0.0.1:$PORT" --admin "127.0.0.1:$ADMIN" --yes
  countersign ca show own --format pem > ca.pem
}

# The portal's site, asked as a visitor would.
visit() {
  curl --silent --show-error --cacert ca.pem --resolve "portal.test:$PORT:127.0.0.1" "$@" "https://portal.test:$PORT/"
}

# `serve WORD COMMAND…` is what a reader does in a second terminal: starts a command that does not end by itself, waits
# until it has said the word, and shows what it said until then.
serve() {
  local word=$1 said="$OUT/served.$RANDOM$RANDOM" tries=0
  shift
  : > "$said"
  "$@" > "$said" 2>&1 &
  until grep -q "$word" "$said"; do
    if ! kill -0 $! 2> "$OUT/gone" || (( tries++ > 600 )); then
      cat "$said"
      return 1
    fi
    sleep 0.05
  done
  cat "$said"
}

# Runs a command again until it succeeds, for what the gate writes within a second.
soon() {
  local tries=0
  until "$@" > "$OUT/soon" 2>&1; do
    if (( tries++ > 100 )); then
      cat "$OUT/soon"
      return 1
    fi
    sleep 0.1
  done
}

# `certificate NAME ARGUMENTS…`: a self-signed one, NAME.pem and NAME.key.
certificate() {
  local name=$1
  shift
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 200 -subj "/CN=$name" \
    -keyout "$name.key" -out "$name.pem" "$@" 2> "$OUT/openssl"
}

client_usage=(-addext basicConstraints=critical,CA:FALSE -addext keyUsage=digitalSignature -addext extendedKeyUsage=clientAuth)
authority=(-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign,cRLSign)

# `coming_from FILE`: a page's configuration in force, with the files that it names and a partner's certificates.
coming_from() {
  sed -e "s/127.0.0.1:8443/127.0.0.1:$PORT/" -e "s#http://127.0.0.1:3000#$UPSTREAM#" \
    -e "s/^\[server\]/&\nadmin = \"127.0.0.1:$ADMIN\"/" "$1" > countersign.toml
  certificate portal -addext subjectAltName=DNS:portal.test
  echo "cacert = $PWD/portal.pem" >> "$OUT/.curlrc"
  certificate partner-ca "${authority[@]}"
  local name
  for name in svc-1 svc-2; do
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/O=Acme/CN=$name" -keyout "$name.key" \
      -out "$name.csr" 2> "$OUT/openssl"
    openssl x509 -req -in "$name.csr" -CA partner-ca.pem -CAkey partner-ca.key -CAcreateserial -days 100 \
      -extfile <(printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n') \
      -out "$name.pem" 2> "$OUT/openssl"
  done
  : > partner.index
  printf '[ca]\ndefault_ca = d\n[d]\ndatabase = partner.index\ndefault_md = sha256\ndefault_crl_days = 7\n' > partner.cnf
  openssl ca -config partner.cnf -gencrl -keyfile partner-ca.key -cert partner-ca.pem -out partner.crl 2> "$OUT/openssl"
}

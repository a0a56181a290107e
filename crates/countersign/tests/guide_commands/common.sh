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

portal
HTTP=$((PORT + 1))
while (exec 3<> "/dev/tcp/127.0.0.1/$HTTP") 2> "$OUT/taken"; do HTTP=$((HTTP + 1)); done
sed -i "s/^\[server\]/&\nhttp = [\"127.0.0.1:$HTTP\"]/" countersign.toml
countersign party add alice --site portal.test --pem --out .
serve ready countersign run
asked() {
  openssl ocsp -url "http://127.0.0.1:$HTTP/ocsp" -issuer state/ca/client.pem -cert alice.pem -CAfile ca.pem \
    -verify_other state/ca/client.pem | grep good
}
soon asked
for shown in "$OUT"/[0-9]*.toml; do
  cp "$shown" shown.toml
  countersign validate --config shown.toml
done

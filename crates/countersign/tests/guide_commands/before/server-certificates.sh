portal
certificate acme-root "${authority[@]}"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout acme-server.key \
  -out acme-server.csr 2> "$OUT/openssl"
openssl x509 -req -in acme-server.csr -CA acme-root.pem -CAkey acme-root.key -CAcreateserial -days 30 \
  -extfile <(printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n') -out acme-server.pem 2> "$OUT/openssl"
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
dns=$(free) management=$(free)
cat > pebble.json <<JSON
{"pebble": {"listenAddress": "127.0.0.1:$ACME", "managementListenAddress": "127.0.0.1:$management",
  "certificate": "acme-server.pem", "privateKey": "acme-server.key", "httpPort": 1, "tlsPort": $PORT,
  "ocspResponderURL": "", "certificateValidityPeriod": 7776000}}
JSON
pebble-challtestsrv -defaultIPv6 "" -http01 "" -https01 "" -tlsalpn01 "" -dns01 "127.0.0.1:$dns" \
  -management "127.0.0.1:$(free)" > "$OUT/resolver" 2>&1 &
PEBBLE_VA_NOSLEEP=1 pebble -config pebble.json -dnsserver "127.0.0.1:$dns" > "$OUT/pebble" 2>&1 &
soon curl --cacert acme-root.pem --resolve "localhost:$ACME:127.0.0.1" "https://localhost:$ACME/dir"
sed -i -e 's/^\[server\]/&\nfetch_private = ["127.0.0.1", "::1"]/' \
  -e "s#^\[site.\"portal.test\"\]#&\ncertificate = { acme = \"https://localhost:$ACME/dir\", roots = \"acme-root.pem\" }#" countersign.toml

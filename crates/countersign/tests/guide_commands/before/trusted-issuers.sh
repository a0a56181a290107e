portal
certificate acme-ca "${authority[@]}"
certificate beta-ca "${authority[@]}"
: > beta.index
printf '[ca]\ndefault_ca = d\n[d]\ndatabase = beta.index\ndefault_md = sha256\ndefault_crl_days = 7\n' > beta.cnf
openssl ca -config beta.cnf -gencrl -keyfile beta-ca.key -cert beta-ca.pem -out beta.crl 2> "$OUT/openssl"

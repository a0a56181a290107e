portal
certificate acme-ca "${authority[@]}"

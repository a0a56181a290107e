portal
certificate their "${client_usage[@]}"
certificate device -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth
certificate root "${authority[@]}" -addext extendedKeyUsage=clientAuth
certificate lab-ca "${authority[@]}"
countersign ca add lab-ca.pem --name lab --site portal.test --named-only
countersign party add carol

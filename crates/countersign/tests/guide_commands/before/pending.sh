portal
serve ready countersign run
certificate stranger "${client_usage[@]}"
certificate other "${client_usage[@]}"
REFERENCE=$(visit --cert stranger.pem --key stranger.key | sed -n 's/.*"reference":"\([^"]*\)".*/\1/p')
visit --cert other.pem --key other.key
# An entry's identifier is the beginning of the certificate's thumbprint.
thumbprint() { openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f | cut -c1-8; }
ID=$(thumbprint stranger.pem)
ID2=$(thumbprint other.pem)
soon countersign pending show "$ID"
soon countersign pending show "$ID2"

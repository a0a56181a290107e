# The first configuration on the page is a whole file; the grown one at its end must be valid too.
portal
cp "$OUT/1.toml" countersign.toml
countersign party add alice
countersign party add bob
mkdir grown
cp "$OUT/3.toml" grown/countersign.toml
sed -i "s#/var/lib/countersign#$PWD/grown/state#" grown/countersign.toml
cd grown
countersign --config ../init.toml --state-dir state init --site portal.example.com --upstream http://127.0.0.1:1 --yes
for name in alice bob carol; do countersign --config ../init.toml --state-dir state party add "$name"; done
countersign --config ../init.toml --state-dir state ca show own --format pem > acme-ca.pem
certificate acme-ca "${authority[@]}"
certificate portal -addext subjectAltName=DNS:portal.example.com
countersign validate
cd ..

portal
mkdir log
printf '\n[log]\nfile = "log/access.log"\n' >> countersign.toml
countersign party add alice --site portal.test --pem --out .
# What an upgrade starts is no job of this shell.
ended() { ! grep -q take-over "/proc/$1/cmdline"; }
trap 'heir=$(head -n 1 state/run.lock); kill "$heir" $(jobs -p) 2> "$OUT/trap" || :; wait; soon ended "$heir"' EXIT
serve ready countersign run
soon visit --cert alice.pem --key alice.key
soon test -s log/access.log

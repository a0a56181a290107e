mkdir tokens
echo "directories.tokendir = $PWD/tokens" > softhsm2.conf
export SOFTHSM2_CONF="$PWD/softhsm2.conf"

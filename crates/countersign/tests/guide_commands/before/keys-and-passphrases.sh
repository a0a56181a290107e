portal
SAFE="$PWD/safe"
mkdir "$SAFE"

portal
SAFE="$PWD/safe"
mkdir "$SAFE"
certificate corp-root -subj "/O=Corp/CN=Corp Root" "${authority[@]}"

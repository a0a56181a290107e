portal
for shown in "$OUT"/[0-9]*.toml; do
  cp "$shown" shown.toml
  countersign validate --config shown.toml
done

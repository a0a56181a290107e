coming_from "$OUT/1.toml"

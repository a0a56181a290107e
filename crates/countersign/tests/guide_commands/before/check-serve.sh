certificate ca "${authority[@]}"

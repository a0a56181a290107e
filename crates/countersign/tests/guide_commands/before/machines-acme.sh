portal
cat >> countersign.toml <<END

[enrol]
listen = "127.0.0.1:$ENROL"
url = "https://localhost:$ENROL"
END

portal
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
dns=$(free)
/usr/sbin/dnsmasq --no-daemon --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 --port="$dns" --pid-file= \
  --conf-file=/dev/null --address=/inside.example.com/127.0.0.1 > "$OUT/dnsmasq" 2>&1 &
cat >> countersign.toml <<END

[enrol]
listen = "127.0.0.1:$ENROL"
url = "https://localhost:$ENROL"
server_networks = ["127.0.0.1"]
server_resolver = "127.0.0.1:$dns"
server_http_port = $WEB
END

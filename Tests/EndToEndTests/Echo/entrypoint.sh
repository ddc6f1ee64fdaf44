# HTTP/2 without TLS beside the server; when either ends, so does the container.
mkdir -p /srv/h2 && echo "$SIDE" > /srv/h2/index.html
nghttpd --no-tls --htdocs=/srv/h2 8082 &
exec python3 -u /opt/server.py 8080 9000

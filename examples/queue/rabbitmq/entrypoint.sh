#!/bin/sh
# Starts RabbitMQ with one user, who may come from other machines too, and becomes it.
set -eu

cat > /etc/rabbitmq/rabbitmq.conf <<EOF
default_user = ${RABBITMQ_USER:-queue}
default_pass = ${RABBITMQ_PASSWORD:-queue}
loopback_users = none
log.console = true
log.file = false
EOF
# The node's name is part of where it keeps its data, and must not change with the container's.
echo 'NODENAME=rabbit@localhost' > /etc/rabbitmq/rabbitmq-env.conf
# Health checks run as root, which must know the node's cookie.
[ -s /var/lib/rabbitmq/.erlang.cookie ] || head -c 15 /dev/urandom | base64 | tr -d '\n' > /var/lib/rabbitmq/.erlang.cookie
chmod 0400 /var/lib/rabbitmq/.erlang.cookie
chown -R rabbitmq:rabbitmq /var/lib/rabbitmq /etc/rabbitmq
exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups env HOME=/var/lib/rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server

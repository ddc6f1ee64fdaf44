#!/bin/sh
# Makes the database on an empty volume, sets its user, and becomes the server.
set -eu

data=/var/lib/mysql
install -d -o mysql -g mysql -m 0700 "$data" /run/mysqld
[ -d "$data/mysql" ] || mariadb-install-db --user=mysql --datadir="$data" --skip-test-db --auth-root-authentication-method=socket > /dev/null

password=$(cat "$DB_PASSWORD_FILE")
quoted=$(printf '%s' "$password" | sed "s/[\\\\']/\\\\&/g")
# Read once at every start, so that a new password counts from the next one on. Only the server's user may read it.
umask 077
cat > /run/mysqld/init.sql <<EOF
CREATE DATABASE IF NOT EXISTS \`${DB_NAME}\`;
CREATE USER IF NOT EXISTS '${DB_USER}'@'%';
ALTER USER '${DB_USER}'@'%' IDENTIFIED BY '${quoted}';
GRANT ALL ON \`${DB_NAME}\`.* TO '${DB_USER}'@'%';
EOF
chown mysql:mysql /run/mysqld/init.sql
exec mariadbd --user=mysql --datadir="$data" --bind-address=0.0.0.0 --skip-name-resolve --init-file=/run/mysqld/init.sql

#!/bin/sh
# Makes the passwords that docker-compose.yml mounts, each once; those already there stay as they are.
# The folder keeps others on this machine out; the files must be readable inside the containers.
set -eu
folder=$(dirname "$0")/secrets
mkdir -p "$folder"
chmod 700 "$folder"
for name in database_owner_password database_services_password grafana_admin_password; do
    if [ ! -s "$folder/$name" ]; then
        head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > "$folder/$name"
        echo "made $folder/$name"
    fi
    chmod 644 "$folder/$name"
done

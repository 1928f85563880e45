# shellcheck shell=bash
# ./pacs backup DIR and ./pacs restore DIR: all data and .env, from one moment. Sourced after common.sh.

VOLUMES=(postgres-data orthanc-data)
# Copied where they are: the data of the profiles `archive` and `research`.
PROFILE_VOLUMES=(dcm4chee-mysql-data dcm4chee-ldap-data dcm4chee-ldap-config dcm4chee-storage xnat-postgres-data xnat-data)

# Index and files belong together, so everything stands still while both are read.
backup() {
    [[ $# -eq 1 ]] || fail "Name a folder for the backup that does not exist yet: ./pacs backup DIR"
    local folder volume
    folder=$(from_where_the_user_stands "$1")
    [[ ! -e $folder ]] || fail "'$1' exists: name a folder that does not, so that no backup replaces another."
    require_stack
    mkdir -p "$folder.partial" || fail "The folder '$1' cannot be made: check the permissions of the one above it."
    chmod 0700 "$folder.partial"
    cp -p "$ENV_FILE" "$folder.partial/env"
    say "Stopping for as long as the copy takes"
    trap 'start_again; unexpected_failure' ERR
    trap 'start_again; exit 130' INT TERM
    compose --progress quiet stop
    for volume in "${VOLUMES[@]}" $(existing_profile_volumes); do
        say "Copying $volume"
        with_volume "$volume" ro "$folder.partial" tar -C /volume -czf "/backup/$volume.tgz" . \
            || { start_again; fail "$volume could not be copied to '$1'; is its disk full? Nothing was changed."; }
    done
    # What /api/metrics tells, and an alert when it grows old.
    with_volume orthanc-data rw "$folder.partial" touch /volume/last-backup
    mv "$folder.partial" "$folder"
    trap unexpected_failure ERR
    start_again
    say "Backed up to $folder. It holds patients' data and passwords: keep it accordingly."
}

restore() {
    [[ $# -ge 1 && -r $(from_where_the_user_stands "$1")/orthanc-data.tgz ]] \
        || fail "Name the folder of a backup: ./pacs restore DIR [--yes]"
    local folder volume answer
    folder=$(from_where_the_user_stands "$1")
    if [[ ${2:-} != --yes ]]; then
        [[ -t 0 ]] || fail "This would replace every stored image: add --yes to confirm."
        read -r -p "Replace everything in '$(project_name)' by the backup? Type yes: " answer
        [[ $answer == yes ]] || fail "Nothing was changed."
    fi
    find_docker || fail "Docker does not answer: run ./pacs up, which installs and starts it."
    for volume in $(volumes_in "$folder"); do
        run_docker run --rm --volume "$folder:/backup:ro" "$DEBIAN_IMAGE" gzip --test "/backup/$volume.tgz" \
            || fail "$volume.tgz in '$1' is damaged; nothing was changed."
    done
    # The database keeps the password that it was created with.
    [[ ! -r $ENV_FILE ]] || cp -p "$ENV_FILE" "$ENV_FILE.before-restore"
    cp -p "$folder/env" "$ENV_FILE"
    compose --progress quiet down --remove-orphans
    for volume in $(volumes_in "$folder"); do
        say "Restoring $volume"
        # shellcheck disable=SC2016  # expanded inside the container
        with_volume "$volume" rw "$folder" sh -c 'find /volume -mindepth 1 -delete && tar -C /volume -xzf "/backup/$0.tgz"' "$volume"
    done
    say "Restored. Start it with ./pacs up"
}

existing_profile_volumes() {
    local volume
    for volume in "${PROFILE_VOLUMES[@]}"; do
        if run_docker volume inspect "$(project_name)_$volume" > /dev/null 2>&1; then printf '%s\n' "$volume"; fi
    done
}

# volumes_in FOLDER: those that a backup has. One made without a profile leaves that profile's data as they are.
volumes_in() {
    local volume
    for volume in "${VOLUMES[@]}" "${PROFILE_VOLUMES[@]}"; do
        if [[ -e $1/$volume.tgz || " ${VOLUMES[*]} " == *" $volume "* ]]; then printf '%s\n' "$volume"; fi
    done
}

# Relative to where the user stands, not to the project.
from_where_the_user_stands() { (cd "$CALLER_DIRECTORY" && realpath --canonicalize-missing -- "$1"); }

# with_volume VOLUME ro|rw FOLDER COMMAND…: in a container that sees the volume and the folder.
with_volume() {
    local volume=$1 mode=$2 folder=$3
    shift 3
    run_docker run --rm --network none --label "com.docker.compose.project=$(project_name)" \
        --volume "$(project_name)_$volume:/volume:$mode" --volume "$folder:/backup" "$DEBIAN_IMAGE" "$@"
}

# By name: what ./pacs up had to leave out has no container to start.
start_again() {
    local services
    say "Starting again"
    mapfile -t services < <(compose ps --all --services)
    compose --progress quiet start "${services[@]}" || warn "The stack does not start again: ./pacs up says why."
}

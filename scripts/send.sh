# shellcheck shell=bash
# ./pacs send DIR: C-STORE every DICOM file below DIR to this PACS, from a container of our image. Sourced after common.sh.

send() {
    [[ $# -eq 1 ]] || fail "Name the folder to send: ./pacs send DIR"
    local folder container arguments=(--rm --interactive)
    # Relative to where the user stands, not to the project.
    folder=$(cd "$CALLER_DIRECTORY" && readlink -f -- "$1") || true
    [[ -n $folder && -e $folder ]] || fail "There is no folder '$1'."
    [[ -r $folder ]] || fail "'$1' cannot be read: check its permissions."
    require_stack
    container=$(container_of orthanc)
    [[ -n $container ]] || fail "Orthanc does not run: start it with ./pacs up."
    [[ ! -t 1 ]] || arguments+=(--tty)

    # In Orthanc's own network, so that no published port and no firewall matters; as the user, who may read the files.
    run_docker run "${arguments[@]}" --network "container:$container" --user "$(id -u):$(id -g)" --cap-drop ALL \
        --security-opt no-new-privileges --label "com.docker.compose.project=$(project_name)" \
        --volume "$folder:/send:ro" --entrypoint /opt/pacs/venv/bin/python \
        "$(run_docker inspect --format '{{.Config.Image}}' "$container")" -I /opt/pacs/scripts/send.py \
        --called-aet "$(setting PACS_DICOM_AET ORTHANC)" --shown-as "$1" /send || exit $?
}

# shellcheck shell=bash
# ./pacs logs [SERVICE…] [-f] [--study STUDY]. Sourced after common.sh.

logs() {
    require_stack
    local study='' arguments=() identifiers container
    while [[ $# -gt 0 ]]; do
        case $1 in
            --study)
                [[ -n ${2:-} ]] || fail "Name the study: ./pacs logs --study UID (or Orthanc's identifier)."
                study=$2
                shift 2
                ;;
            -*)
                arguments+=("$1")
                shift
                ;;
            *)
                is_service "$1" || fail "There is no service '$1': choose among $(services)."
                arguments+=("$1")
                shift
                ;;
        esac
    done
    # What has stopped still has its logs.
    [[ -n $(compose ps --all --quiet) ]] || fail "Nothing was started yet, so that there are no logs: start with ./pacs up."
    if [[ -z $study ]]; then
        if [[ -t 1 ]]; then compose logs --tail 200 "${arguments[@]}"; else plain_logs --tail 200 "${arguments[@]}"; fi
        return
    fi
    container=$(container_of orthanc)
    [[ -n $container ]] || fail "Orthanc does not run, and it alone knows what belongs to the study: start it with ./pacs up."
    # Logs hold identifiers and never names: a study is found by all that belong to it.
    identifiers=$(run_docker exec --interactive "$container" python3 -I - "$study" < "$ROOT/scripts/identifiers.py") \
        || fail "There is no study '$study': name its Study Instance UID or Orthanc's identifier."
    plain_logs "${arguments[@]}" | grep --fixed-strings --file <(printf '%s\n' "$identifiers") \
        || say "No line of the logs names this study."
}

services() { compose config --services | sort | paste --serial --delimiters ' ' | sed 's/ /, /g'; }

is_service() { [[ ", $(services)," == *", $1,"* ]]; }

# Compose clears the line before each of its own, in a file too.
plain_logs() { compose logs --no-color "$@" | sed --unbuffered $'s/^\x1b\\[2K//'; }

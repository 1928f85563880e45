# shellcheck shell=bash
# ./pacs test and ./pacs bench: everything runs in containers of its own, under a name of its own, and goes away with it.
# shellcheck source=scripts/install-docker.sh
. "$ROOT/scripts/install-docker.sh"
# shellcheck source=scripts/mirrors.sh
. "$ROOT/scripts/mirrors.sh"
# shellcheck source=scripts/base-images.sh
. "$ROOT/scripts/base-images.sh"

TESTS_PLACE=/var/tmp

run_test() {
    local arguments=() lint=yes
    select_tests "$@"
    prepare
    if [[ $lint == yes ]]; then
        check_style
        check_dashboard
    fi
    if includes_e2e "${arguments[@]}"; then build_stack; fi
    say "Tests"
    in_tests_container pytest "${arguments[@]}"
}

# Fills `arguments` for pytest: the suite that is named first, unless single files are named, which then run alone.
select_tests() {
    local suite='' argument
    case ${1:-} in
        unit | integration | e2e | live)
            suite=tests/$1
            shift
            ;;
    esac
    for argument in "$@"; do
        if [[ $argument == tests/* && -e $ROOT/${argument%%::*} ]]; then
            suite='' lint=no
        fi
    done
    arguments=(${suite:+"$suite"} "$@")
}

run_bench() {
    local arguments=() argument peers=no
    for argument in "$@"; do
        if [[ $argument == --with-plastimatch ]]; then peers=yes; else arguments+=("$argument"); fi
    done
    prepare
    [[ $peers == no ]] || build_target peers "$TESTS_IMAGE"
    say "Benchmarks"
    in_tests_container env PYTHONPATH=orthanc-plugins:tests python -m benchmarks.run "${arguments[@]}"
}

run_fuzz() {
    prepare
    say "Damaged structure sets"
    in_tests_container env PYTHONPATH=orthanc-plugins:tests python -m fuzz "$@"
}

# The engine, the images, a folder for temporary files, and the promise to clean up.
prepare() {
    ensure_docker
    remove_leftovers
    TEST_ID=$(head -c 4 /dev/urandom | od -An -tx1 | tr -d ' ')
    TEST_NAME=pacs-test-$TEST_ID
    TEST_IMAGE=pacs-orthanc:test-$TEST_ID
    TESTS_IMAGE=pacs-tests:$TEST_ID
    make_folder
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ensure_base_images
    copy_ca_certificates
    export_build_mirrors
    say "Building the images"
    build_target runtime "$TEST_IMAGE"
    build_target tests "$TESTS_IMAGE"
}

# /var/tmp is on disk, and the same path holds on both sides of the engine's socket. While this script lives it holds the
# folder's lock (run_docker keeps it from the children); the folder gets its name when it is locked already, so that a
# run that starts beside us never takes it for a leftover.
make_folder() {
    local draft
    draft=$(mktemp -d "$TESTS_PLACE/.pacs-test.XXXXXX")
    exec 9> "$draft/lock"
    flock --nonblock 9
    TEST_FOLDER=$TESTS_PLACE/$TEST_NAME
    mv --no-target-directory "$draft" "$TEST_FOLDER"
}

# What runs that were killed, or ended with the machine, have left: their containers come back with the engine and would
# hold processors, memory and ports.
remove_leftovers() {
    local id
    while read -r id; do
        if run_is_alive "$id"; then continue; fi
        say "Removing what the test run $id left behind"
        remove_run "$id"
    done < <(known_runs)
}

# The identifiers of all test runs that the engine or the disk knows of; they are eight hexadecimal digits.
known_runs() {
    local labels='{{.Label "org.pacs.test"}} {{.Label "com.docker.compose.project"}}'
    {
        run_docker ps --all --format "$labels"
        run_docker network ls --format "$labels"
        run_docker volume ls --format "$labels"
        run_docker image ls --format '{{.Repository}}:{{.Tag}}'
        find "$TESTS_PLACE" -maxdepth 1 -name 'pacs-test-*' -printf '%f\n'
    } 2> /dev/null \
        | tr ' ' '\n' | sed -n -E 's/^(pacs-test-|pacs-orthanc:test-|pacs-tests:)?([0-9a-f]{8})([^0-9a-f].*)?$/\2/p' | sort -u
}

# run_is_alive ID: its folder's lock is held. One that another user's folder hides from us counts as alive; of one without
# a lock (an older version of this script) the container that runs the tests tells.
run_is_alive() {
    local folder=$TESTS_PLACE/pacs-test-$1
    if [[ -e $folder/lock ]]; then
        ! flock --nonblock "$folder/lock" true
    elif [[ -d $folder && ! -x $folder ]]; then
        return 0
    else
        [[ -n $(run_docker ps --quiet --filter "name=^pacs-test-$1-runner\$") ]]
    fi
}

# includes_e2e PYTEST-ARGUMENT…: a path below tests/e2e or tests/live, or no path at all.
includes_e2e() {
    local argument paths=no
    for argument in "$@"; do
        [[ $argument != tests/e2e* && $argument != tests/live* ]] || return 0
        [[ $argument != tests/* ]] || paths=yes
    done
    [[ $paths == no ]]
}

# What ./pacs up of the e2e tests will need, built before their clocks run.
build_stack() {
    say "Building the images of the stack"
    COMPOSE_PROJECT_NAME=$TEST_NAME ENV_FILE=$ROOT/.env.example PACS_ADMIN_PASSWORD=- PACS_POSTGRES_PASSWORD=- \
        compose --progress plain build > "$TEST_FOLDER/build.log" 2>&1 &
    wait $! || {
        tail -n 25 "$TEST_FOLDER/build.log" >&2
        fail "The images of the stack could not be built; the lines above say why."
    }
}

build_target() {
    run_docker build --quiet --file "$ROOT/orthanc-plugins/Dockerfile" --target "$1" --tag "$2" \
        --build-arg "DEBIAN_MIRROR=$(setting PACS_DEBIAN_MIRROR)" \
        --build-arg "PIP_INDEX_URL=$PACS_PIP_INDEX_URL" --build-arg "PIP_EXTRA_INDEX_URL=$PACS_PIP_EXTRA_INDEX_URL" \
        "$ROOT" > "$TEST_FOLDER/build.log" 2>&1 &
    # Waited for, so that a signal does not have to wait for the build.
    wait $! || {
        tail -n 25 "$TEST_FOLDER/build.log" >&2
        fail "The image '$1' could not be built; the lines above say why."
    }
}

# The checkout and the temporary folder have the same path inside, so that what the tests mount into further containers
# is what the engine finds. The host's network: those containers publish their ports on its loopback address.
in_tests_container() {
    local code=0 container=$TEST_NAME-runner screenshots=()
    # PACS_SCREENSHOTS=FOLDER keeps what the browser tests saw.
    if [[ -n ${PACS_SCREENSHOTS:-} ]]; then
        mkdir -p "$PACS_SCREENSHOTS"
        screenshots=(--volume "$(realpath "$PACS_SCREENSHOTS"):/screenshots" --env PACS_SCREENSHOTS=/screenshots)
    fi
    run_docker run --detach --name "$container" --label "org.pacs.test=$TEST_ID" --init --network host \
        --volume /var/run/docker.sock:/var/run/docker.sock --volume "$ROOT:$ROOT" --volume "$TEST_FOLDER:$TEST_FOLDER" \
        --workdir "$ROOT" \
        --env "TMPDIR=$TEST_FOLDER" --env "HOME=$TEST_FOLDER" --env "HYPOTHESIS_STORAGE_DIRECTORY=$TEST_FOLDER/hypothesis" \
        --env GIT_CONFIG_COUNT=1 --env GIT_CONFIG_KEY_0=safe.directory --env 'GIT_CONFIG_VALUE_0=*' \
        --env TESTCONTAINERS_RYUK_DISABLED=true --env TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 \
        --env "PACS_TEST_ID=$TEST_ID" --env "PACS_TEST_IMAGE=$TEST_IMAGE" --env "PACS_TEST_POSTGRES_IMAGE=$POSTGRES_IMAGE" \
        --env "PACS_DEBIAN_MIRROR=$(setting PACS_DEBIAN_MIRROR)" \
        --env "PACS_PIP_INDEX_URL=$PACS_PIP_INDEX_URL" --env "PACS_PIP_EXTRA_INDEX_URL=$PACS_PIP_EXTRA_INDEX_URL" \
        --env "PACS_NPM_REGISTRY=$PACS_NPM_REGISTRY" "${screenshots[@]}" \
        "$TESTS_IMAGE" "$@" > /dev/null
    # Detached and followed: Ctrl-C then reaches this script alone, which takes everything down.
    run_docker logs --follow "$container" 2>&1 9>&- &
    wait $! || true
    code=$(run_docker wait "$container")
    run_docker rm --force "$container" > /dev/null
    if [[ $code -ne 0 ]]; then
        trap - ERR
        exit "$code"
    fi
}

check_style() {
    say "Lint and types"
    # shellcheck disable=SC2016  # expanded inside the container
    in_tests_container bash -euc '
        ruff check --no-cache .
        ruff format --no-cache --check --quiet . || { ruff format --no-cache --check .; exit 1; }
        mypy --cache-dir "$TMPDIR/mypy"
        shellcheck --external-sources pacs .ci/run scripts/*.sh scripts/base-images/*.sh scripts/base-images/*/*.sh \
            dcm4chee/*.sh xnat/*.sh config/nginx/start.sh
    '
}

# Biome, TypeScript and vitest, where the site is built.
check_dashboard() {
    run_docker build --quiet --file "$ROOT/dashboard/Dockerfile" --target check --build-arg "NPM_REGISTRY=$PACS_NPM_REGISTRY" \
        "$ROOT" > "$TEST_FOLDER/dashboard.log" 2>&1 || {
        tail -n 40 "$TEST_FOLDER/dashboard.log" >&2
        fail "The dashboard's own checks failed; the lines above say why."
    }
}

clean_up() {
    trap - ERR INT TERM
    set +e
    jobs -p | xargs -r kill 2> /dev/null
    remove_run "$TEST_ID"
}

# remove_run ID: containers by our label, by our image or by a Compose project of our name; then what they used.
remove_run() {
    local id=$1 name=pacs-test-$1 kind
    {
        {
            run_docker ps --all --quiet --filter "label=org.pacs.test=$id"
            # By its name: a user's stack may run the same image under another one.
            run_docker ps --all --format '{{.ID}} {{.Image}}' | awk -v image="pacs-orthanc:test-$id" '$2 == image { print $1 }'
            run_docker ps --all --format '{{.ID}} {{.Label "com.docker.compose.project"}}' | of_project "$name"
        } | sort -u | xargs -r "${DOCKER[@]}" rm --force --volumes
        for kind in volume network; do
            {
                run_docker "$kind" ls --quiet --filter "label=org.pacs.test=$id"
                run_docker "$kind" ls --format '{{.Name}} {{.Label "com.docker.compose.project"}}' | of_project "$name"
            } | sort -u | xargs -r "${DOCKER[@]}" "$kind" rm
        done
        {
            echo "pacs-orthanc:test-$id"
            echo "pacs-tests:$id"
            run_docker image ls --format '{{.Repository}}:{{.Tag}}' | grep "^$name"
        } | xargs -r "${DOCKER[@]}" image rm --force
    } > /dev/null 2>&1 || true
    local folders=("$TESTS_PLACE/$name"*)
    rm -rf --one-file-system "${folders[@]}" 2> /dev/null || as_root rm -rf --one-file-system "${folders[@]}"
}

of_project() { awk -v name="$1" 'index($2, name) == 1 { print $1 }'; }

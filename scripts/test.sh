# shellcheck shell=bash
# ./pacs test and ./pacs bench: everything runs in containers of its own, under a name of its own, and goes away with it.
# shellcheck source=scripts/install-docker.sh
. "$ROOT/scripts/install-docker.sh"
# shellcheck source=scripts/mirrors.sh
. "$ROOT/scripts/mirrors.sh"
# shellcheck source=scripts/base-images.sh
. "$ROOT/scripts/base-images.sh"

run_test() {
    local suites=() suite
    for suite in unit integration e2e; do
        if [[ ${1:-} == "$suite" ]]; then
            suites=("tests/$suite")
            shift
            break
        fi
    done
    prepare
    check_style
    say "Tests"
    in_tests_container pytest "${suites[@]}" "$@"
}

run_bench() {
    prepare
    say "Benchmarks"
    in_tests_container env PYTHONPATH=orthanc-plugins:tests python -m benchmarks.run "$@"
}

# The engine, the images, a folder for temporary files, and the promise to clean up.
prepare() {
    ensure_docker
    TEST_ID=$(head -c 4 /dev/urandom | od -An -tx1 | tr -d ' ')
    TEST_NAME=pacs-test-$TEST_ID
    TEST_IMAGE=pacs-orthanc:test-$TEST_ID
    TESTS_IMAGE=pacs-tests:$TEST_ID
    # /var/tmp is on disk, and the same path holds on both sides of the engine's socket.
    TEST_FOLDER=$(mktemp -d "/var/tmp/$TEST_NAME.XXXXXX")
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

build_target() {
    run_docker build --quiet --file "$ROOT/orthanc-plugins/Dockerfile" --target "$1" --tag "$2" \
        --build-arg "DEBIAN_MIRROR=$(setting PACS_DEBIAN_MIRROR)" \
        --build-arg "PIP_INDEX_URL=$PACS_PIP_INDEX_URL" --build-arg "PIP_EXTRA_INDEX_URL=$PACS_PIP_EXTRA_INDEX_URL" \
        "$ROOT" > "$TEST_FOLDER/build.log" 2>&1 || {
        tail -n 25 "$TEST_FOLDER/build.log" >&2
        fail "The image '$1' could not be built; the lines above say why."
    }
}

# The checkout and the temporary folder have the same path inside, so that what the tests mount into further containers
# is what the engine finds. The host's network: those containers publish their ports on its loopback address.
in_tests_container() {
    local code=0 container=$TEST_NAME-runner
    run_docker run --detach --name "$container" --label "org.pacs.test=$TEST_ID" --init --network host \
        --volume /var/run/docker.sock:/var/run/docker.sock --volume "$ROOT:$ROOT" --volume "$TEST_FOLDER:$TEST_FOLDER" \
        --workdir "$ROOT" \
        --env "TMPDIR=$TEST_FOLDER" --env "HOME=$TEST_FOLDER" --env "HYPOTHESIS_STORAGE_DIRECTORY=$TEST_FOLDER/hypothesis" \
        --env GIT_CONFIG_COUNT=1 --env GIT_CONFIG_KEY_0=safe.directory --env 'GIT_CONFIG_VALUE_0=*' \
        --env TESTCONTAINERS_RYUK_DISABLED=true --env TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 \
        --env "PACS_TEST_ID=$TEST_ID" --env "PACS_TEST_IMAGE=$TEST_IMAGE" --env "PACS_TEST_POSTGRES_IMAGE=$POSTGRES_IMAGE" \
        --env "PACS_DEBIAN_MIRROR=$(setting PACS_DEBIAN_MIRROR)" \
        --env "PACS_PIP_INDEX_URL=$PACS_PIP_INDEX_URL" --env "PACS_PIP_EXTRA_INDEX_URL=$PACS_PIP_EXTRA_INDEX_URL" \
        "$TESTS_IMAGE" "$@" > /dev/null
    # Detached and followed: Ctrl-C then reaches this script alone, which takes everything down.
    run_docker logs --follow "$container" 2>&1 &
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
        shellcheck --external-sources pacs .ci/run scripts/*.sh scripts/base-images/*.sh scripts/base-images/*/*.sh
    '
}

# Whatever happened. Containers by our label, by our image or by a Compose project of our name; then what they used.
clean_up() {
    trap - ERR INT TERM
    set +e
    {
        {
            run_docker ps --all --quiet --filter "label=org.pacs.test=$TEST_ID"
            run_docker ps --all --quiet --filter "ancestor=$TEST_IMAGE"
            run_docker ps --all --format '{{.ID}} {{.Label "com.docker.compose.project"}}' | of_our_projects
        } | sort -u | xargs -r "${DOCKER[@]}" rm --force --volumes
        for kind in volume network; do
            {
                run_docker "$kind" ls --quiet --filter "label=org.pacs.test=$TEST_ID"
                run_docker "$kind" ls --format '{{.Name}} {{.Label "com.docker.compose.project"}}' | of_our_projects
            } | sort -u | xargs -r "${DOCKER[@]}" "$kind" rm
        done
        {
            echo "$TEST_IMAGE"
            echo "$TESTS_IMAGE"
            run_docker image ls --format '{{.Repository}}:{{.Tag}}' | grep "^$TEST_NAME"
        } | xargs -r "${DOCKER[@]}" image rm --force
    } > /dev/null 2>&1
    rm -rf --one-file-system "$TEST_FOLDER" 2> /dev/null || as_root rm -rf --one-file-system "$TEST_FOLDER"
}

of_our_projects() { awk -v name="$TEST_NAME" 'index($2, name) == 1 { print $1 }'; }

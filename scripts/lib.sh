# shellcheck shell=bash
# Words that the scripts of this folder share. Sourced, never run.

program="scripts/${0##*/}"

# What a script tells goes to standard error; standard output is for results alone.
say() {
    printf '%s: %s\n' "$program" "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# The first folder with PostgreSQL's server programs of the given major version, or of any from 15 on.
postgres_programs() {
    local wanted=${1:-} folder version
    for folder in /usr/lib/postgresql/{15,16,17,18}/bin "$(dirname "$(command -v postgres || echo /)")"; do
        [[ -x $folder/postgres && -x $folder/initdb && -x $folder/pg_ctl ]] || continue
        version=$("$folder/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
        if [[ -n $wanted && $version == "$wanted" ]] || [[ -z $wanted && $version -ge 15 ]]; then
            echo "$folder"
            return 0
        fi
    done
    return 1
}

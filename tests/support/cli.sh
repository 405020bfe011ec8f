# What the scripts of tests/cli share: `. "$(dirname "$0")/../support/cli.sh"` with the program as $1. They run in a folder of
# their own, which goes when they end. $k: the program; $samples: the logs of samples/; n, bad: for TAP's last lines.
case $1 in
/*) k=$1 ;;
*) k=$PWD/$1 ;;
esac
samples=$PWD/samples
n=0
bad=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

in=/dev/null # standard input of what is checked
chatty=      # not empty: a message that no check asks for is none of its business

# NAME, WHY ("" when it is right)
verdict() {
    n=$((n + 1))
    if [ -z "$2" ]; then printf '%s\n' "ok $n - $1"; else # not echo: names hold backslashes
        printf '%s\n' "not ok $n - $1: $2"
        bad=1
    fi
}

# NAME, EXIT CODE, OUTPUT (lines joined by blanks), WORDS that standard error must hold ("": it must be empty), then the
# arguments.
check() {
    name=$1 code=$2 want=$3 words=$4
    shift 4
    "$k" "$@" <"$in" >out 2>err
    got=$?
    text=$(tr '\n' ' ' <out | sed 's/ $//')
    why=
    [ "$got" = "$code" ] || why="exit code $got, not $code"
    [ "$text" = "$want" ] || why="$why; output '$text'"
    if [ -z "$words" ]; then
        [ -n "$chatty" ] || [ ! -s err ] || why="$why; message '$(cat err)'"
    else
        grep -qF -- "$words" err || why="$why; message '$(cat err)'"
    fi
    verdict "$name" "$why"
}

# NAME, EXIT CODE, WORDS that what is printed, on either stream, must hold, then the arguments.
says() {
    name=$1 code=$2 words=$3
    shift 3
    "$k" "$@" <"$in" >out 2>&1
    got=$?
    why=
    [ "$got" = "$code" ] || why="exit code $got, not $code"
    grep -qF -- "$words" out || why="$why; output '$(cat out)'"
    verdict "$name" "$why"
}

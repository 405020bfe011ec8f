#!/bin/sh
# One file of many chunks gives the same bytes on 1, 2 and 8 threads, in every format, and nothing is lost between
# chunks that one worker reads together. As TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"
chatty=yes

chunks() { tail -c +4097 "$samples/workstation.evtx"; }
have=$((($(wc -c <"$samples/workstation.evtx") - 4096) / 65536))
times=$((300 / have))
head -c 4096 "$samples/workstation.evtx" >many.evtx
i=0
while [ $i -lt $times ]; do
    chunks >>many.evtx
    i=$((i + 1))
done
# In the middle of the file a chunk lost its header, and the last one is cut.
cp many.evtx hurt.evtx
head -c 512 /dev/zero | dd of=hurt.evtx bs=1 seek=$((4096 + 65536 * 101)) conv=notrunc 2>/dev/null
head -c $((4096 + 65536 * (times * have - 1) + 30000)) hurt.evtx >cut && mv cut hurt.evtx

# Logs in one file, one after another; the first one is cut in its last chunk, so that the second stands off its place.
chunks >two && head -c 4096 "$samples/workstation.evtx" | cat - two >one.evtx
{ cat many.evtx && cat one.evtx; } >joined.evtx
{ cat hurt.evtx && cat many.evtx; } >joined-cut.evtx
gzip -c many.evtx >joined.evtx.gz && gzip -c one.evtx >>joined.evtx.gz

one=$("$k" query 'Event | count' --on "$samples/workstation.evtx" --format csv | tail -n 1)
check "every record of every chunk" 0 "{\"Count\":$((one * times))}" '' query 'Event | count' --on many.evtx --threads 2
for threads in 1 2 8; do
    check "every record of logs that were joined, $threads threads" 0 "{\"Count\":$((one * (times + 1)))}" '' \
        query 'Event | count' --on joined.evtx --threads $threads
done
check "every record of logs that were packed and joined" 0 "{\"Count\":$((one * (times + 1)))}" '' \
    query 'Event | count' --on joined.evtx.gz
in=joined.evtx
check "every record of joined logs on standard input" 0 "{\"Count\":$((one * (times + 1)))}" '' query 'Event | count' --on -
in=/dev/null
check "a count that is reached ends the reading" 0 '{"n":7}' '' query 'Event | take 7 | summarize n = count()' --on many.evtx --threads 2

# What the workers keep is bounded however many they are, also of a table with hundreds of columns and of a slow reader.
for format in ndjson json; do
    "$k" query 'SecurityEvent | union Event' --on joined.evtx --threads 8 --format $format --stats 2>err |
        while head -c 1000000 | grep -q .; do sleep 0.005; done
    peak=$(sed -n 's/.*peak memory \([0-9]*\)[.0-9]* MB$/\1/p' err)
    why=
    [ "${peak:-1000}" -lt 64 ] || why="${peak:-no} MB"
    verdict "8 threads stay below 64 MB, $format" "$why"
done

# NAME, QUERY, FILE: in all formats and on all numbers of threads what one thread says, rows and damage
same() {
    name=$1
    for format in ndjson csv json table; do
        for threads in 1 2 8; do
            "$k" query "$2" --on "$3" --threads $threads --format $format >"out$threads" 2>"err$threads"
        done
        why=
        [ -s out1 ] || why="no rows"
        for threads in 2 8; do
            cmp -s out1 out$threads || why="$why; rows differ on $threads threads"
            cmp -s err1 err$threads || why="$why; damage differs on $threads threads"
        done
        verdict "$name, $format" "$why"
    done
}
same "whole events" WindowsEvent many.evtx
same "events whose data are XML" Event hurt.evtx
same "logs joined after a cut" 'Event | project TimeGenerated, EventID, EventData' joined-cut.evtx
same "few rows, which ask for their parents" \
    'DeviceProcessEvents | where FileName =~ "cmd.exe" | project Timestamp, ProcessCommandLine, InitiatingProcessParentFileName, InitiatingProcessSHA1' many.evtx
same "rows in the order of the file up to a count" 'Event | where EventID == 1 | take 2500 | project TimeGenerated, EventData' hurt.evtx
echo "1..$n"
exit $bad

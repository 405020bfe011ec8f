#!/bin/sh
# Columns that sources write as JSON themselves, because nobody looks at them on their way to the result, are byte for
# byte what values give (--no-optimize makes values of all). As TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"
chatty=yes

"$k" query 'WindowsEvent' --on "$samples" --format ndjson >events.ndjson 2>/dev/null

# NAME, QUERY, PATH...: every format, with values and without
same() {
    name=$1 query=$2
    shift 2
    for format in ndjson json csv; do
        for threads in 1 2; do
            "$k" query "$query" --on "$@" --format $format --threads 1 --no-optimize >values 2>errors
            "$k" query "$query" --on "$@" --format $format --threads $threads >written 2>errors2
            why=
            [ "$(wc -l <values)" -gt 0 ] || why="no rows: $(cat errors)"
            cmp -s values written || why="$why; differs: $(cmp values written 2>&1)"
            verdict "$name, $format, $threads" "$why"
        done
    done
}

same 'WindowsEvent whole' 'WindowsEvent' "$samples"
same 'Event whole' 'Event' "$samples"
same 'renamed, others dropped' 'WindowsEvent | project A = EventData, EventID' "$samples"
same 'named twice' 'WindowsEvent | project A = EventData, B = EventData' "$samples"
same 'looked at above, under another name' "Event | project A = EventData, B = EventData | where B has 'Image'" "$samples"
same 'looked at and kept' "WindowsEvent | where EventData has 'exe'" "$samples"
same 'rows kept in between' 'Event | project EventData, TimeGenerated, EventID | sort by TimeGenerated desc, EventID asc' "$samples"
same 'the first rows' 'WindowsEvent | top 7 by EventRecordId desc' "$samples"
same 'taken' 'Event | take 9' "$samples"
same 'replaced' 'WindowsEvent | extend EventData = tostring(EventData.Image)' "$samples"
same 'beside what is made of it' 'WindowsEvent | extend Image = EventData.Image' "$samples"
same 'two legs' 'union (WindowsEvent | project EventData), (WindowsEvent | project EventData)' "$samples"
same 'from the scan that a query inside reads too' \
    'let T = WindowsEvent; T | where tostring(EventID) in ((T | where EventData has "exe" | distinct tostring(EventID)))' "$samples"
same 'a table of exports' 'WindowsEvent' events.ndjson
echo "1..$n"
exit $bad

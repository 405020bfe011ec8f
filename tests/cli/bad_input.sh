#!/bin/sh
# Damaged, missing and packed input from the command line: exit codes, messages, and what is still read. As TAP. Takes
# the program.
. "$(dirname "$0")/../support/cli.sh"

: >empty.evtx
mkdir none
echo hi >none/readme.txt
printf 'TimeGenerated [UTC],DeviceName,FileName\n"10/25/2023, 9:43:21.990 AM",a,cmd.exe\n2023-10-25,b\n' >short.csv
printf 'TimeGenerated,DeviceName,FileName,ProcessCommandLine\n2023-10-25,a,cmd.exe,x\n2023-10-25,b\n' >wide.csv
printf 'a,b\n1,2,3\n4,5\n' >long.csv
printf 'a,b\n1,2\n3,"open\n4,5\n' >quote.csv
printf 'a,b\n' >header.csv
printf '{"a":1}\n{"a":\n{"a":3}\n' >broken.ndjson
printf '\357\273\277{"a":1}\r\n\r\n{"a":2}\r\n' >bom.ndjson
printf '[{"a":1},{"a":2},{"a":' >cut.json
i=0
while [ $i -lt 3000 ]; do
    echo "{\"a\":$i,\"b\":\"$((i * 7919 % 10007))\"}"
    i=$((i + 1))
done >many.ndjson
gzip -c many.ndjson >many.ndjson.gz
head -c 9000 many.ndjson.gz >cut.ndjson.gz
cat many.ndjson.gz many.ndjson.gz >two.ndjson.gz

check "an empty EVTX" 3 '{"Count":0}' 'empty.evtx at byte 0: the file is empty' query 'SecurityEvent | count' --on empty.evtx
check "a missing file" 3 '' 'missing.evtx: No such file' query 'SecurityEvent | count' --on missing.evtx
check "a missing file beside one that can be read" 3 '{"Count":3000}' 'missing.evtx: No such file' query 'T | count' \
    --on missing.evtx --as T=many.ndjson
mkdir empties
: >empties/a.evtx
: >empties/b.evtx
says "each of two empty files is told" 3 'empties/a.evtx at byte 0: the file is empty' inspect empties
says "also the second" 3 'empties/b.evtx at byte 0: the file is empty' inspect empties
check "a folder without logs" 3 '' 'none: no logs in this folder' query 'SecurityEvent | count' --on none
check "a short row is given, and reported" 3 '{"FileName":"cmd.exe"} {"FileName":""}' 'at byte 79: the row has 2 fields' \
    query 'DeviceProcessEvents | project FileName' --as DeviceProcessEvents=short.csv
check "a portal export is recognised" 3 '{"DeviceName":"a"} {"DeviceName":"b"}' 'damaged: short.csv at' \
    query 'DeviceProcessEvents | project DeviceName' --on short.csv
check "a long row is no row, and reported" 3 '{"n":1}' 'the row has 3 fields, the header 2: skipped' \
    query 'T | summarize n=count()' --as T=long.csv
check "an open quote costs its line only" 3 '{"b":"2"} {"b":"5"}' 'a quoted field does not end' \
    query 'T | project b=tostring(b)' --as T=quote.csv
check "a header alone" 0 '{"Count":0}' '' query 'T | count' --as T=header.csv
check "a broken line; the next one is read" 3 '{"a":1} {"a":3}' 'broken.ndjson at byte 8: the record is cut off' \
    query 'T | project a' --as T=broken.ndjson
check "BOM, CRLF and blank lines" 0 '{"a":1} {"a":2}' '' query 'T | project a' --as T=bom.ndjson
check "a cut array gives what came before" 3 '{"a":1} {"a":2}' 'cut.json at byte 17:' query 'T | project a' --as T=cut.json
awk 'BEGIN { printf "print Tomorrow=strlen(strcat(\"\""; for (i = 0; i < 20000; i++) printf ", \"%04d\"", i % 10000; print "))" }' >long.kql
check "a table's header after a long query" 0 "Tomorrow --------    80000" "" query --file long.kql --format table
for text in '[{"a":1},{"a":2},' '[{"a":1},{"a":2}' '{"records":[{"a":1},{"a":2}' '{"records":[{"a":1},{"a":2}],"more":' \
    '{"tables":[{"name":"T","columns":[{"name":"a","type":"long"}],"rows":[[1],[2]' \
    '{"tables":[{"name":"T","columns":[{"name":"a","type":"long"}],"rows":[[1],[2]]}'; do
    printf '%s' "$text" >ends.json
    check "an end inside $text" 3 '{"a":1} {"a":2}' "ends.json at byte ${#text}: the file ends inside the array of its records" \
        query 'T | project a' --as T=ends.json
done
for text in '[{"a":1},{"a":2}]' '[{"a":1}] [{"a":2}]' '{"records":[{"a":1},{"a":2}]}' '{"records":[{"a":1}]} {"records":[{"a":2}]}' \
    '[[{"a":1}],[{"a":2}]]'; do
    printf '%s\n' "$text" >ends.json
    check "whole: $text" 0 '{"a":1} {"a":2}' '' query 'T | project a' --as T=ends.json
done
printf 'TimeGenerated,DeviceName,FileName,ProcessId\nnot a time,a,x,1\n,a,x,\n2024-01-01,a,y,abc\nnever,a,z,0x10\n' >unfit.csv
check "values that are no time" 3 '{"n":4,"t":1}' "unfit.csv at byte 44: TimeGenerated is no datetime: 'not a time' (and 1 more)" \
    query 'DeviceProcessEvents | summarize n=count(), t=countif(isnotnull(TimeGenerated))' --as DeviceProcessEvents=unfit.csv
check "a value that is no number" 3 '{"FileName":"x"}' "unfit.csv at byte 67: ProcessId is no long: 'abc'" \
    query 'DeviceProcessEvents | where ProcessId == 1 | project FileName' --as DeviceProcessEvents=unfit.csv
check "they are not looked at without need" 0 '{"Count":4}' '' query 'DeviceProcessEvents | count' --as DeviceProcessEvents=unfit.csv
printf '{"ProcessId":1,"FileName":"a"}\n{"ProcessId":null,"FileName":"b"}\n{"ProcessId":"abc"}\n{"ProcessId":{"a":1}}\n' >unfit.ndjson
check "nor in NDJSON" 3 '{"ProcessId":1} {"ProcessId":null} {"ProcessId":null} {"ProcessId":null}' \
    "unfit.ndjson at byte 65: ProcessId is no long: 'abc' (and 1 more)" query 'DeviceProcessEvents | project ProcessId' \
    --as DeviceProcessEvents=unfit.ndjson
echo '{"zzz":1,"yyy":2}' >what.json
echo '[]' >nothing.json
printf 'zzz,yyy\n1,2\n' >what.csv
echo '{"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":1,"Channel":"C","Computer":"c","TimeCreated":{"#attributes":{"SystemTime":"2024-01-01T00:00:00Z"}}}}}' >dump.json
printf 'name: n\nquery: Event\n' >any.yaml
for file in what.json what.csv; do
    check "$file is told by query" 0 '{"Count":0}' "note: $file: ${file#what.} of no table that kequel knows" query 'Event | count' --on $file
    check "$file is told by run" 0 '' "note: $file: ${file#what.} of no table that kequel knows" run any.yaml --on $file
    check "$file is told by inspect" 0 '' "note: $file: ${file#what.} of no table that kequel knows" inspect $file
done
check "a file with nothing is told" 0 '' 'note: nothing.json: json without a record' inspect nothing.json
check "one that maps read is not" 0 '{"Count":1}' '' query 'Event | count' --on dump.json
printf 'Timestamp,DeviceName,FileName,FileName,FileName\n2024-01-01,d,a,b,c\n' >twice.csv
check "columns of one name are told apart" 0 '{"FileName":"a","FileName1":"b","FileName2":"c"}' '' \
    query 'T | project FileName, FileName1, FileName2' --as T=twice.csv
check "of a known table the first counts, and that is told" 0 '{"FileName":"a"}' 'twice.csv: two columns are named FileName' \
    query 'DeviceProcessEvents | project FileName' --as DeviceProcessEvents=twice.csv
printf 'a,a1,a\n1,2,3\n' >twice.csv
check "and a name that is there is not taken" 0 '{"a":1,"a1":2,"a2":3}' '' query 'T | project a, a1, a2' --as T=twice.csv
says "the bytes of a CSV are counted" 0 "bytes $(wc -c <unfit.csv), " query 'DeviceProcessEvents | count' --stats --as DeviceProcessEvents=unfit.csv
i=0
(
    printf 'a,b\r\n'
    while [ $i -lt 5000 ]; do # chunks of the stream split characters: each has three bytes, and pairs of surrogates stand at odd places
        printf '%s,\303\251\360\237\230\200\342\202\254\r\n' $i
        i=$((i + 1))
    done
) >wide8.csv
for order in LE BE; do
    mark='\377\376'
    [ $order = LE ] || mark='\376\377'
    (printf "$mark" && iconv -t UTF-16$order wide8.csv) >wide16.csv
    check "CSV in UTF-16$order" 0 "$("$k" query 'T | summarize n=count(), s=sum(a), h=hash(strcat_array(make_list(b), ""))' --as T=wide8.csv)" '' \
        query 'T | summarize n=count(), s=sum(a), h=hash(strcat_array(make_list(b), ""))' --as T=wide16.csv
    gzip -c wide16.csv >wide16.csv.gz
    check "packed" 0 '{"Count":5000}' '' query 'T | where b == "\u00e9\U0001f600\u20ac" | count' --as T=wide16.csv.gz
    (printf "$mark" && printf '{"FileName":"\360\237\230\200"}\r\n{"FileName":"b"}\r\n' | iconv -t UTF-16$order) >wide16.json
    check "JSON in UTF-16$order" 0 "$(printf '{"FileName":"\360\237\230\200"} {"FileName":"b"}')" '' query 'T | project FileName' --as T=wide16.json
    (cat wide16.json && printf x) >odd16.json
    check "an odd byte at its end is told" 3 '{"Count":2}' 'the UTF-16 ends within a character' query 'T | count' --as T=odd16.json
done
printf '\377\376a\0\r\0\n\0x\0\0\330y\0\r\0\n\0' >lone.csv
check "a lone surrogate is U+FFFD" 0 "$(printf '{"a":"x\357\277\275y"}')" '' query 'T | project a' --as T=lone.csv
check "gzip" 0 '{"Count":3000}' '' query 'T | count' --as T=many.ndjson.gz
check "gzip members one after another" 0 '{"Count":6000}' '' query 'T | count' --as T=two.ndjson.gz
check "a truncated gzip is reported" 3 '{"early":true,"late":false}' 'the gzip file is cut off' \
    query 'T | summarize n=count() | project early=n>1000, late=n>=3000' --as T=cut.ndjson.gz
gzip -c "$samples/workstation.evtx" | head -c 2000 >cut.evtx.gz
says "a truncated EVTX in gzip is told as such" 3 'the gzip file is cut off' inspect cut.evtx.gz
in=many.ndjson
check "standard input" 0 '{"Count":3000}' '' query 'T | count' --as T=-
in=many.ndjson.gz
check "packed standard input" 0 '{"Count":3000}' '' query 'T | count' --as T=-
in=cut.ndjson.gz
check "truncated standard input" 3 '{"r":true}' 'the gzip file is cut off' query 'T | summarize n=count() | project r=n>1000' --as T=-
in=wide.csv
check "standard input is recognised" 3 '{"Count":2}' 'the row has 2 fields' query 'DeviceProcessEvents | count' --on -
in=/dev/null
if command -v zstd >/dev/null; then
    zstd -q many.ndjson
    check "zstd" 0 '{"Count":3000}' '' query 'T | count' --as T=many.ndjson.zst
    head -c 100 many.ndjson.zst >none.zst
    check "a zstd of which nothing can be read" 3 '{"Count":0}' 'none.zst at byte 0: the zstd file is cut off' \
        query 'DeviceProcessEvents | count' --as DeviceProcessEvents=none.zst
    i=0
    while [ $i -lt 8 ]; do
        cat many.ndjson
        i=$((i + 1))
    done | zstd -q >long.zst
    head -c $(($(wc -c <long.zst) - 20)) long.zst >cut.zst
    check "a truncated zstd gives what came before" 3 '{"early":true,"late":false}' 'the zstd file is cut off' \
        query 'T | summarize n=count() | project early=n>1000, late=n>=24000' --as T=cut.zst
fi
# --- headers of CSV that can't be what they seem

h=Timestamp,DeviceName,FileName,ProcessCommandLine
row=2026-01-01T00:00:00Z,d,a.exe,x
files='DeviceProcessEvents | project FileName'
awk -v h=$h -v r=$row 'BEGIN { printf "%s", h; for (i = 0; i < 7000; i++) printf ",column%d", i; print ""; print r }' >wide.csv
check "a header of more than 64 KiB is refused, not cut" 3 '' 'wide.csv at byte 0: the header does not end within the first 64 KiB' \
    query "$files" --as DeviceProcessEvents=wide.csv
awk -v h=$h -v r=$row 'BEGIN { printf "\"%s\n", h; for (i = 0; i < 3000; i++) print r }' >wide.csv
check "or one with a quote that is not closed" 3 '' 'does not end within the first 64 KiB' query "$files" --on wide.csv
awk -v h=$h -v r=$row 'BEGIN { printf "%s,", h; for (i = length(h) + 1; i < 65535; i++) printf "c"; print ""; print r "," }' >wide.csv
check "one of 64 KiB is read" 0 '{"FileName":"a.exe"}' '' query "$files" --on wide.csv
printf '%s\r%s\r' $h $row >cr.csv
check "lines that end in CR alone are told" 3 '' 'cr.csv at byte 0: its lines end in CR alone' query "$files" --on cr.csv
printf '%s\n%s\r%s\r' $h $row $row >cr.csv
check "also behind a header" 3 '' 'the row has 7 fields, the header 4: skipped' query "$files" --on cr.csv
printf '\357\273\277%s\n%s\n' $h $row >bom.csv
check "a byte order mark is no part of a name" 0 '{"FileName":"a.exe"}' '' query "DeviceProcessEvents | where Timestamp > datetime(2025-01-01) | project FileName" --on bom.csv


# A cell or a line of 70 MB: skipped to its end, and not held.
long() {
    printf "$1"
    head -c 70000000 /dev/zero | tr '\0' 'x'
    printf "$2"
}
long 'TimeGenerated,DeviceName,FileName\n2023-10-25,a,f\n2023-10-25,b,"' '"\n2023-10-25,c,"g,\n"\n' >cell.csv
long '{"DeviceName":"a"}\n{"DeviceName":"b","FileName":"' '"}\n{"DeviceName":"c"}\n' >line.ndjson
for file in cell.csv line.ndjson; do
    check "a record of 70 MB, $file" 3 '{"DeviceName":"a"} {"DeviceName":"c"}' 'a record is longer than 4 MiB: skipped' \
        query 'DeviceProcessEvents | project DeviceName' --as DeviceProcessEvents=$file
    "$k" query 'DeviceProcessEvents | count' --as DeviceProcessEvents=$file --threads 8 --stats >out 2>err
    peak=$(sed -n 's/.*peak memory \([0-9]*\)[.0-9]* MB$/\1/p' err)
    why=
    [ "${peak:-1000}" -lt 40 ] || why="${peak:-no} MB"
    verdict "and it takes no memory" "$why"
done

# Lines that each open a quoted field: the work does not grow with their square.
printf 'a,b\n1,2\n' >quotes.csv
yes '"a,b' | head -n 200000 >>quotes.csv
check "200,000 quotes that are never closed" 3 '{"Count":1}' 'at byte 8: a quoted field does not end' query 'T | count' \
    --as T=quotes.csv
echo "1..$n"
exit $bad

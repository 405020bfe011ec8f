#!/bin/sh
# Tables and exports of Sentinel and Defender from the command line, as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

# --- tables without data

echo '{"EventID":1}' >one.json
check "a table of Log Analytics that no map fills is empty, and that is said" 0 '{"Count":0}' \
    'no input here has data of the table SigninLogs' query 'SigninLogs | where ResultType != "0" | count'
check "its columns have their types" 0 '{"ColumnType":"dynamic"} {"ColumnType":"datetime"}' '' query \
    'SigninLogs | take 0 | getschema | where ColumnName in ("LocationDetails", "CreatedDateTime") | project ColumnType | sort by ColumnType desc'
check "an unknown table, with a name of the catalogue as the hint" 2 '' "did you mean 'SigninLogs'?" query 'SigninLogz | count'
check "a wildcard that means no table with maps" 0 '{"ColumnType":"string"}' '' query \
    'union AADNonInter* | take 0 | getschema | where ColumnName == "IPAddress" | project ColumnType'
printf 'name: x\nquery: |\n  SigninLogs\n  | where ResultType != "0"\nqueryFrequency: 1h\nqueryPeriod: 1h\n' >rule.yaml
check "a rule over such a table" 0 '' 'no input here has data of the table SigninLogs' run rule.yaml --on one.json --now 2026-01-01
n=$((n + 1))
if [ "$("$k" schema --format csv SigninLogs | grep -c '^TimeGenerated,datetime,')" = 1 ] && [ "$("$k" schema --format csv | wc -l)" -ge 899 ]; then
    echo "ok $n - schema knows them"
else
    echo "not ok $n - schema knows them"
    bad=1
fi

# --- exports of tables that no map fills

printf 'TenantId,TimeGenerated,Facility,HostName,SeverityLevel,SyslogMessage\nt,2026-01-01T00:00:00Z,auth,h,info,hello\n' >x.csv
check "a CSV export is recognised by its columns" 0 '{"Facility":"auth","SyslogMessage":"hello"}' '' query \
    'Syslog | project Facility, SyslogMessage' --on x.csv
printf 'Timestamp,DeviceName,FileName,FolderPath,SHA256\n2026-01-01T00:00:00Z,d,a.exe,C:\\a.exe,ab\n' >files.csv
check "columns that several tables have are told" 0 '{"Count":1}' \
    'files.csv: read as DeviceProcessEvents, but its columns are as well those of DeviceFileEvents, DeviceImageLoadEvents and DeviceEvents; --as' \
    query 'DeviceProcessEvents | count' --on files.csv
check "not where the user says which" 0 '{"Count":1}' '' query 'DeviceFileEvents | count' --as DeviceFileEvents=files.csv
cp files.csv DeviceFileEvents-1.csv
check "nor where the file's name does" 0 '{"Count":1}' '' query 'DeviceFileEvents | count' --on DeviceFileEvents-1.csv
echo '{"Timestamp":"2026-01-01T00:00:00Z","SenderFromAddress":"a@b","NetworkMessageId":"n","Subject":"s"}' >mail.json
check "a JSON export, and its two times" 0 '{"TimeGenerated":"2026-01-01T00:00:00Z","Subject":"s"}' '' query \
    'EmailEvents | project TimeGenerated, Subject' --on mail.json

item='"TimeGenerated":"2026-01-01T00:00:00Z","Type":"Watchlist","WatchlistAlias":"HVA","_DTItemType":"watchlist-item"'
{
    echo "{$item,\"_DTItemId\":\"1\",\"_DTTimestamp\":\"2026-01-01T00:00:00Z\",\"_DTItemStatus\":\"Create\",\"SearchKey\":\"ws01\",\"WatchlistItem\":\"{\\\"Host\\\":\\\"ws01\\\",\\\"Owner\\\":\\\"a\\\"}\"}"
    echo "{$item,\"_DTItemId\":\"1\",\"_DTTimestamp\":\"2026-01-02T00:00:00Z\",\"_DTItemStatus\":\"Update\",\"SearchKey\":\"ws01\",\"WatchlistItem\":{\"Host\":\"ws01\",\"Owner\":\"b\"}}"
    echo "{$item,\"_DTItemId\":\"2\",\"_DTTimestamp\":\"2026-01-02T00:00:00Z\",\"_DTItemStatus\":\"Delete\",\"SearchKey\":\"ws02\",\"WatchlistItem\":{\"Host\":\"ws02\"}}"
} >watchlist.ndjson
check "an exported watchlist has the columns of its file, its newest items and none that were deleted" 0 \
    '{"SearchKey":"ws01","Host":"ws01","Owner":"b"}' '' query '_GetWatchlist("HVA") | project SearchKey, Host, Owner' --on watchlist.ndjson
check "without one, a rule that uses its key binds" 0 '{"n":0}' 'no input here has data of the table' query \
    'let hosts = _GetWatchlist("HVA") | project SearchKey; DeviceProcessEvents | where DeviceName in (hosts) | summarize n = count()' --on x.csv

# --- shapes of exports

cat >mix.ndjson <<'X'
{"TenantId":"t","TimeGenerated":"2026-01-01T00:00:00.123Z","Computer":"c1","EventID":4688,"Type":"SecurityEvent"}
{"TenantId":"t","TimeGenerated":"2026-01-01T00:00:01Z","UserPrincipalName":"u","Type":"SigninLogs","ResultType":"0"}
{"TimeGenerated":"2026-01-01T00:00:01Z","Type":"Other_CL","x":"0"}
X
printf 'TenantId,TimeGenerated [UTC],Computer,Type\r\nt,"1/1/2026, 1:02:03.456 PM",c1,SecurityEvent\r\nt,2026-01-02,c2,Syslog' >mix.csv
check "rows that name their table, NDJSON" 0 \
    '{"T":"SecurityEvent","TimeGenerated":"2026-01-01T00:00:00.123Z","Computer":"c1"} {"T":"SigninLogs","TimeGenerated":"2026-01-01T00:00:01Z","Computer":""}' \
    'mix.ndjson: 1 record of no known shape, the first at byte 231: not read' \
    query 'union withsource=T SecurityEvent, SigninLogs | project T, TimeGenerated, Computer' --on mix.ndjson
check "rows that name their table, CSV of the portal" 0 \
    '{"T":"SecurityEvent","TimeGenerated":"2026-01-01T13:02:03.456Z","Computer":"c1"} {"T":"Syslog","TimeGenerated":"2026-01-02T00:00:00Z","Computer":"c2"}' '' \
    query 'union withsource=T SecurityEvent, Syslog | project T, TimeGenerated, Computer' --on mix.csv
echo '{"Type":"Event","EventID":1,"Computer":"x","Source":"y"}' >type.ndjson
check "a field Type of other logs names no table" 0 '{"Count":1}' '' query 'T | count' --as T=type.ndjson
cat >la.json <<'X'
{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"Computer","type":"string"},{"name":"Type","type":"string"},{"name":"ExtendedProperties","type":"dynamic"}],"rows":[["2026-01-01T00:00:00.1234567Z","c1","SecurityEvent",null],["2026-01-01T00:00:00Z","","SecurityAlert","{\"a\":[1]}"]]}]}
X
check "the answer of the query API" 0 '{"T":"SecurityEvent","Computer":"c1","x":null} {"T":"SecurityAlert","Computer":"","x":1}' '' query \
    'union withsource=T SecurityEvent, SecurityAlert | project T, Computer, x = toint(parse_json(ExtendedProperties).a[0])' --on la.json
echo '{"Stats":{"ExecutionTime":1},"Schema":[{"Name":"Timestamp","Type":"DateTime"}],"Results":[{"Timestamp":"2026-01-01T00:00:00.12Z","DeviceName":"d","FileName":"cmd.exe","ProcessCommandLine":"x"}]}' >hunt.json
echo '{"@odata.context":"u","schema":[{"name":"Timestamp","type":"DateTime"}],"results":[{"Timestamp":"2026-01-01T00:00:00.12Z","DeviceName":"d","FileName":"cmd.exe","ProcessCommandLine":"y"}]}' >graph.json
check "advanced hunting, both APIs" 0 '{"ProcessCommandLine":"x"} {"ProcessCommandLine":"y"}' '' query \
    'DeviceProcessEvents | project ProcessCommandLine' --on hunt.json --on graph.json
echo '{"records":[{"time":"2026-01-01T00:00:09Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-DeviceProcessEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z","FileName":"a.exe"}}]}' >hub.json
echo '{"time":"2026-01-01T00:00:09Z","category":"AdvancedHunting-DeviceProcessEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z","FileName":"b.exe"}}' >append.json
check "Event Hub and append blobs" 0 '{"FileName":"a.exe"} {"FileName":"b.exe"}' '' query 'DeviceProcessEvents | project FileName' \
    --on hub.json --on append.json
echo '{"took":3,"_shards":{"total":1},"hits":{"total":{"value":1},"hits":[{"_index":"i","_source":{"a":1,"b":{"c":2}}}]}}' >es.json
echo '{"_index":"i","_source":{"a":3,"b":{"c":4}}}' >es.ndjson
check "Elasticsearch, answers and lines" 0 '{"a":1,"c":2} {"a":3,"c":4}' '' query 'union T, U | project a, c = toint(b.c)' --as T=es.json --as U=es.ndjson
printf 'Timestamp,DeviceName,FileName,ProcessCommandLine,AdditionalFields\n2026-01-01,d,f,p,"{"a":"b","c":"d"}"\n' >dirty.csv
check "cells of JSON whose quotes are not doubled" 0 '{"FileName":"f","x":"d"}' '' query \
    'DeviceProcessEvents | project FileName, x = tostring(parse_json(AdditionalFields).c)' --on dirty.csv

# --- times

printf 'TenantId,TimeGenerated [Local Time],Computer,Facility,SyslogMessage\nt,"10/25/2023, 9:43:21.990 AM",c1,auth,m\nt,"10/29/2023, 2:30:00 AM",c2,auth,m\nt,"3/26/2023, 2:30:00 AM",c3,auth,m\n' >local.csv
check "a local time is refused, and the option told" 2 '' "local.csv: the times behind 'TimeGenerated' are local" query 'Syslog' --on local.csv
check "the option" 2 '' '--timezone says which' query 'Syslog | where TimeGenerated > datetime(2023-01-01) | project Computer' --on local.csv
check "nobody asked for it" 0 '{"Count":3}' '' query 'Syslog | count' --on local.csv
check "a zone with summer time: what comes twice is standard time, what is left out counts after the gap" 0 \
    '{"TimeGenerated":"2023-10-25T07:43:21.99Z"} {"TimeGenerated":"2023-10-29T01:30:00Z"} {"TimeGenerated":"2023-03-26T00:30:00Z"}' \
    "local.csv: 1 record with a time that its zone has twice, as clocks were set back, the first at byte 109 ('10/29/2023, 2:30:00 AM'): taken as the later one" \
    query 'Syslog | project TimeGenerated' --on local.csv --timezone Europe/Brussels
(head -1 local.csv; for i in 1 2 3; do tail -1 local.csv; done) >gap.csv
check "both are told, once for a file and record by record" 0 '{"Count":6}' \
    "gap.csv: 3 records with a time that its zone does not have, as clocks were set forward, the first at byte 68 ('3/26/2023, 2:30:00 AM'): read with the offset after that" \
    query 'union Syslog, Syslog | where TimeGenerated > datetime(2023-01-01) and Computer != "x" | count' --on gap.csv --timezone Europe/Brussels
check "an offset has none" 0 '{"Count":3}' '' query 'Syslog | where TimeGenerated > datetime(2023-01-01) | count' --on gap.csv --timezone +02:00
check "an offset" 0 '{"TimeGenerated":"2023-10-25T07:43:21.99Z"}' '' \
    query 'Syslog | where TimeGenerated between (datetime(2023-10-25 07:00) .. 1h) | project TimeGenerated' --on local.csv --timezone +02:00
sed 's/TimeGenerated .Local Time./"TimeGenerated [Brussels, Copenhagen, Madrid, Paris]"/' local.csv >named.csv
check "a zone that the header names in the portal's words is a local time" 2 '' "named.csv: the times behind 'TimeGenerated' are local" \
    query 'Syslog | project TimeGenerated' --on named.csv
sed 's/Local Time/UTC+02:00/; s/AM/\xE2\x80\xAFAM/' local.csv >offset.csv
check "so is an offset; a narrow blank stands before AM" 0 '{"TimeGenerated":"2023-10-25T07:43:21.99Z"}' '' \
    query 'Syslog | where Computer == "c1" | project TimeGenerated' --on offset.csv --timezone +02:00
printf 'Size [KB],Name\n1,n\n' >size.csv
check "brackets behind other names are theirs" 0 '{"Size [KB]":"1","Name":"n"}' '' query 'T | extend tostring(["Size [KB]"])' --as T=size.csv
deep=deep$(printf '/d%.0s' $(seq 70))
mkdir -p "$deep" && cp local.csv "$deep" && cp local.csv deep/
check "folders that are too deep are told" 3 '{"Count":3}' 'folders more than 64 deep are not looked into' query 'Syslog | count' --on deep
check "a zone that is none" 2 '' "there is no time zone 'Mars'" query 'Syslog' --on local.csv --timezone Mars
check "inspect counts what it can't place in time" 0 '{"Table":"Syslog","Channel":"","Provider":"","EventID":null,"Records":3,"First":null,"Last":null}' \
    'files 1' inspect local.csv
says "and says why, and what to do" 0 'note: local.csv: its times are local, of a zone that the file does not tell: --timezone says which' inspect local.csv
"$k" inspect local.csv --timezone UTC >out 2>&1
verdict "not when their zone is known" "$(grep -F 'of a zone that' out)"
mkdir -p a b && cp local.csv a/x.csv && cp local.csv b/x.csv
check "a zone for some inputs, another for the rest" 0 '{"n":2,"First":"2023-03-26T00:30:00Z","Second":"2023-03-25T17:30:00Z"}' "a/x.csv: 1 record with a time that its zone does not have" query \
    'Syslog | where Computer == "c3" | summarize n = count(), First = max(TimeGenerated), Second = min(TimeGenerated)' --on a --on b \
    --timezone Europe/Brussels --timezone 'b/*=+09:00'
check "an input without one is refused" 2 '' "b/x.csv: the times behind" query 'Syslog | project TimeGenerated' --on a --on b --timezone 'a/*=UTC'
check "a zone of no input is told" 0 '{"Computer":"c1"}' "note: --timezone 'x/*=...': no input has such a path" \
    query 'Syslog | where Computer == "c1" | project Computer' --on a/x.csv --timezone UTC --timezone 'x/*=+01:00'
check "also when the query is refused" 2 '' "note: --timezone 'local.cvs=...': no input" query 'Syslog | project TimeGenerated' --on local.csv \
    --timezone local.cvs=UTC
"$k" query 'Syslog | take 0' --on a --on b --timezone '*=UTC' --timezone 'a/*=+01:00' --timezone 'b/x.csv=UTC' 2>err >out
verdict "those with an input are not, whichever counts" "$(cat err)"
check "a zone that is none, of some" 2 '' "there is no time zone 'Mars'" query Syslog --on local.csv --timezone '*=Mars'
check "two zones for all" 2 '' "two zones for all inputs" query Syslog --on local.csv --timezone UTC --timezone +01:00
echo '{"EventTime":"2020-08-01 07:53:24","Hostname":"h","SourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","EventID":4624}' >nxlog.json
check "NXLog writes local time" 2 '' 'nxlog.json: the times behind' query 'Event | project TimeGenerated' --on nxlog.json
check "NXLog, its zone known" 0 '{"TimeGenerated":"2020-08-01T05:53:24Z"}' '' query 'Event | project TimeGenerated' --on nxlog.json --timezone Europe/Brussels
cat >forms.ndjson <<'X'
{"Type":"Heartbeat","Computer":"c","TimeGenerated":"2026-01-02T03:04:05.123456789Z"}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":"2026-01-02T03:04:05+0200"}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":"2026-01-02 03:04:05 UTC"}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":1577836800}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":1577836800.5}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":1577836800123456789}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":"\/Date(1577836800123)\/"}
{"Type":"Heartbeat","Computer":"c","TimeGenerated":0}
X
check "the forms of times" 0 \
    '{"TimeGenerated":"2026-01-02T03:04:05.1234567Z"} {"TimeGenerated":"2026-01-02T01:04:05Z"} {"TimeGenerated":"2026-01-02T03:04:05Z"} {"TimeGenerated":"2020-01-01T00:00:00Z"} {"TimeGenerated":"2020-01-01T00:00:00.5Z"} {"TimeGenerated":"2020-01-01T00:00:00.1234567Z"} {"TimeGenerated":"2020-01-01T00:00:00.123Z"} {"TimeGenerated":null}' '' \
    query 'Heartbeat | project TimeGenerated' --on forms.ndjson

# --- archives

mkdir -p logs/in
echo '{"a":1}' >logs/in/1.ndjson
echo '{"a":2}' | gzip -c >logs/in/2.ndjson.gz
echo 'no log' >logs/readme
i=0
while [ $i -lt 20000 ]; do
    echo "{\"a\":3,\"b\":\"$((i * 7919 % 10007))\"}"
    i=$((i + 1))
done >logs/in/3.ndjson
tar --sort=name -cf logs.tar logs
tar --sort=name -czf logs.tar.gz logs
for f in logs.tar logs.tar.gz; do
    check "$f is a folder" 0 '{"a":1,"count_":1} {"a":2,"count_":1} {"a":3,"count_":20000}' '' query 'T | summarize count() by a' --as T=$f
done
check "on four threads, twice in one query" 0 '{"Count":20002}' '' query 'T | where a == 3 | union (T | where a < 3) | join kind=inner (T | distinct a) on a | count' \
    --as T=logs.tar.gz --threads 4
mkdir walk
cp logs.tar.gz walk/
echo '{"a":4}' >walk/4.json
check "found when a folder is walked" 0 '{"a":1} {"a":2} {"a":3} {"a":4}' '' query 'T | distinct a | sort by a asc' --as T=walk
head -c 30000 logs.tar.gz >cut.tar.gz
check "an archive that is cut off gives what came before" 3 '{"a":1} {"a":2}' 'cut.tar.gz/logs/in/3.ndjson at byte' query \
    'T | where a < 3' --as T=cut.tar.gz
tar cf none.tar logs/readme
check "an archive without logs" 3 '' 'none.tar: no logs in this archive' query 'T' --on none.tar
tar cf nested.tar logs.tar.gz logs/in/1.ndjson
check "an archive in an archive is told, and left closed" 3 '{"a":1}' 'nested.tar/logs.tar.gz at byte 0: an archive in an archive' query \
    'T | project a' --as T=nested.tar

# --- envelopes joined as an array: what Event Hub and storage deliver in batches

record() { printf '{"time":"2026-01-01T00:00:09Z","category":"AdvancedHunting-DeviceProcessEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z","FileName":"%s"}}' $1; }
printf '[{"records":[%s,%s]},\n{"records":[]},{"records":[%s],"x":[{"a":1}]}]' "$(record a.exe)" "$(record b.exe)" "$(record c.exe)" >batch.json
check "each record of a batch is a row" 0 '{"FileName":"a.exe"} {"FileName":"b.exe"} {"FileName":"c.exe"}' '' query \
    'DeviceProcessEvents | project FileName' --on batch.json
printf '[{"records":[%s]},' "$(record a.exe)" >batch.json
check "a batch that is cut off is told" 3 '{"FileName":"a.exe"}' 'the file ends inside the array of its records' query \
    'DeviceProcessEvents | project FileName' --on batch.json

# --- Velociraptor: CSV whose cells hold JSON

cat >hunter.csv <<'X'
EventTime,Computer,Channel,Provider,EventID,EventRecordID,UserSID,Username,EventData,UserData,Message,OSPath
2026-01-15T10:00:00.12Z,WS01,Microsoft-Windows-Sysmon/Operational,Microsoft-Windows-Sysmon,1,5,S-1-5-18,SYSTEM,"{
 ""Image"": ""C:\\a.exe"",
 ""CommandLine"": ""a \""x\"", y"", ""ProcessId"": 77 }",,m,C:\s.evtx
2026-01-15T10:00:01Z,WS01,Microsoft-Windows-Sysmon/Operational,Microsoft-Windows-Sysmon,1,6,,,"{""Image"":""C:\\b.exe"", ""CommandLine",,m,C:\s.evtx
X
cat >evtx.csv <<'X'
System,EventData,Message
"{""Provider"":{""Name"":""Microsoft-Windows-Sysmon""},""EventID"":{""Value"":1},""TimeCreated"":{""SystemTime"":1768471200.12},""EventRecordID"":5,""Channel"":""Microsoft-Windows-Sysmon/Operational"",""Computer"":""WS01""}","{""Image"":""C:\\a.exe"",""CommandLine"":""a \""x\"", y"",""ProcessId"":77}",m
"{""Provider"":{""Name"":""Microsoft-Windows-Sysmon""},""EventID"":{""Value"":3}}","{}",m
X
start='{"Timestamp":"2026-01-15T10:00:00.12Z","DeviceName":"ws01","FileName":"a.exe","ProcessCommandLine":"a \"x\", y","ProcessId":77}'
for f in hunter evtx; do
    check "CSV of Velociraptor, $f" 0 "$start" '' query \
        'DeviceProcessEvents | where ProcessId == 77 | project Timestamp, DeviceName, FileName, ProcessCommandLine, ProcessId' --on $f.csv
done
check "a cell that is no whole object has what comes before" 0 '{"FileName":"b.exe","ProcessCommandLine":""}' '' query \
    'DeviceProcessEvents | where ReportId == 6 | project FileName, ProcessCommandLine' --on hunter.csv
check "its EventData" 0 '{"Line":"a \"x\", y"}' '' query \
    'WindowsEvent | where EventRecordId == 5 | project Line = tostring(EventData.CommandLine)' --on hunter.csv

printf '%s\n' '{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z","DeviceName":"d","ActionType":"ScheduledTaskCreated","AdditionalFields":"{\"TaskName\":\"x\",\"N\":\"[1]\"}","ReportId":1}}' \
    '{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-01-01T00:00:01Z","DeviceName":"d","ActionType":"Other","AdditionalFields":"{ not JSON","ReportId":2}}' >bags.ndjson
check "AdditionalFields as JSON text is what it says" 0 '{"Task":"x","Again":"x","N":"string"}' '' query \
    'DeviceEvents | where ReportId == 1 | project Task = tostring(AdditionalFields.TaskName), Again = tostring(parse_json(AdditionalFields).TaskName), N = gettype(AdditionalFields.N)' --on bags.ndjson
check "other text stays text" 0 '{"AdditionalFields":"{ not JSON"}' '' query \
    'DeviceEvents | where ReportId == 2 | project AdditionalFields' --on bags.ndjson
python3 -c 'print("[table Wide_CL]"); [print(f"C{i}: string") for i in range(501)]' >wide.map
check "a table of a map has a limit" 2 '' 'wide.map:502:1: a table has at most 500 columns' query 'Wide_CL | count' --map wide.map --on bags.ndjson

# --- records of several shapes in one file

event() {
    printf '{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"EventRecordID":%s,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"WS01","TimeCreated":{"#attributes":{"SystemTime":"2026-01-01T00:00:00Z"}}},"EventData":{"CommandLine":"c","Image":"C:\\\\a.exe","ProcessId":1,"UtcTime":"2026-01-01 00:00:00.000"}}}\n' "$1"
}
{
    for i in $(seq 400); do event "$i"; done
    echo '{"TimeGenerated":"2026-01-01T00:00:00Z","Computer":"ws","EventID":4624,"Type":"SecurityEvent","Account":"a"}'
    echo '{"TimeGenerated":"2026-01-01T00:00:00Z","UserPrincipalName":"u","Type":"SigninLogs"}'
    echo '{"TimeGenerated":"2026-01-01T00:00:00Z","$table":"Syslog","HostName":"h"}'
    echo '{"category":"AdvancedHunting-EmailEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z","Subject":"s"}}'
} >late.ndjson
check "a table that only a late record names" 0 '{"UserPrincipalName":"u"}' '' query 'SigninLogs | project UserPrincipalName' --on late.ndjson
check "one that only a late category names" 0 '{"Subject":"s"}' '' query 'EmailEvents | project Subject' --on late.ndjson
check "the late rows of a table that maps fill" 0 '{"Account":"a"}' '' query 'SecurityEvent | project Account' --on late.ndjson
check "rows of both at once" 0 '{"A":400,"B":1}' '' query \
    'union (DeviceProcessEvents | summarize A = count()), (SigninLogs | summarize B = count()) | summarize A = max(A), B = max(B)' --on late.ndjson
check "a table that none names" 0 '{"Count":0}' 'no input here has data of the table OfficeActivity' query 'OfficeActivity | count' --on late.ndjson
says "inspect lists what late records name" 0 '{"Table":"SigninLogs","Channel":"","Provider":"","EventID":null,"Records":1' inspect late.ndjson
says "a name in \$table counts where there is no Type" 0 '{"Table":"Syslog","Channel":"","Provider":"","EventID":null,"Records":1' inspect late.ndjson
in=late.ndjson
check "records of standard input" 0 '{"UserPrincipalName":"u"}' '' query 'SigninLogs | project UserPrincipalName' --on -
in=/dev/null
{
    event 1
    echo '{"TimeGenerated":"2026-01-01T00:00:00Z","Type":"Custom_CL","x":"0"}'
    echo '{"category":"AdvancedHunting-FooBarEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z"}}'
    echo '{"a":1}'
} >odd.ndjson
at=$(event 1 | wc -c)
for what in "query DeviceProcessEvents|count --on odd.ndjson" "inspect odd.ndjson" "query DeviceProcessEvents|count --threads 1 --on odd.ndjson"; do
    # shellcheck disable=SC2086
    says "records of no known shape are told: $what" 0 "odd.ndjson: 3 records of no known shape, the first at byte $at: not read" $what
done
{ echo '{"TimeGenerated":"2026-01-01T00:00:00Z","Type":"SigninLogs"}' && event 1 && echo '{"a":1}'; } >named.ndjson
says "events behind rows that name their table" 0 '{"Table":"DeviceProcessEvents","Channel":"","Provider":"","EventID":null,"Records":1' inspect named.ndjson
says "and what is neither" 0 '1 record of no known shape' inspect named.ndjson

# --- what streams put in properties

cat >props.ndjson <<'X'
{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z","ReportId":1}}
{"category":"AdvancedHunting-DeviceEvents","properties":" {\"Timestamp\":\"2026-01-01T00:00:00Z\",\"ReportId\":2,\"AdditionalFields\":\"{\\\"a\\\":\\\"\\u00e9\\\"}\"}"}
{"category":"AdvancedHunting-DeviceEvents","properties":null}
{"properties":7,"category":"AdvancedHunting-DeviceEvents"}
{"category":"AdvancedHunting-DeviceEvents","properties":[{"ReportId":3}]}
{"category":"AdvancedHunting-DeviceEvents","properties":"{\"ReportId\":4"}
{"category":"AdvancedHunting-DeviceEvents","properties":"x"}
X
check "properties as text are read, others are damage" 3 '{"ReportId":1,"a":""} {"ReportId":2,"a":"é"}' 'the record'"'"'s properties are null' query \
    'DeviceEvents | project ReportId, a = tostring(AdditionalFields.a)' --on props.ndjson
check "and they are no rows" 3 '{"Count":2}' 'props.ndjson at byte 546' query 'DeviceEvents | count' --on props.ndjson
says "inspect too" 3 '"Records":2,' inspect props.ndjson

# --- joined CSV, UTF-16 without its mark, answers of APIs

printf 'TimeGenerated,Computer,Type\n2026-01-01T00:00:00Z,a,Syslog\n\357\273\277TimeGenerated,Computer,Type\r\n2026-01-01T00:00:00Z,b,Syslog\nTimeGenerated,Type,Computer\nTimeGenerated,Computer,Type' >again.csv
check "a header that stands in the file again is no row; another one is" 0 '{"Computer":"a"} {"Computer":"b"} {"Computer":"Type"}' \
    'again.csv: its header stands in it again, as in files that were joined: no row there' query 'T | project Computer' --as T=again.csv
says "inspect tells it" 0 'again.csv: its header stands in it again' inspect again.csv
printf 'Name\nName\nb\n' >one.csv
check "one column may hold its name" 0 '{"Name":"Name"} {"Name":"b"}' '' query 'T | project Name' --as T=one.csv
event 1 >one.json
for utf in UTF-16LE UTF-16BE; do
    python3 -c 'import sys; [open(f"u.{n}", "wb").write(open(n, "rb").read().decode().encode(sys.argv[1])) for n in ("again.csv", "one.json")]' $utf
    check "CSV in $utf without its mark" 0 '{"Computer":"b"}' 'header stands in it again' query 'T | where Computer == "b" | project Computer' --as T=u.again.csv
    check "JSON in $utf without its mark" 0 '{"FileName":"a.exe"}' '' query 'DeviceProcessEvents | project FileName' --on u.one.json
    printf '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="p"/><EventID>7</EventID><Computer>c</Computer></System></Event>' >e.xml
    python3 -c 'import sys; open("u.xml", "wb").write(open("e.xml", "rb").read().decode().encode(sys.argv[1]))' $utf
    check "event XML in $utf without its mark" 0 '{"EventID":7}' '' query 'Event | project EventID' --on u.xml
done
echo '{"value":[{"Timestamp":"2026-01-01T00:00:00Z","DeviceName":"d","FileName":"x]}.exe","ProcessCommandLine":"c","ActionType":"ProcessCreated"},{"Timestamp":"2026-01-01T00:00:00Z","DeviceName":"d","FileName":"y.exe","ProcessCommandLine":"c","ActionType":"ProcessCreated"}]}' >value.json
check "an answer that is a list of values" 0 '{"FileName":"x]}.exe"} {"FileName":"y.exe"}' '' query 'DeviceProcessEvents | project FileName' --on value.json
sed 's/]}$/],"@odata.nextLink":"u"}/' value.json >next.json
check "and one that goes on elsewhere" 0 '{"Count":2}' '' query 'DeviceProcessEvents | count' --on next.json
echo '{"tables":[{"columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"Computer","type":"string"},{"name":"Type","type":"string"}],"rows":[["2026-01-01T00:00:00Z","c1","Syslog"]]}]}' >bare.json
check "tables without a name" 0 '{"Computer":"c1"}' '' query 'Syslog | project Computer' --on bare.json

# --- xz and bzip2

for how in lzma bz2; do
    python3 -c 'import sys, importlib; m = importlib.import_module(sys.argv[1]); d = open("one.json", "rb").read() * 3; open("p", "wb").write(m.compress(d) + m.compress(d)); open("cut", "wb").write(m.compress(d * 4000)[:-40])' $how
    check "$how, two one after another" 0 '{"Count":6}' '' query 'DeviceProcessEvents | count' --on p
    says "$how that is cut off" 3 'damaged: cut at byte' query 'DeviceProcessEvents | count' --on cut
done

# --- a folder that holds a file twice

mkdir -p twice/sub && cp one.json twice/b.json && ln -s ../b.json twice/sub/c.json && ln -s b.json twice/a.json
echo no log >twice/0.txt && ln -s 0.txt twice/1.txt
check "a file that links lead to is read once" 0 '{"Count":1}' 'twice/a.json: read once, though 2 other names in the folder lead to it' \
    query 'DeviceProcessEvents | count' --on twice
cp one.json other.json
check "two files are two" 0 '{"Count":2}' '' query 'DeviceProcessEvents | count' --on one.json --on other.json
check "a file that is named twice is read once" 0 '{"Count":1}' 'one.json: read once, though it is named more than once' \
    query 'DeviceProcessEvents | count' --on one.json --on ./one.json
check "also in a folder that holds it" 0 '{"Count":1}' 'twice/b.json: read once, though it is named more than once' \
    query 'DeviceProcessEvents | count' --on twice/b.json --on ./twice
check "or the folder first" 0 '{"Count":1}' 'twice/a.json: read once, though 2 other names in the folder lead to it' \
    query 'DeviceProcessEvents | count' --on twice --on twice/sub/c.json
ln twice/b.json hard.json
check "or under another name" 0 '{"Count":1}' 'hard.json: read once, though it is named more than once' \
    query 'DeviceProcessEvents | count' --on hard.json --on twice
check "or a folder named twice" 0 '{"Count":1}' 'twice/a.json: read once, though' query 'DeviceProcessEvents | count' --on twice --on twice/sub
check "what is no log is told all the same" 3 '{"Count":1}' '1.txt' query 'DeviceProcessEvents | count' --on twice --on twice/1.txt
check "as tables, a folder and its file are two" 0 '{"Count":2}' 'twice/a.json: read once, though 2 other names in the folder lead to it' \
    query 'union A, B | count' --as A=twice --as B=twice/b.json
check "as two tables it is two" 0 '{"Count":2}' '' query 'union A, B | count' --as A=one.json --as B=one.json

# --- FileProfile() of Defender, from a table that one may bring

echo '{"Timestamp":"2026-01-01T00:00:00Z","FileName":"a.exe","SHA1":"AB","InitiatingProcessSHA256":"ff"}' >procs.json
echo '{"SHA1":"ab","SHA256":"ff","GlobalPrevalence":3}' >profiles.json
check "FileProfile() without profiles says so" 0 '{"GlobalPrevalence":null,"ProfileAvailability":"Missing"}' \
    'no input here has data of a table that FileProfile reads' query \
    'DeviceProcessEvents | invoke FileProfile("SHA1", 1000) | project GlobalPrevalence, ProfileAvailability' --as DeviceProcessEvents=procs.json
check "with profiles, by a column's name" 0 '{"FileName":"a.exe","GlobalPrevalence":3,"ProfileAvailability":"Available"}' '' query \
    'DeviceProcessEvents | invoke FileProfile(InitiatingProcessSHA256) | where GlobalPrevalence < 5
     | project FileName, GlobalPrevalence, ProfileAvailability' --as DeviceProcessEvents=procs.json --as FileProfiles=profiles.json
check "and by SHA1 when none is named" 0 '{"SHA1":"AB","GlobalPrevalence":3}' '' query \
    'DeviceProcessEvents | project SHA1 | invoke FileProfile() | project SHA1, GlobalPrevalence' \
    --as DeviceProcessEvents=procs.json --as FileProfiles=profiles.json
check "a name that is no column's" 2 '' "unknown name 'Nothing'" query 'DeviceProcessEvents | invoke FileProfile(Nothing)'

# --- dates of which the day or the month stands first

portal() { # the times of a portal's export in local time
    echo 'DeviceName,FileName,ProcessCommandLine,ActionType,ProcessId,FolderPath,Timestamp [Local Time],Type'
    for t in "$@"; do echo "d,a.exe,a,ProcessCreated,1,C:\\a.exe,\"$t\",DeviceProcessEvents"; done
}
times='DeviceProcessEvents | project Timestamp'
portal '10/11/2023, 9:43:21.990 AM' '25/10/2023, 9:43:21.990 AM' >dm.csv
check "a day above 12 makes the whole file day first" 0 '{"Timestamp":"2023-11-10T08:43:21.99Z"} {"Timestamp":"2023-10-25T07:43:21.99Z"}' '' \
    query "$times" --on dm.csv --timezone Europe/Brussels
portal '10/11/2023, 21:43:21' '10/25/2023, 09:43:21' >md.csv
check "a second number above 12 month first" 0 '{"Timestamp":"2023-10-11T21:43:21Z"} {"Timestamp":"2023-10-25T09:43:21Z"}' '' \
    query "$times" --on md.csv --timezone UTC
sed 's/ .Local Time.//' dm.csv >zoneless.csv
check "also of times that are UTC" 0 '{"Timestamp":"2023-11-10T09:43:21.99Z"} {"Timestamp":"2023-10-25T09:43:21.99Z"}' '' \
    query "$times" --on zoneless.csv
portal '10/11/2023, 21:43:21' '05/05/2023, 09:43:21' >either.csv
check "where no date tells it is month first, and that is said" 0 '{"Timestamp":"2023-10-11T21:43:21Z"} {"Timestamp":"2023-05-05T09:43:21Z"}' \
    'either.csv: 10/11/2023 is taken as month/day/year' query "$times" --on either.csv --timezone UTC
portal '05/05/2023, 09:43:21' >same.csv
check "not of a date that is the same" 0 '{"Timestamp":"2023-05-05T09:43:21Z"}' '' query "$times" --on same.csv --timezone UTC
check "nor by a query that makes no time" 0 '{"Count":2}' '' query 'DeviceProcessEvents | count' --on either.csv
says "inspect says it" 0 'either.csv: 10/11/2023 is taken as month/day/year' inspect either.csv --timezone UTC
check "--timezone says it" 0 '{"Timestamp":"2023-11-10T20:43:21Z"} {"Timestamp":"2023-05-05T07:43:21Z"}' '' \
    query "$times" --on either.csv --timezone Europe/Brussels,dmy
check "of some files, and without a zone" 0 '{"Timestamp":"2023-11-10T21:43:21Z"} {"Timestamp":"2023-05-05T09:43:21Z"}' '' \
    query "$times" --on either.csv --timezone 'eith*=,DMY' --timezone UTC
check "month first, too" 0 '{"Timestamp":"2023-10-11T21:43:21Z"} {"Timestamp":"2023-05-05T09:43:21Z"}' '' \
    query "$times" --on either.csv --timezone UTC,mdy
check "a zone is still asked for" 2 '' 'are local, of a zone that the file does not tell' query "$times" --on either.csv --timezone ,dmy
check "what it says stands over the file" 3 '{"Timestamp":"2023-10-11T09:43:21.99Z"} {"Timestamp":null}' \
    "Timestamp is no datetime: '25/10/2023, 9:43:21.990 AM'; it would be one as day/month/year: --timezone ZONE,dmy" \
    query "$times" --on dm.csv --timezone UTC,mdy
check "an order that is none" 2 '' "there is no time zone 'UTC,ymd'" query "$times" --on dm.csv --timezone UTC,ymd
portal '25/10/2023, 09:43:21' '10/25/2023, 09:43:21' >torn.csv
check "a file that contradicts itself is month first" 3 '{"Timestamp":null} {"Timestamp":"2023-10-25T09:43:21Z"}' \
    "it is day/month/year, and the file's other dates were taken as month/day/year: --timezone ZONE,dmy" \
    query "$times" --on torn.csv --timezone UTC
portal '10/11/2023, 21:43:21' '10/11/2023, 21:43:21' | sed '2s|a.exe,a,|25/10/2023,25/10/2023 10:00,|' >arg.csv
check "an argument that is a date says nothing, beside others that are none" 0 \
    '{"Timestamp":"2023-10-11T21:43:21Z"} {"Timestamp":"2023-10-11T21:43:21Z"}' \
    'arg.csv: 10/11/2023 is taken as month/day/year' query "$times" --on arg.csv --timezone UTC
portal '25/10/2023, 09:43:21' '10/11/2023, 21:43:21' '10/25/2023, 09:43:21' | awk 'NR == 3 { for (i = 1; i < 9000; i++) print } { print }' >many.csv
check "a date far behind is told, and all others are read as the first ones" 3 \
    '{"Timestamp":"2023-10-25T09:43:21Z","n":1} {"Timestamp":"2023-11-10T21:43:21Z","n":9000} {"Timestamp":null,"n":1}' \
    'it would be one as month/day/year: --timezone ZONE,mdy' \
    query 'DeviceProcessEvents | summarize n = count() by Timestamp | sort by Timestamp asc nulls last' --on many.csv --timezone UTC
echo '{"Timestamp":"10/11/2023 21:43:21","DeviceName":"d","FileName":"25/10/2023 10:00","ActionType":"ProcessCreated"}' >slash.json
check "JSON: month first, and said" 0 '{"Timestamp":"2023-10-11T21:43:21Z"}' 'slash.json: 10/11/2023 is taken as month/day/year' \
    query "$times" --as DeviceProcessEvents=slash.json
sed 's|"10/11/|"25\\/10\\/|' slash.json | cat slash.json - >slashes.json
check "or as a date of it tells" 0 '{"Timestamp":"2023-11-10T21:43:21Z"} {"Timestamp":"2023-10-25T21:43:21Z"}' '' \
    query "$times" --as DeviceProcessEvents=slashes.json

# FILE, ROWS, ROW: the date that tells stands behind so many others, and before as many as the fourth says
late() {
    awk -v n="$2" -v m="${4:-0}" 'NR == 1 && !/^{/ { print; next } { for (i = 0; i < n; i++) print; r = $0
        sub(/10\/11/, "25/10"); print; for (i = 0; i < m; i++) print r; exit }' "$1" >"$3"
}
portal '10/11/2023, 21:43:21' >first.csv
late first.csv 3000 end.csv
late first.csv 3000 middle.csv 3000
late slash.json 3000 end.json
gzip -c middle.csv >packed.csv.gz
for file in end.csv middle.csv end.json packed.csv.gz; do
    check "dates that don't tell are not the last that are looked at, $file" 0 '{"Timestamp":"2023-11-10T21:43:21Z"}' '' \
        query "$times | take 1" --as DeviceProcessEvents=$file --timezone UTC
done
late first.csv 60000 hidden.csv 180050
check "one that was not looked at is told, and what it says of the others" 3 '{"early":240050,"late":0}' \
    "is no datetime: '25/10/2023, 21:43:21'; it is day/month/year, and the file's other dates were taken as month/day/year: --timezone ZONE,dmy" \
    query 'DeviceProcessEvents | summarize early=countif(Timestamp < datetime(2023-11-01)), late=countif(Timestamp >= datetime(2023-11-01))' \
    --on hidden.csv --timezone UTC

portal '01.03.2026, 10:00:00' >points.csv
check "dates with points have the day first" 0 '{"Timestamp":"2026-03-01T10:00:00Z"}' '' \
    query "$times | take 1" --as DeviceProcessEvents=points.csv --timezone UTC

# --- a row with more values than the header has names

printf 'Timestamp,DeviceName,FileName,ProcessCommandLine,ProcessId\n2026-01-01T00:00:00Z,d,a.exe,"say "hi", ok",1\n2026-01-01T00:00:00Z,d,b.exe,x,2,,\n' >wide.csv
check "is no row, unless they are empty" 3 '{"FileName":"b.exe","ProcessId":2}' 'the row has 6 fields, the header 5: skipped' \
    query 'DeviceProcessEvents | project FileName, ProcessId' --as DeviceProcessEvents=wide.csv

echo "1..$n"
exit $bad

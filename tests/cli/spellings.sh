#!/bin/sh
# Values of events that programs spell in another way than Windows does, as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

# --- whole numbers of columns with gaps, as pandas writes them

cat >real.json <<'X'
{"SourceName":"Microsoft-Windows-Sysmon","EventID":1.0,"Channel":"Microsoft-Windows-Sysmon/Operational","@timestamp":"2026-01-14T13:45:10Z","Hostname":"h","Image":"C:\\a.exe","ProcessId":"7.0"}
{"SourceName":"Microsoft-Windows-Security-Auditing","EventID":"4688.0","Channel":"Security","@timestamp":"2026-01-14T13:45:11Z","Hostname":"h","NewProcessName":"C:\\b.exe","NewProcessId":8.0}
X
check "an event's id is the number that a real is, in JSON" 0 '{"FileName":"a.exe","ProcessId":7} {"FileName":"b.exe","ProcessId":8}' '' query \
    'DeviceProcessEvents | project FileName, ProcessId' --on real.json
check "and its column" 0 '{"EventID":1} {"EventID":4688}' '' query 'Event | project EventID | union (SecurityEvent | project EventID) | distinct EventID' --on real.json
sed 's/1\.0/1.5/; s/4688\.0/4688.01/' real.json >other.json
check "no other real is" 0 '{"Count":0}' 'no input has its events' query 'DeviceProcessEvents | count' --on other.json
printf 'EventTime,Computer,Channel,EventID,EventData\n2026-01-14T13:45:10Z,h,Security,4624.0,"{""LogonType"":""3.0"",""TargetUserName"":""u""}"\n' >real.csv
sed 's/,EventData$/,EventData,Provider/; s/}"$/}",Microsoft-Windows-Security-Auditing/' real.csv >named.csv
check "in CSV, and a code that has a name" 0 '{"LogonType":"Network","AccountName":"u"}' '' query \
    'DeviceLogonEvents | project LogonType, AccountName' --on named.csv
printf 'Timestamp,DeviceName,FileName,ProcessCommandLine,ProcessId\n2026-01-01T00:00:00Z,d,a.exe,x,12.0\n2026-01-01T00:00:00Z,d,b.exe,x,-0.0\n2026-01-01T00:00:00Z,d,c.exe,x,12.5\n' >export.csv
check "in an export; a real that is no whole number is told" 3 '{"ProcessId":12} {"ProcessId":0} {"ProcessId":null}' "ProcessId is no long: '12.5'" \
    query 'DeviceProcessEvents | project ProcessId' --on export.csv
check "KQL's own conversion is Kusto's" 0 '{"a":null,"b":null}' '' query 'print a = toint("4688.0"), b = tolong("1.0")' --on export.csv

# --- values of events that are none of their column's type

cat >bad.json <<'X'
{"SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","@timestamp":"2026-01-14T13:45:10Z","Hostname":"h","Image":"C:\\a.exe","ProcessId":"-","ParentProcessId":""}
{"SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","@timestamp":"2026-01-14T13:45:10Z","Hostname":"h","Image":"C:\\b.exe","ProcessId":"seven"}
{"SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"Channel":"Security","@timestamp":"2026-01-14T13:45:11Z","Hostname":"h","NewProcessName":"C:\\c.exe","NewProcessId":"0xZZ"}
X
check "a value of an event that is none of its column's type is null, and told; '-' and nothing are not" 3 \
    '{"FileName":"a.exe","ProcessId":null} {"FileName":"b.exe","ProcessId":null} {"FileName":"c.exe","ProcessId":null}' \
    "bad.json at byte 211: ProcessId is no long: 'seven' (and 1 more)" query 'DeviceProcessEvents | project FileName, ProcessId' --on bad.json
check "also where a filter leaves the row out" 3 '{"Count":0}' "ProcessId is no long: 'seven' (and 1 more)" query \
    'DeviceProcessEvents | where ProcessId > 3 | count' --on bad.json
check "of what is asked for" 0 '{"Count":3}' '' query 'DeviceProcessEvents | count' --on bad.json
sed '2,3d' bad.json >dash.json
check "no value is no fault" 0 '{"ProcessId":null,"InitiatingProcessId":null}' '' query 'DeviceProcessEvents | project ProcessId, InitiatingProcessId' --on dash.json

echo "1..$n"
exit $bad

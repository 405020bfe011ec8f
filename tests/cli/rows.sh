#!/bin/sh
# Rows of SecurityEvent, Event and WindowsEvent in exports feed the maps of all other tables, as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

# the same events as NXLog tells them, and as rows of each table
cat >events.ndjson <<'X'
{"@timestamp":"2026-01-15T10:00:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"UtcTime":"2026-01-15 10:00:00.000","ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":76,"Image":"C:\\p\\a.exe","CommandLine":"a \"x & <y>\"","User":"CORP\\alice","Hashes":"SHA1=AA11AA11AA11AA11AA11AA11AA11AA11AA11AA11"}
{"@timestamp":"2026-01-15T10:01:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"SubjectUserName":"alice","SubjectDomainName":"CORP","SubjectUserSid":"S-1-5-21-1","SubjectLogonId":"0x3e7","NewProcessId":"0x4e","NewProcessName":"C:\\b.exe","CommandLine":"b /x","ProcessId":"0x4c","ParentProcessName":"C:\\p\\a.exe"}
{"@timestamp":"2026-01-15T10:02:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":11,"UtcTime":"2026-01-15 10:02:00.000","ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":76,"Image":"C:\\p\\a.exe","TargetFilename":"C:\\c.txt"}
{"@timestamp":"2026-01-15T10:03:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":3,"UtcTime":"2026-01-15 10:03:00.000","ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":76,"Image":"C:\\p\\a.exe","Initiated":"true","Protocol":"tcp","SourceIp":"10.0.0.1","SourcePort":"5","DestinationIp":"10.0.0.2","DestinationPort":"80"}
{"@timestamp":"2026-01-15T10:03:30Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":5156,"ProcessID":"76","Application":"\\device\\a.exe","Direction":"%%14592","SourceAddress":"10.0.0.1","SourcePort":"5","DestAddress":"10.0.0.2","DestPort":"80","Protocol":"6"}
{"@timestamp":"2026-01-15T10:04:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":13,"UtcTime":"2026-01-15 10:04:00.000","EventType":"SetValue","ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":76,"Image":"C:\\p\\a.exe","TargetObject":"HKLM\\a\\b","Details":"x"}
{"@timestamp":"2026-01-15T10:05:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4657,"ProcessId":"0x4c","ProcessName":"C:\\p\\a.exe","ObjectName":"\\REGISTRY\\MACHINE\\a","ObjectValueName":"v","NewValue":"1","NewValueType":"%%1873","SubjectUserName":"alice"}
{"@timestamp":"2026-01-15T10:06:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4624,"TargetUserName":"alice","TargetDomainName":"CORP","LogonType":"3","IpAddress":"10.0.0.9","IpPort":"0","TargetLogonId":"0x77"}
{"@timestamp":"2026-01-15T10:07:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4698,"SubjectUserName":"alice","TaskName":"\\t","TaskContent":"<Task a=\"b\">&amp;</Task>"}
{"@timestamp":"2026-01-15T10:08:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":7,"UtcTime":"2026-01-15 10:08:00.000","ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":76,"Image":"C:\\p\\a.exe","ImageLoaded":"C:\\d.dll"}
X
alike() { # NAME, FILE, the file whose answers it must give
    why=
    for of in DeviceProcessEvents DeviceFileEvents DeviceNetworkEvents DeviceRegistryEvents DeviceLogonEvents DeviceImageLoadEvents DeviceEvents imProcessCreate; do
        "$k" query "$of" --on "$2" >got 2>err
        "$k" query "$of" --on "$3" >want 2>/dev/null
        cmp -s got want || why="$why; $of: $(cat err got) and not $(cat want)"
    done
    verdict "$1" "$why"
}
grep '"Security"' events.ndjson >security.ndjson
n4688=$("$k" query 'DeviceProcessEvents | count' --on security.ndjson)$("$k" query 'DeviceNetworkEvents | count' --on security.ndjson)$("$k" query 'DeviceEvents | count' --on security.ndjson)
verdict "the events themselves have rows" "$([ "$n4688" = '{"Count":1}{"Count":1}{"Count":1}' ] || echo "$n4688")"
for format in csv ndjson; do
    for table in SecurityEvent Event WindowsEvent; do
        from=events.ndjson
        [ $table = SecurityEvent ] && from=security.ndjson
        "$k" query "$table" --on $from --format $format >named.$format 2>err
        "$k" query "$table | project-away Type" --on $from --format $format >$table.$format 2>err
        alike "rows of $table that name it, $format" named.$format $from
        alike "a file of rows of $table, $format" $table.$format $from
        chatty=1
        check "no row of another table of events: $table, $format" 0 '{"Count":0}' '' query \
            "union withsource=T SecurityEvent, Event, WindowsEvent | where T != '$table' | count" --on named.$format
        chatty=
    done
done
"$k" query "WindowsEvent | extend EventData = tostring(EventData)" --on events.ndjson >text.ndjson
alike "EventData of WindowsEvent as text" text.ndjson events.ndjson
"$k" query "Event | extend EventData = extract('(<EventData.*</EventData>)', 1, EventData)" --on events.ndjson >bare.ndjson
alike "EventData of Event without its wrapper" bare.ndjson events.ndjson
head -3 events.ndjson >mixed.ndjson
"$k" query "SecurityEvent" --on security.ndjson >>mixed.ndjson
"$k" query "Event | where EventID in (11, 3, 13, 7) | where TimeGenerated > datetime(2026-01-15T10:02:30)" --on events.ndjson >>mixed.ndjson
check "rows and events in one file: an event has its parent in either" 0 \
    '{"FileName":"a.exe","InitiatingProcessFileName":"","InitiatingProcessCommandLine":""} {"FileName":"b.exe","InitiatingProcessFileName":"a.exe","InitiatingProcessCommandLine":"a \"x & <y>\""} {"FileName":"b.exe","InitiatingProcessFileName":"a.exe","InitiatingProcessCommandLine":"a \"x & <y>\""} {"FileName":"b.dll","InitiatingProcessFileName":"a.exe","InitiatingProcessCommandLine":"a \"x & <y>\""}' '' \
    query 'union DeviceProcessEvents, (DeviceImageLoadEvents | extend FileName = "b.dll") | project FileName, InitiatingProcessFileName, InitiatingProcessCommandLine' --on mixed.ndjson
cat >twice.ndjson <<'X'
{"@timestamp":"2026-01-15T10:01:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"UtcTime":"2026-01-15 10:01:00.000","ProcessGuid":"{5770385F-0000-0001-0000-000000000002}","ProcessId":78,"Image":"C:\\b.exe","CommandLine":"b /x"}
X
for file in SecurityEvent.csv SecurityEvent.ndjson; do
    check "a start that Sysmon and a row of $file tell is one" 0 '{"Count":1}' '' query 'DeviceProcessEvents | count' --on twice.ndjson --on $file
    check "unless both are to be kept: $file" 0 '{"Count":2}' '' query 'DeviceProcessEvents | count' --on twice.ndjson --on $file --keep-duplicates
done
check "a table without its events in the rows is told" 0 '' 'DeviceImageLoadEvents has no rows here: no input has its events (Sysmon 7)' query \
    DeviceImageLoadEvents --on SecurityEvent.csv
check "what a column of them can't be is told" 0 '' 'AccountUpn is never available in DeviceProcessEvents from Security 4688' query \
    'DeviceProcessEvents | where AccountUpn == "x"' --on SecurityEvent.csv
printf 'TimeGenerated,Computer,EventID,NewProcessName,CommandLine\n2026-01-15T10:00:00Z,W,4688,C:\\b.exe,b\n' >few.csv
check "a few columns of SecurityEvent" 0 '{"FileName":"b.exe","ProcessCommandLine":"b"}' '' query \
    'DeviceProcessEvents | project FileName, ProcessCommandLine' --as SecurityEvent=few.csv
printf 'TimeGenerated [Local Time],Computer,EventID,EventSourceName,NewProcessName,CommandLine\n"1/15/2026, 10:00:00.000 AM",W,4688,Microsoft-Windows-Security-Auditing,C:\\b.exe,b\n' >local4688.csv
check "local times of rows are refused" 2 '' "local4688.csv: the times behind 'Timestamp' are local" query 'DeviceProcessEvents | project Timestamp' --as SecurityEvent=local4688.csv
check "and told by --timezone" 0 '{"Timestamp":"2026-01-15T09:00:00Z"}' '' query 'DeviceProcessEvents | project Timestamp' \
    --as SecurityEvent=local4688.csv --timezone Europe/Brussels
says "inspect lists the rows of WindowsEvent" 0 '{"Table":"WindowsEvent","Channel":"Security","Provider":"Microsoft-Windows-Security-Auditing","EventID":4624,"Records":1,' \
    inspect WindowsEvent.ndjson

echo "1..$n"
exit $bad

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

# --- times of events without a zone

beat() { # TIME
    printf '{"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"h","event_data":{"Image":"C:\\\\a.exe"}},"@timestamp":"%s"}\n' "$1"
}
dump() { # TIME
    printf '{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"c","Computer":"h","TimeCreated":{"#attributes":{"SystemTime":"%s"}}},"EventData":{"Image":"C:\\\\a.exe"}}}\n' "$1"
}
xml() { # TIME
    printf '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>1</EventID><TimeCreated SystemTime="%s"/><Channel>c</Channel><Computer>h</Computer></System><EventData><Data Name="Image">C:\\a.exe</Data></EventData></Event>\n' "$1"
}
when='DeviceProcessEvents | project Timestamp'
late='DeviceProcessEvents | where Timestamp > datetime(2026-01-15) | project Timestamp'
for t in '2026-01-14 13:45:10' '2026-01-14T13:45:10.5' '01/14/2026 13:45:10'; do
    beat "$t" >t.json
    check "$t is local in @timestamp" 2 '' "t.json: the times behind 'Timestamp' are local" query "$when" --on t.json
    check "$t also when a filter would drop it" 2 '' "t.json: the times behind 'Timestamp' are local" query "$late" --on t.json
done
check "of the zone that is said" 0 '{"Timestamp":"2026-01-14T11:45:10Z"}' '' query "$when" --on t.json --timezone +02:00
beat 2026-01-14T13:45:10+02:00 >t.json
check "a zone in the text counts" 0 '{"Timestamp":"2026-01-14T11:45:10Z"}' '' query "$when" --on t.json
beat 2026-01-14T13:45:10Z >t.json
check "Z too" 0 '{"Timestamp":"2026-01-14T13:45:10Z"}' '' query "$when" --on t.json
dump '2026-01-14 13:45:10.123' >t.json
check "SystemTime is UTC, as python-evtx writes it" 0 '{"Timestamp":"2026-01-14T13:45:10.123Z"}' '' query "$when" --on t.json --timezone +02:00
dump 2026-01-14T13:45:10.5+02:00 >t.json
check "unless it says otherwise" 0 '{"Timestamp":"2026-01-14T11:45:10.5Z"}' '' query "$when" --on t.json
dump '01/14/2026 13:45:10' >t.json
check "in no other form" 2 '' "t.json: the times behind 'Timestamp' are local" query "$when" --on t.json
xml '2026-01-14 13:45:10.123' >t.xml
check "in XML" 0 '{"Timestamp":"2026-01-14T13:45:10.123Z"}' '' query "$when" --on t.xml --timezone +02:00
xml '01/14/2026 13:45:10' >t.xml
check "in XML no other form" 2 '' "t.xml: the times behind 'Timestamp' are local" query "$when" --on t.xml
check "in XML of the zone that is said" 0 '{"Timestamp":"2026-01-14T11:45:10Z"}' '' query "$when" --on t.xml --timezone +02:00
xml soon >t.xml
check "what is no time is told" 3 '{"Timestamp":null}' "System.TimeCreated is no datetime: 'soon'" query "$when" --on t.xml

# --- event data as a list of objects

datum() { # RECORD: System of Velociraptor's events around EventData
    printf '{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon"},"EventID":{"Value":1},"TimeCreated":{"SystemTime":1768398310.5},"Channel":"c","Computer":"h"},"EventData":%s}\n' "$1"
}
for pair in '@Name #text' 'Name Value' '_Name _' 'Name text'; do
    set -- $pair
    list="[{\"$1\":\"Image\",\"$2\":\"C:\\\\a.exe\"},{\"$1\":\"RuleName\"},{\"$1\":\"CommandLine\",\"$2\":\"a \\\"b\\\"\"},{\"$1\":\"ProcessId\",\"$2\":\"7\"}]"
    datum "$list" >list.json
    datum "{\"Data\":$list}" >inner.json
    for f in list inner; do
        check "a $f of $1 and $2, for maps" 0 '{"FileName":"a.exe","ProcessCommandLine":"a \"b\"","ProcessId":7}' '' query \
            'DeviceProcessEvents | project FileName, ProcessCommandLine, ProcessId' --on $f.json
        check "a $f of $1 and $2, as an object" 0 '{"EventData":{"Image":"C:\\a.exe","RuleName":"","CommandLine":"a \"b\"","ProcessId":"7"}}' '' \
            query 'WindowsEvent | project EventData' --on $f.json
        check "a $f of $1 and $2, as XML" 0 '{"n":4,"x":true}' '' query \
            'Event | project n = countof(EventData, "<Data Name="), x = EventData has "<Data Name=\"CommandLine\">a \"b\"</Data>"' --on $f.json
    done
done
datum '{"Data":{"@Name":"Image","#text":"C:\\a.exe"}}' >one.json
check "one datum alone is an object" 0 '{"FileName":"a.exe","EventData":{"Image":"C:\\a.exe"}}' '' query \
    'DeviceProcessEvents | project FileName, k = 1 | join kind=inner (WindowsEvent | project EventData, k = 1) on k | project FileName, EventData' --on one.json
datum '{"Data":["x","y"]}' >one.json
check "texts without names are as before" 0 '{"EventData":{"param1":"x","param2":"y"}}' '' query 'WindowsEvent | project EventData' --on one.json
datum '[[{"Name":"Image"}],{"Name":3,"Value":"x"},{"Name":"Image","Value":"C:\\b.exe"},{"Name":"Image","Value":"C:\\c.exe"},{},7,null]' >one.json
check "what is no datum is passed over, and the first of a name counts" 0 '{"FileName":"b.exe"}' '' query 'DeviceProcessEvents | project FileName' --on one.json

echo "1..$n"
exit $bad

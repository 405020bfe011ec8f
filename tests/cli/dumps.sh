#!/bin/sh
# What evtx_dump and evtxexport print, as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

xml() {
    cat <<Y
<?xml version="1.0" encoding="utf-8"?>
<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
  <System>
    <Provider Name="Microsoft-Windows-Sysmon" Guid="{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"/>
    <EventID>1</EventID>
    <TimeCreated SystemTime="2026-01-02T03:04:05.678000Z"/>
    <EventRecordID>$1</EventRecordID>
    <Channel>Microsoft-Windows-Sysmon/Operational</Channel>
    <Computer>WS1</Computer>
  </System>
  <EventData>
    <Data Name="Image">C:\\$1.exe</Data>
    <Data Name="CommandLine">a &lt;b&gt;</Data>
  </EventData>
</Event>
Y
}
json() {
    cat <<Y
{
  "Event": {
    "#attributes": {
      "xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"
    },
    "System": {
      "Provider": {
        "#attributes": {
          "Name": "Microsoft-Windows-Sysmon"
        }
      },
      "EventID": 1,
      "TimeCreated": {
        "#attributes": {
          "SystemTime": "2026-01-02T03:04:05.678000Z"
        }
      },
      "EventRecordID": $1,
      "Channel": "Microsoft-Windows-Sysmon/Operational",
      "Computer": "WS1"
    },
    "EventData": {
      "Image": "C:\\\\$1.exe",
      "CommandLine": "a <b>"
    }
  }
}
Y
}
one_line() { json "$1" | tr -d '\n' | sed 's/  *\([{}"]\)/\1/g' && echo; }
query='DeviceProcessEvents | project ReportId, FileName, ProcessCommandLine'
row() { printf '{"ReportId":%s,"FileName":"%s.exe","ProcessCommandLine":"a <b>"}' "$1" "$1"; }

for form in xml json one_line; do
    for i in 1 2 3; do echo "Record $i" && $form $i; done >dump
    [ $form != xml ] || for i in 1 2 3; do echo "Record $i" && xml $i && echo; done >dump
    check "evtx_dump: $form" 0 "$(row 1) $(row 2) $(row 3)" '' query "$query" --on dump
    sed 's/$/\r/' dump >crlf
    check "evtx_dump: $form with CR LF" 0 "$(row 1) $(row 2) $(row 3)" '' query "$query" --on crlf
    in=dump
    check "evtx_dump: $form of standard input" 0 '{"Count":3}' '' query 'Event | count' --on -
    in=/dev/null
done

# The second record is cut off.
{ echo 'Record 1' && json 1 && echo 'Record 2' && json 2 | head -22 && echo 'Record 3' && json 3; } >cut
check "a JSON record that is cut off is named, the next is read" 3 "$(row 1) $(row 3)" "the record does not end" query "$query" --on cut
"$k" inspect cut >out 2>&1
place() { grep -b "$1" cut | sed -n 2p | cut -d: -f1; }
says "with its place" 3 "cut at byte $(place '^{'): the record does not end" inspect cut
{ echo 'Record 1' && one_line 1 && echo 'Record 2' && one_line 2 | head -c 200 && echo && echo 'Record 3' && one_line 3; } >cut
check "one of a line" 3 "$(row 1) $(row 3)" "the record is cut off" query "$query" --on cut
{ echo 'Record 1' && xml 1 && echo 'Record 2' && xml 2 | head -13 && echo 'Record 3' && xml 3; } >cut
check "an XML event that is cut off is named, the next is read" 3 "$(row 1) $(row 3)" "cut at byte $(place '^<Event'): the event is cut off" \
    query "$query" --on cut
{ echo 'Record 1' && json 1 && echo 'Recorded 2' && json 2; } >other
check "other text between records is damage" 3 "$(row 1) $(row 2)" "not a JSON object" query "$query" --on other

{ printf 'evtxexport 20181227\n\n' && xml 1 | tail -n +2 && echo && xml 2 | tail -n +2; } >export
check "evtxexport" 0 "$(row 1) $(row 2)" '' query "$query" --on export

# --- event data as the XML of the table Event, as from EVTX

cat >cleared.json <<'X'
{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Eventlog"}},"EventID":1102,"Channel":"Security","Computer":"WS01","EventRecordID":9,"TimeCreated":{"#attributes":{"SystemTime":"2026-01-15T10:00:00.123456Z"}}},"UserData":{"LogFileCleared":{"#attributes":{"xmlns":"http://manifests.microsoft.com/x"},"SubjectUserName":"a&b","List":["x",7]}}}}
{"Event":{"System":{"Provider_attributes":{"Name":"Microsoft-Windows-Eventlog"},"EventID":1102,"Channel":"Security","Computer":"WS01","EventRecordID":8,"TimeCreated_attributes":{"SystemTime":"2026-01-15T10:00:00Z"}},"UserData":{"LogFileCleared_attributes":{"xmlns":"n"},"LogFileCleared":{"SubjectUserName":"u"}}}}
{"@timestamp":"2026-01-15T10:00:00Z","winlog":{"provider_name":"Microsoft-Windows-Eventlog","event_id":1102,"channel":"Security","record_id":7,"user_data":{"SubjectUserName":"u","xml_name":"LogFileCleared"}}}
{"Event":{"System":{"Provider":{"#attributes":{"Name":"p"}},"EventID":7,"Channel":"c","EventRecordID":6,"TimeCreated":{"#attributes":{"SystemTime":"no time"}}},"EventData":{"Data":{"#text":["a<",2]},"N":18446744073709551615,"L":[-9223372036854775807,1.5],"S":"\"12345678901234567890"}}}
X
item='<DataItem Type=\"System.XmlData\" time=\"%s\" sourceHealthServiceId=\"00000000-0000-0000-0000-000000000000\"><%s xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">'
xml() { # RECORD, TIME, ELEMENT, WHAT STANDS IN IT
    # shellcheck disable=SC2059
    check "EventData of record $1" 0 "{\"EventData\":\"$(printf '%s' "$item" | sed "s/%s/$2/;s/%s/$3/")$4</$3></DataItem>\"}" '' query \
         'Event | project EventData' --on "one$1.json"
}
for r in 9 8 7 6; do grep "RecordID\":$r,\|record_id\":$r," cleared.json >one$r.json; done
xml 9 2026-01-15T10:00:00.1234560Z UserData '<LogFileCleared xmlns=\"http://manifests.microsoft.com/x\"><SubjectUserName>a&amp;b</SubjectUserName><List>x</List><List>7</List></LogFileCleared>'
xml 8 2026-01-15T10:00:00.0000000Z UserData '<LogFileCleared xmlns=\"n\"><SubjectUserName>u</SubjectUserName></LogFileCleared>'
xml 7 2026-01-15T10:00:00.0000000Z UserData '<LogFileCleared><SubjectUserName>u</SubjectUserName></LogFileCleared>'
xml 6 '' EventData '<Data>a&lt;</Data><Data>2</Data><Data Name=\"N\">18446744073709551615</Data><Data Name=\"L\">[-9223372036854775807,1.5]</Data><Data Name=\"S\">\"12345678901234567890</Data>'
check "user data of WindowsEvent" 0 '{"EventData":{"LogFileCleared":{"SubjectUserName":"a&b","List":["x","7"]}}}' '' query 'WindowsEvent | project EventData' --on one9.json
check "event data of WindowsEvent is texts, as from EVTX, and has param1, param2 for what has no name" 0 \
    '{"EventData":{"param1":"a<","param2":"2","N":"18446744073709551615","L":"-9223372036854775807\n1.5","S":"\"12345678901234567890"}}' '' \
    query 'WindowsEvent | project EventData' --on one6.json
data() { # EVENT DATA, WHAT BECOMES OF IT
    echo '{"Event":{"System":{"Provider":{"#attributes":{"Name":"p"}},"EventID":7,"Channel":"c","EventRecordID":5,"TimeCreated":{"#attributes":{"SystemTime":"2026-01-15T10:00:00Z"}}},"EventData":'"$1"'}}' >data.json
    check "event data $1" 0 '{"EventData":'"$2"'}' '' query 'WindowsEvent | project EventData' --on data.json
}
data '{"#attributes":{"Name":"x"},"Data":{"#text":"one"},"Binary":null}' '{"param1":"one"}'
data '{"Data":["one",{"#text":"two"}]}' '{"param1":"one","param2":"two"}'
data '{"Data":"named"}' '{"Data":"named"}'
data '{"A":true,"B":null,"C":{"#text":1}}' '{"A":"true","B":"","C":"1"}'
data '{}' '{}'
data null null
data '"text"' '"text"'

echo "1..$n"
exit $bad

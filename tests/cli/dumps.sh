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

echo "1..$n"
exit $bad

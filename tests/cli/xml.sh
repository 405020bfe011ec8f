#!/bin/sh
# Windows events exported as XML from the command line, as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

# --- one event as several programs write it

system="<System><Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385f-c22a-43e0-bf4c-06f5698ffbd9}'/><EventID>1</EventID>\
<Version>5</Version><Level>4</Level><TimeCreated SystemTime='2026-01-02T03:04:05.678900000Z'/><EventRecordID>7</EventRecordID>\
<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>WS1.corp.example</Computer><Security UserID='S-1-5-18'/></System>"
data="<EventData><Data Name='UtcTime'>2026-01-02 03:04:05.600</Data><Data Name='ProcessId'>42</Data>\
<Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data><Data Name='CommandLine'>cmd /c \"whoami &amp;&amp; hostname\"</Data>\
<Data Name='ParentCommandLine'>explorer.exe</Data></EventData>"
event="<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>$system$data</Event>"
printf '%s' "$event$event" >wevtutil.xml
printf '%s\n%s\n' "$event" "$event" >powershell.txt
printf '\357\273\277<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n<Events>%s%s</Events>' "$event" "$event" >viewer.xml
gzip -c powershell.txt >splunk.gz
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE powershell.txt; } >redirected.log
query='DeviceProcessEvents | project Timestamp, DeviceName, FileName, ProcessCommandLine, InitiatingProcessCommandLine, ProcessId'
row='{"Timestamp":"2026-01-02T03:04:05.6Z","DeviceName":"ws1.corp.example","FileName":"cmd.exe","ProcessCommandLine":"cmd /c \"whoami && hostname\"","InitiatingProcessCommandLine":"explorer.exe","ProcessId":42}'
for f in wevtutil.xml powershell.txt viewer.xml splunk.gz redirected.log; do
    check "process starts of $f" 0 "$row $row" '' query "$query" --on $f
done
check "every event" 0 '{"EventID":1,"Source":"Microsoft-Windows-Sysmon","Computer":"WS1.corp.example","EventLog":"Microsoft-Windows-Sysmon/Operational"}' '' query \
    'Event | take 1 | project EventID, Source, Computer, EventLog' --on viewer.xml
check "EventData as an object" 0 '{"Line":"cmd /c \"whoami && hostname\""}' '' query \
    'WindowsEvent | take 1 | project Line = tostring(EventData.CommandLine)' --on wevtutil.xml

# --- damage

printf '%s%s' "$event" "<Event>$system<EventData><Data Name='Image'>C:" >cut.xml
check "an event that is cut off is named, the others are read" 3 "$row" 'the event is cut off' query "$query" --on cut.xml
printf '<Events></Events>' >none.xml
check "an export of no event is one" 0 '{"Count":0}' 'no rows here' query 'Event | count' --on none.xml
printf '<?xml version="1.0"?><html><body>Event</body></html>' >page.xml
check "other XML is no log" 3 '' 'not a log that kequel knows' query "$query" --on page.xml

printf 'PS C:\\> Get-WinEvent x\n%s\n%s\n' "$event" "$event" >banner.txt
check "lines before the first event are named, the events read" 3 "$row $row" 'byte 0: text that is no event' query "$query" --on banner.txt

# --- bytes that are no UTF-8

printf '%s' "$event" | sed 's/explorer/caf@/' | tr @ '\351' >latin.xml
for q in 'WindowsEvent | project T = tostring(EventData.ParentCommandLine)' 'DeviceProcessEvents | project T = InitiatingProcessCommandLine' \
    'Event | project T = extract("caf[^.]*.exe", 0, EventData)'; do
    check "invalid UTF-8 is told: $q" 3 '{"T":"caf�.exe"}' 'latin.xml at byte 0: invalid UTF-8' query "$q" --on latin.xml
done
chatty=yes
check "and by inspect" 3 '{"Table":"DeviceProcessEvents","Channel":"","Provider":"","EventID":null,"Records":1,"First":"2026-01-02T03:04:05.6Z","Last":"2026-01-02T03:04:05.6Z"} {"Table":"Event","Channel":"Microsoft-Windows-Sysmon/Operational","Provider":"Microsoft-Windows-Sysmon","EventID":1,"Records":1,"First":"2026-01-02T03:04:05.6789Z","Last":"2026-01-02T03:04:05.6789Z"}' \
    'latin.xml at byte 0: invalid UTF-8' inspect latin.xml
chatty=
{ printf '<?xml version="1.0" encoding="iso-8859-1"?>\n'; cat latin.xml; } >declared.xml
gzip -c declared.xml >declared.gz
for f in declared.xml declared.gz; do
    check "ISO 8859-1 that is declared is read, $f" 0 '{"T":"café.exe"}' '' query 'WindowsEvent | project T = tostring(EventData.ParentCommandLine)' --on $f
done
{ printf '<?xml version="1.0" encoding="windows-1251"?>\n'; cat latin.xml; } >cyrillic.xml
check "another encoding is named" 3 '{"Count":1}' 'text in windows-1251, which is not read' query 'WindowsEvent | count' --on cyrillic.xml

# --- a time that is none

none=$(printf '%s' "$event" | sed "s/SystemTime='[^']*'/SystemTime='soon'/")
printf '%s\n%s\n%s\n' "$event" "$none" "$none" >times.xml
for threads in 1 8; do
    check "a SystemTime that is no time is told, and the row stays, $threads threads" 3 '{"TimeGenerated":"2026-01-02T03:04:05.6789Z"} {"TimeGenerated":null} {"TimeGenerated":null}' \
        "times.xml at byte $((${#event} + 1)): System.TimeCreated is no datetime: 'soon' (and 1 more)" query 'Event | project TimeGenerated' --on times.xml --threads $threads
done
check "also when a filter drops it" 3 '{"Count":1}' "is no datetime: 'soon' (and 1 more)" query 'Event | where TimeGenerated > ago(36500d) | count' --on times.xml
check "Sysmon's own time stands in for it" 0 '{"Timestamp":"2026-01-02T03:04:05.6Z"}' '' query 'DeviceProcessEvents | distinct Timestamp' --on times.xml
check "who does not ask for the time is not told" 0 '{"Count":3}' '' query 'Event | count' --on times.xml
printf '%s\n' '{"@timestamp":"soon","winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"WS1","event_data":{"Image":"C:\\a.exe","UtcTime":"-"}}}' >times.ndjson
check "in JSON it is told as well" 3 '{"TimeGenerated":null}' "@timestamp is no datetime: 'soon'" query 'Event | project TimeGenerated' --on times.ndjson
check "once, not for each column" 3 '{"Timestamp":null,"ProcessCreationTime":null}' "@timestamp is no datetime: 'soon'" query \
    'DeviceProcessEvents | project Timestamp, ProcessCreationTime' --on times.ndjson

# --- what looks like an event in CDATA, in a comment or in an instruction is text, wherever blocks end, with any number of threads

# one in four events holds another one in CDATA, the text around it grows so that borders fall anywhere in it; comments and
# instructions between
export event system
awk 'BEGIN {
    event = ENVIRON["event"]; head = ENVIRON["system"]
    forged = event; sub(/whoami.*hostname/, "forged", forged); gsub(/ProcessId.>42/, "ProcessId\047>66", forged)
    for (i = 0; i < 4000; i++) {
        pad = pad "pad" i % 10
        if (length(pad) > 3000) pad = ""
        if (i % 4) { print event; continue }
        print "<!-- " forged forged " -->"
        print "<?x " forged pad forged "?>"
        print "<Event>" head "<EventData><Data Name=\047ProcessId\047>7</Data><Data Name=\047Image\047>C:\\a.exe</Data>" \
            "<Data Name=\047CommandLine\047><![CDATA[" pad forged pad forged "]]><?x " pad forged "?></Data></EventData></Event>"
    }
    big = forged; while (length(big) < 200000) big = big big
    big = substr(big, 1, 250000)
    print "<Event>" head "<EventData><Data Name=\047ProcessId\047>8</Data><Data Name=\047Image\047>C:\\a.exe</Data>" \
        "<Data Name=\047CommandLine\047><![CDATA[" big "]]></Data></EventData></Event>"
}' >forged.xml
iconv -f UTF-8 -t UTF-16LE forged.xml >forged.u16
gzip -c forged.xml >forged.gz
for f in forged.xml forged.u16 forged.gz; do
    for threads in 1 2 8; do
        check "no forged row, $f, $threads threads" 0 \
            '{"ProcessId":7,"n":1000,"told":1000} {"ProcessId":8,"n":1,"told":1} {"ProcessId":42,"n":3000,"told":0}' '' query \
            "DeviceProcessEvents | summarize n = count(), told = countif(ProcessCommandLine contains 'ProcessId\'>66') by ProcessId | sort by ProcessId asc" \
            --keep-duplicates --on $f --threads $threads
    done
done
# a section that is not closed takes no more than 256 KiB with it, and is told
awk 'BEGIN {
    event = ENVIRON["event"]; head = ENVIRON["system"]
    print "<Event>" head "<EventData><Data Name=\047CommandLine\047><![CDATA["
    for (i = 0; i < 1000; i++) print event
}' >open.xml
sed 's/<!.CDATA./<?/' open.xml >open_instruction.xml
for threads in 1 2 8; do
    check "CDATA that is not closed, $threads threads" 3 "{\"n\":$((1000 - (262144 + ${#event}) / (${#event} + 1)))}" \
        'CDATA that is not closed' query 'DeviceProcessEvents | summarize n = count()' --on open.xml --threads $threads
    check "an instruction that is not closed, $threads threads" 3 "{\"n\":$((1000 - (262144 + ${#event}) / (${#event} + 1)))}" \
        'an instruction that is not closed' query 'DeviceProcessEvents | summarize n = count()' --on open_instruction.xml --threads $threads
done

# --- --as: events say themselves what they are

check "--as with a table that maps fill is only that table" 0 '{"Count":2}' '' query 'DeviceProcessEvents | count' \
    --as DeviceProcessEvents=wevtutil.xml
check "its rows are the same" 0 '{"FileName":"cmd.exe"}' '' query 'DeviceProcessEvents | distinct FileName' \
    --as DeviceProcessEvents=wevtutil.xml
check "and the others are none" 0 '{"Count":0}' 'no input here has data of the table Event' query 'Event | count' \
    --as DeviceProcessEvents=wevtutil.xml
check "--as with another table is refused" 2 '' 'wevtutil.xml: no row of the table SigninLogs is made of Windows events' \
    query 'SigninLogs | count' --as SigninLogs=wevtutil.xml

echo "1..$n"
exit $bad

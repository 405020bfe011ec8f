#!/bin/sh
# lint, the notes of run and query, --map and --keep-duplicates. As TAP.
. "$(dirname "$0")/../support/cli.sh"

rule() { # file, query
    cat >"$1.yaml" <<EOF
id: 11111111-1111-4111-8111-111111111111
name: $1
description: x
severity: High
queryFrequency: 1d
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 0
tactics: [Execution]
relevantTechniques: [T1059]
query: |
  $2
EOF
}

rule sound 'DeviceProcessEvents | where FileName =~ "cmd.exe"'
rule upn 'DeviceProcessEvents | where AccountUpn == "a@b.c" and FileName =~ "cmd.exe"'
rule either 'DeviceProcessEvents | where AccountUpn == "a@b.c" or FileName =~ "cmd.exe"'
rule empty 'DeviceProcessEvents | where isempty(AccountUpn)'
rule branch 'union DeviceProcessEvents, (DeviceProcessEvents | where AccountUpn has "a")'
rule optional 'DeviceProcessEvents | join kind=leftouter (DeviceProcessEvents | where AccountUpn has "a") on ProcessId'
rule never 'DeviceProcessEvents | where "a" == "b"'
rule nobody 'let Watched = datatable(n:string)[]; DeviceProcessEvents | join Watched on $left.FileName == $right.n'
rule needed 'DeviceProcessEvents | join kind=inner (DeviceProcessEvents | where AccountUpn has "a") on ProcessId'
rule counted 'DeviceProcessEvents | where AccountUpn has "a" | count'
rule view 'imProcessCreate | where CommandLine has "net"'
rule bad 'DeviceProcessEvents | where AccountUpm == "a@b.c"'
rule export 'DeviceProcessEvents | where AccountUpn == "a@b.c"'
rule table 'SigninLogs | where ResultType != "0"'
logs=$samples/workstation.evtx

says 'a sound rule' 0 '"sound"' lint "sound.yaml"
says 'one that can match here' 0 'it can match here' lint "sound.yaml" --on "$logs"
says 'a column that is never there' 0 'AccountUpn is never available in DeviceProcessEvents from Sysmon 1' lint "upn.yaml" --on "$logs"
says 'one that need not be there' 0 'it can match here' lint "either.yaml" --on "$logs"
says 'one that is asked to be empty' 0 'it can match here' lint "empty.yaml" --on "$logs"
says 'a rule that is refused' 1 '"Level":"error","Line":1,"Column":29' lint "bad.yaml" --on "$logs"
says 'many rules are counted' 1 'note: 3 rules: 1 with errors, 1 that can'"'"'t match here' lint sound.yaml upn.yaml bad.yaml --on "$logs"
says 'and without logs' 1 'note: 2 rules: 1 with errors' lint sound.yaml bad.yaml
"$k" lint sound.yaml upn.yaml --on "$logs" 2>/dev/null >out
verdict 'the count is no row' "$(grep rules out)"
"$k" lint sound.yaml --on "$logs" 2>err >out
verdict 'one rule is not counted' "$(cat err)"
for name in branch optional view; do
    says "no word of what need not match: $name" 0 'it can match here' lint $name.yaml --on "$logs"
done
says 'a count gives a row of nothing' 0 'nothing is counted here, and the row is there even so: AccountUpn is never available' lint counted.yaml --on "$logs"
says 'what a join needs' 0 "this can't match here: AccountUpn" lint needed.yaml --on "$logs"
says 'conditions that hold for nothing' 0 "this can't match anywhere: its own conditions never hold" lint never.yaml --on "$logs"
says 'a join with nothing' 0 "this can't match anywhere: its own conditions never hold" lint nobody.yaml --on "$logs"
lets='let A0 = materialize(DeviceProcessEvents | where AccountUpn == "a");'
n=0
while [ $n -lt 50 ]; do
    lets="$lets let A$((n + 1)) = materialize(union A$n, A$n);"
    n=$((n + 1))
done
rule deep "$lets A50 | count | where Count > 0"
says 'lets that are each read twice by the next' 0 'it can match here' lint deep.yaml --on "$logs"
"$k" run deep.yaml --on "$logs" >out 2>&1
verdict 'and run' "$(grep error out)"
says 'an export may have every column' 0 'AccountUpn is empty in all 2 rows of DeviceProcessEvents here' lint "export.yaml" --on "$samples/portal-export.csv"
says 'and one that it has' 0 'it can match here' lint "sound.yaml" --on "$samples/portal-export.csv"
says 'a table without data' 0 'no input has data of the table SigninLogs' lint "table.yaml" --on "$logs"
says 'run tells it' 0 "note: upn: this can't match here: AccountUpn" run "upn.yaml" --on "$logs"
says 'query tells it' 0 "note: this can't match here: AccountUpn" query 'DeviceProcessEvents | where AccountUpn has "a"' --on "$logs"
says 'through a view' 0 'AccountUpn is never available' query 'let T = () { DeviceProcessEvents | extend U = AccountUpn }; T | where U has "a"' --on "$logs"

# A QUERY, what it is; the rule can't match over the sample, for want of AccountUpn
cant() {
    rule one "$1"
    says "can't match: $2" 0 "this can't match here: AccountUpn is never available in DeviceProcessEvents from Sysmon 1" lint one.yaml --on "$logs"
    says "and run tells it: $2" 0 "note: one: this can't match here: AccountUpn" run one.yaml --on "$logs"
}
# the same, and it can
can() {
    rule one "$1"
    says "can match: $2" 0 '"Message":"sound, and it can match here"' lint one.yaml --on "$logs"
    "$k" run one.yaml --on "$logs" >out 2>&1
    verdict "and run says nothing: $2" "$(grep "can't match" out)"
}
cant 'imProcessCreate | where TargetUserUpn == "a@b.c"' 'a view'
cant '_Im_ProcessCreate(starttime = datetime(2020-01-01)) | extend U = tolower(TargetUserUpn) | where U has "a"' 'a view with parameters'
can 'imProcessCreate | where TargetUserUpn == "a" or CommandLine has "net"' 'a view, either'
can 'imProcessEvent | where TargetUserUpn == "" | project CommandLine' 'a view, empty'
cant 'union DeviceProcessEvents, DeviceNetworkEvents | where AccountUpn has "a"' 'a union'
cant 'union (DeviceProcessEvents | where AccountUpn has "a"), (DeviceProcessEvents | where AccountUpn has "b")' 'no leg of a union'
can 'union DeviceProcessEvents, (DeviceNetworkEvents | extend AccountUpn = DeviceName) | where AccountUpn has "a"' 'one leg of a union'
cant 'DeviceProcessEvents | project U = AccountUpn, FileName | where isnotempty(U)' 'another name'
cant 'let T = DeviceProcessEvents | extend V = strcat("", AccountUpn); T | where V contains "@"' 'computed'
can 'DeviceProcessEvents | extend V = strcat("x@", AccountUpn) | where V contains "@"' 'computed to something'
can 'DeviceProcessEvents | extend AccountUpn = FileName | where AccountUpn has "a"' 'replaced'
cant 'DeviceProcessEvents | lookup (datatable(FileName:string, Bad:bool)["cmd.exe", true]) on FileName | where AccountUpn has "a"' 'a lookup'
can 'DeviceProcessEvents | lookup (datatable(AccountUpn:string, Bad:bool)["", true]) on AccountUpn | where Bad' 'what a lookup gives'
cant 'DeviceProcessEvents | join kind=inner (DeviceProcessEvents | where AccountUpn has "a" | project ProcessId) on ProcessId' 'what a join needs'
can 'DeviceProcessEvents | join kind=leftanti (DeviceProcessEvents | where AccountUpn has "a") on ProcessId' 'what an anti join leaves'
can 'DeviceProcessEvents | join kind=leftouter (DeviceProcessEvents | where AccountUpn has "a") on ProcessId | where isempty(AccountUpn1)' 'the optional side'
cant 'DeviceProcessEvents | summarize N = count() by AccountUpn | where AccountUpn has "a"' 'a group'
can 'DeviceProcessEvents | summarize N = countif(AccountUpn has "a") by FileName | where N == 0' 'an aggregate'
can 'DeviceProcessEvents | parse ProcessCommandLine with AccountUpn " " * | where AccountUpn has "c"' 'parsed over'
can 'DeviceProcessEvents | extend AccountUpn = pack_array("a") | mv-expand AccountUpn to typeof(string) | where AccountUpn == "a"' 'expanded'
cant 'DeviceProcessEvents | sort by Timestamp asc | extend N = row_number() | where AccountUpn has "a"' 'numbered'

# A QUERY and what is told of it, by lint as a warning and by run as a note; what maps give of a known set of values
set_cant() {
    rule one "$1"
    says "a set, can't match: $1" 0 "\"Message\":\"this can't match here: $2" lint one.yaml --on "$logs"
    "$k" run one.yaml --on "$logs" >/dev/null 2>err
    verdict "and run tells it: $1" "$([ "$(grep -c "^note: one: this can't match here: " err)" = 1 ] || cat err)"
}
tasks='ActionType is only \"ScheduledTaskCreated\", \"ScheduledTaskDeleted\", \"ScheduledTaskEnabled\", \"ScheduledTaskDisabled\", ... in DeviceEvents from Security 4698 to 4702'
set_cant 'DeviceEvents | where ActionType == "ServiceInstalled"' "$tasks; the events that could (Security 4697, System 7045) are in no input"
set_cant 'DeviceEvents | where ActionType == "SmartScreenUrlWarning"' "$tasks\"}"
set_cant 'DeviceEvents | where isempty(ActionType)' "$tasks\"}"
set_cant 'DeviceEvents | extend A = tolower(ActionType) | where A == "foo"' "$tasks\"}"
set_cant 'DeviceEvents | summarize N = count() by ActionType | where ActionType has "foo" and N > 1' "$tasks\"}"
set_cant 'DeviceRegistryEvents | where ActionType == "Foo"' 'no input has events of the table DeviceRegistryEvents'
set_cant 'imAuthentication | where EventResult == "Failure"' 'no input has events of the table DeviceLogonEvents'
can 'DeviceEvents | where ActionType == "UserAccountCreated"' 'one of a set'
can 'DeviceEvents | where tolower(ActionType) in ("foo", "scheduledtaskcreated")' 'one of a set, computed'
can 'DeviceEvents | extend A = strcat(ActionType, "!") | where A == "UserAccountCreated!"' 'one of a set, computed before'
can 'DeviceEvents | where ActionType startswith "User" or FileName == "x"' 'one of a set, or another column'
can 'DeviceEvents | where isnotempty(ActionType)' 'all of a set'
can 'SecurityEvent | where Activity has "4698"' 'what no set is known of'
rule one 'DeviceEvents | where ActionType == "Foo" | count'
says 'a count of nothing' 0 '"Level":"information","Line":1,"Column":22,"Message":"nothing is counted here, and the row is there even so: ActionType is only' lint one.yaml --on "$logs"
mkdir recovered
cp "$logs" recovered/
says 'old records are not a matter of maps' 0 '{"Count":0}' query 'DeviceProcessEvents | where _Recovered | count' --on recovered --slack
"$k" query 'DeviceProcessEvents | where _Recovered' --on recovered --slack >out 2>&1
verdict 'and nothing is said of them' "$(cat out)"

# what rows have that are here, of the columns by which events are told apart
seen="note: this can't match here: no row of"
says 'an EventID that no event has' 0 "$seen SecurityEvent has the EventID that is asked for, only 4698, 4720, 4732" \
    query 'SecurityEvent | where EventID == 4688 and CommandLine has "x"' --on "$logs"
says 'a provider that none has' 0 "$seen Event has the Source that is asked for, only Microsoft-Windows-Security-Auditing, Microsoft-Windows-Sysmon" \
    query 'Event | where Source =~ "Microsoft-Windows-PowerShell" | summarize count() by EventID' --on "$logs"
says 'a channel, through a let and a table function' 0 "$seen WindowsEvent has the Channel that is asked for" query \
    'let of = (c:string) { WindowsEvent | where Channel == c }; of("System") | project Computer' --on "$logs"
echo '{"Type":"DeviceEvents","TimeGenerated":"2026-01-01T00:00:00Z","ActionType":"UsbDriveMounted"}' >usb.ndjson
says 'what an export has' 0 "$seen DeviceEvents has the ActionType that is asked for, only UsbDriveMounted" query \
    'DeviceEvents | where ActionType == "UsbDriveUnmounted"' --on usb.ndjson
rule place 'let a = 1; SecurityEvent | where Account has "x" and EventID == 4688'
says 'lint gives the place of the condition' 0 '"Line":1,"Column":54,' lint place.yaml --on "$logs"
rule call 'let a = 1; imFileEvent | where FilePath has "x"'
says 'of a view the place where it is called' 0 '"Line":1,"Column":12,' lint call.yaml --on "$logs"
rule ids 'SecurityEvent | where EventID in (4688, 4689)'
says 'lint too' 0 "this can't match here: no row of SecurityEvent has the EventID that is asked for, only 4698, 4720, 4732" lint ids.yaml --on "$logs"
for q in 'SecurityEvent | where EventID == 4720 and Account == "nobody"' 'SecurityEvent | where EventID != 4688 and Account == "nobody"' \
    'Event | where EventID + 1 == 4721 and Computer == "x"' 'SecurityEvent | where EventID == 4688 or Account == "nobody"' \
    'union SecurityEvent, (Event | where EventID == 99) | where Computer == "nobody"' \
    'SecurityEvent | summarize n = count() by EventID | where n > 100' 'Event | where isnull(EventID) or Computer == "x"' \
    'SecurityEvent | extend EventID = EventID + 10000 | where EventID == 14720 and Account == "nobody"'; do
    "$k" query "$q" --on "$logs" >out 2>&1
    verdict "nothing is said of $q" "$(cat out)"
done
# what transforms never give: QUERY, the text of the message
events() { # SOURCE, ID and fields, each an event of these logs
    printf '{"@timestamp":"2026-01-15T10:00:00.2Z","Hostname":"WS01","Channel":"%s","SourceName":"%s","EventID":%s,%s}\n' "$1" "$1" "$2" "$3"
}
{
    events Microsoft-Windows-Sysmon 12 '"EventType":"CreateKey","TargetObject":"HKLM\\System\\CurrentControlSet\\Services\\x","Image":"C:\\a\\b.exe"'
    events Microsoft-Windows-Sysmon 13 '"EventType":"SetValue","TargetObject":"HKLM\\System\\CurrentControlSet\\Services\\x\\Start","Details":"DWORD (0x00000004)"'
    events Microsoft-Windows-Sysmon 3 '"Initiated":"true","SourceIp":"10.0.0.2","DestinationIp":"0:0:0:0:0:ffff:a00:1"'
    events Microsoft-Windows-Sysmon 1 '"Image":"C:\\a\\B.exe","ProcessGuid":"{5aa7a0b2-1111-4111-8111-111111111111}","Hashes":"SHA256=ABCD"'
    events Microsoft-Windows-Sysmon 11 '"Image":"C:\\a\\B.exe","TargetFilename":"C:\\a\\c.txt","ProcessGuid":"{5aa7a0b2-1111-4111-8111-111111111111}"'
    events Security 4688 '"NewProcessName":"C:\\a\\B.exe"'
} >changed.ndjson
changed() {
    rule one "$1"
    says "never so: $1" 0 "\"Message\":\"this can't match here: $2" lint one.yaml --on changed.ndjson
    "$k" run one.yaml --on changed.ndjson --now latest >out 2>err
    verdict "and run tells it: $1" "$([ "$(grep -c "^note: one: this can't match here: " err)" = 1 ] || cat err)"
}
kept() {
    rule one "$1"
    says "may be so: $1" 0 '"Message":"sound, and it can match here"' lint one.yaml --on "${2:-changed.ndjson}"
    "$k" run one.yaml --on "${2:-changed.ndjson}" --now latest >out 2>&1
    verdict "and run says nothing: $1" "$(grep "can't match" out)"
}
set001='in DeviceRegistryEvents from Sysmon 12, 13: it reads ControlSet001, as Defender'"'s own rows do"
changed 'DeviceRegistryEvents | where RegistryKey has "CurrentControlSet"' 'RegistryKey never has \"CurrentControlSet\" '"$set001"
changed 'DeviceRegistryEvents | where RegistryKey endswith @"\currentcontrolset\Services\x"' 'RegistryKey never ends with \"\\currentcontrolset\\Services\\x\" '"$set001"
changed 'DeviceRegistryEvents | where RegistryKey has_any ("CurrentControlSet", "HKLM") or tolower(RegistryKey) contains "currentcontrolset"' 'RegistryKey never contains'
changed 'DeviceRegistryEvents | extend K = RegistryKey | where K has "CurrentControlSet" and ActionType has "Value"' 'RegistryKey never has'
changed 'imRegistry | where RegistryKey startswith "hklm"' 'RegistryKey never starts with \"hklm\" in views of DeviceRegistryEvents from Sysmon 12, 13: it reads HKEY_LOCAL_MACHINE'
changed 'DeviceRegistryEvents | where RegistryKey startswith "hklm"' 'RegistryKey never starts with \"hklm\" in DeviceRegistryEvents from Sysmon 12, 13: it reads HKEY_LOCAL_MACHINE'
changed 'DeviceRegistryEvents | where RegistryValueData == "DWORD (0x00000004)"' 'RegistryValueData is never available'
changed 'DeviceProcessEvents | where SHA256 == "ABCD"' 'SHA256 is never \"ABCD\" in DeviceProcessEvents from Sysmon 1: it is in lower case'
changed 'DeviceFileEvents | where InitiatingProcessSHA256 in ("ABCD", "A")' 'InitiatingProcessSHA256 is never'
changed 'DeviceNetworkEvents | where RemoteIP == "::ffff:10.0.0.1"' 'RemoteIP is never \"::ffff:10.0.0.1\" in DeviceNetworkEvents from Sysmon 3: an address has its shortest spelling'
changed 'DeviceNetworkEvents | where RemoteIP startswith "::FFFF:"' 'RemoteIP never starts with'
changed 'DeviceNetworkEvents | where RemoteIPType == "FourToSixMapping"' 'RemoteIPType is never \"FourToSixMapping\"'
changed 'DeviceNetworkEvents | where DeviceName == "WS01"' 'DeviceName is never \"WS01\" in DeviceNetworkEvents from Sysmon 3: it is in lower case'
changed 'DeviceProcessEvents | where "WS01" == DeviceName and FileName == "B.exe"' 'DeviceName is never \"WS01\"'
changed 'DeviceFileEvents | where FileName has @"a\c.txt"' 'FileName never has \"a\\c.txt\" in DeviceFileEvents from Sysmon 11: it is a name without its folder'
changed 'SecurityEvent | where Channel == "System"' 'no row of SecurityEvent has the Channel that is asked for, only Security'
kept 'DeviceRegistryEvents | where RegistryKey !has "CurrentControlSet"'
kept 'DeviceRegistryEvents | where not(RegistryKey has "CurrentControlSet")'
kept 'DeviceRegistryEvents | where RegistryKey has_any ("CurrentControlSet", "ControlSet001")'
kept 'DeviceRegistryEvents | where RegistryKey has "CurrentControlSet" or ActionType contains "key"'
kept 'DeviceRegistryEvents | where RegistryKey matches regex "CurrentControlSet"'
kept 'DeviceRegistryEvents | where RegistryKey startswith "HKEY_LOCAL_MACHINE" and RegistryKey has "ControlSet001"'
kept 'imRegistry | where RegistryKey has "CurrentControlSet"'
kept 'DeviceRegistryEvents | where RegistryKey startswith "H"'
kept 'DeviceProcessEvents | where SHA256 =~ "ABCD"'
kept 'DeviceProcessEvents | where SHA256 == "abcd" and DeviceName has "WS01"'
kept 'DeviceNetworkEvents | where RemoteIP == "10.0.0.1"'
kept 'DeviceFileEvents | where FolderPath has @"a\c.txt"'
kept 'DeviceFileEvents | where InitiatingProcessSHA256 == "abcd"'
kept 'SecurityEvent | where Channel == "Security" or Computer == "WS01"'
# a key that has the word elsewhere is what it is: then the logs are asked
cp changed.ndjson elsewhere.ndjson
events Microsoft-Windows-Sysmon 12 '"EventType":"CreateKey","TargetObject":"HKLM\\Software\\CurrentControlSet\\y"' >>elsewhere.ndjson
kept 'DeviceRegistryEvents | where RegistryKey has "CurrentControlSet"' elsewhere.ndjson
kept 'DeviceRegistryEvents | where RegistryKey has @"SYSTEM\CurrentControlSet\Services"' elsewhere.ndjson
echo '{"Timestamp":"2026-01-15T10:00:00Z","DeviceName":"WS01","ActionType":"RegistryKeyCreated","RegistryKey":"HKLM\\SYSTEM\\CurrentControlSet\\x","RegistryValueName":"","TenantId":"","DeviceId":"","InitiatingProcessFileName":"","Type":"DeviceRegistryEvents","TimeGenerated":"2026-01-15T10:00:00Z"}' >own.ndjson
kept 'DeviceRegistryEvents | where RegistryKey startswith "HKLM" and DeviceName == "WS01"' own.ndjson
rule one 'DeviceRegistryEvents | where RegistryKey has "CurrentControlSet"'
"$k" lint one.yaml --on - <changed.ndjson >out 2>&1
verdict 'a stream is not read for it' "$(grep "can't match" out)"

# what a view or a union makes itself, and what a view's own conditions leave out: QUERY, the note
told() {
    "$k" query "$1" --on "${3:-changed.ndjson}" >out 2>err
    verdict "told: $1" "$([ "$(cat err)" = "note: this can't match here: $2" ] || cat err)"
}
audited() { # ID and fields of an event of the Security log
    printf '{"@timestamp":"2026-01-15T10:00:00.2Z","Hostname":"WS01","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":%s,%s}\n' "$1" "$2"
}
cat changed.ndjson >starts.ndjson
audited 4688 '"NewProcessName":"C:\\a\\B.exe"' >>starts.ndjson
told 'imProcessCreate | where TargetProcessInjectedAddress == "x"' \
    'TargetProcessInjectedAddress is never available in imProcessCreate from Sysmon 1, nor in 1 other source here' starts.ndjson
told 'imProcessCreate | where EventResult == "Failure"' \
    'EventResult is always "Success" in imProcessCreate from Sysmon 1; events of 1 other source here can'"'"'t match either' starts.ndjson
events Microsoft-Windows-Sysmon 5 '"Image":"C:\\a\\b.exe"' >ended.ndjson
told 'imProcessCreate | where TargetProcessInjectedAddress == "x"' \
    'TargetProcessInjectedAddress is never available in imProcessCreate from Sysmon 1' ended.ndjson
"$k" query 'imProcessCreate | where CommandLine has "x"' --on ended.ndjson >out 2>err
verdict 'an end of a process is no reason' "$([ "$(cat err)" = 'note: imProcessCreate: DeviceProcessEvents has no rows here: no input has its events (Sysmon 1, Security 4688)' ] || cat err)"
cat starts.ndjson >>ended.ndjson
told 'imProcessCreate | where TargetProcessInjectedAddress == "x"' \
    'TargetProcessInjectedAddress is never available in imProcessCreate from Sysmon 1, nor in 1 other source here' ended.ndjson
told 'union DeviceProcessEvents, DeviceNetworkEvents | where RemoteIP == "x" and SHA1 == "a"' \
    'the union takes no RemoteIP from DeviceProcessEvents; events of 2 other sources here can'"'"'t match either' starts.ndjson
told '_ASim_Dns | take 1' 'the events that could (Sysmon 22) are in no input' "$logs"
told 'ASimDnsActivityLogs | where DnsQuery has "x"' 'the events that could (Sysmon 22) are in no input' "$logs"
audited 4648 '"TargetUserName":"x"' >>ended.ndjson
for q in 'DeviceProcessEvents | join kind=inner (DeviceLogonEvents | where ActionType == "LogonSuccess") on DeviceName' \
    'DeviceLogonEvents | where ActionType == "LogonSuccess" | join kind=inner (DeviceProcessEvents) on DeviceName' \
    'DeviceProcessEvents | join kind=leftsemi (DeviceLogonEvents | where ActionType == "LogonSuccess") on DeviceName'; do
    told "$q" 'ActionType is always "LogonAttempted" in DeviceLogonEvents from Security 4648; the events that could (Security 4624) are in no input' \
        ended.ndjson
done

# columns that are empty in all rows here which the other filters let pass
{
    audited 1102 '"SubjectUserName":"x"'
    audited 1102 '"SubjectUserName":"y"'
    audited 4688 '"NewProcessName":"C:\\a\\B.exe","CommandLine":"b -x"'
    audited 4689 '"ProcessName":"C:\\a\\B.exe"'
} >audit.ndjson
cleared='CommandLine is empty in all 2 rows of SecurityEvent with EventID 1102 here'
told 'SecurityEvent | where EventID == 1102 and CommandLine has "wevtutil"' "$cleared" audit.ndjson
told 'SecurityEvent | where CommandLine has "wevtutil" | where EventID == 1102 | project Computer' "$cleared" audit.ndjson
told 'SecurityEvent | where EventID == 1102 | extend C = tolower(CommandLine) | summarize count() by C | where C != ""' "$cleared" audit.ndjson
told 'let T = (id:int) { SecurityEvent | where EventID == id }; T(4688) | join kind=inner (T(1102) | where CommandLine has "x") on Computer' "$cleared" audit.ndjson
told 'SecurityEvent | where EventID in (1102, 4689) and CommandLine has "wevtutil"' \
    'CommandLine is empty in all 3 rows of SecurityEvent with EventID 1102, 4689 here' audit.ndjson
told 'SecurityEvent | where EventID == 4689 and CommandLine has "wevtutil"' \
    'CommandLine is empty in the only row of SecurityEvent with EventID 4689 here' audit.ndjson
told 'SecurityEvent | where LogonType == 3' 'LogonType is empty in all 4 rows of SecurityEvent here' audit.ndjson
told 'Event | where RenderedDescription has "cleared"' 'RenderedDescription is empty in all 21 rows of Event here' "$logs"
told 'DeviceProcessEvents | where InitiatingProcessAccountSid == "S-1-5-18"' \
    'InitiatingProcessAccountSid is empty in the only row of DeviceProcessEvents here'
told 'imProcessCreate | where ActorUserSid == "S-1-5-18"' \
    'InitiatingProcessAccountSid is empty in the only row of DeviceProcessEvents here'
rule hollow 'SecurityEvent | where EventID == 1102 and CommandLine has "wevtutil"'
says 'lint tells it with its place' 0 "\"Line\":1,\"Column\":43,\"Message\":\"this can't match here: $cleared" lint hollow.yaml --on audit.ndjson
says 'run too' 0 "note: hollow: this can't match here: $cleared" run hollow.yaml --on audit.ndjson
rule tally 'SecurityEvent | where EventID == 1102 and CommandLine has "wevtutil" | count'
says 'and of what counts nothing' 0 "nothing is counted here, and the row is there even so: $cleared" lint tally.yaml --on audit.ndjson
told 'SecurityEvent | join kind=inner (SecurityEvent | where CommandLine has "x" and EventID == 1102) on Computer' "$cleared" audit.ndjson
# a subquery that gives no row: nothing is in it
told 'SecurityEvent | where Computer in ((SecurityEvent | where EventID == 1102 and CommandLine has "x" | project Computer))' "$cleared" audit.ndjson
told 'let A = DeviceLogonEvents | where ActionType == "LogonFailed" | distinct DeviceName; DeviceProcessEvents | where FileName == "b" or FileName == "c" | where DeviceName in~ (A)' \
    'ActionType is always "LogonAttempted" in DeviceLogonEvents from Security 4648; the events that could (Security 4625) are in no input' ended.ndjson
for q in 'let A = DeviceLogonEvents | where ActionType == "LogonFailed" | distinct DeviceName; DeviceProcessEvents | where DeviceName !in (A) and FileName == "no"' \
    'let A = DeviceLogonEvents | where ActionType == "LogonFailed" | distinct DeviceName; DeviceProcessEvents | where DeviceName in (A) or FileName == "no"' \
    'let A = DeviceLogonEvents | where ActionType == "LogonFailed" | distinct DeviceName; DeviceProcessEvents | where not(DeviceName in (A)) and FileName == "no"' \
    'let A = DeviceLogonEvents | where ActionType == "LogonFailed" | summarize N = count() | project N; DeviceProcessEvents | where ProcessId in (A)' \
    'let A = DeviceLogonEvents | where ActionType == "LogonAttempted" | distinct DeviceName; DeviceProcessEvents | where DeviceName in (A) and FileName == "no"'; do
    kept "$q" ended.ndjson
done
for q in 'SecurityEvent | where EventID == 1102 and isempty(CommandLine)' 'SecurityEvent | where EventID != 1102 and CommandLine has "no"' \
    'SecurityEvent | where EventID == 1102 and (CommandLine has "no" or Account has "no")' \
    'SecurityEvent | where EventID == 1102 and CommandLine !has "x" and Account == "no"' \
    'SecurityEvent | summarize C = take_any(CommandLine), N = count() by EventID | where N > 9' \
    'SecurityEvent | where EventID == 1102 | join kind=leftouter (SecurityEvent | where LogonType == 3) on Computer' \
    'union (SecurityEvent | where EventID == 1102 and CommandLine has "no"), (SecurityEvent | where EventID == 4688 and CommandLine has "no")'; do
    kept "$q" audit.ndjson
done
rule one 'SecurityEvent | where EventID == 1102 and CommandLine has "wevtutil"'
"$k" lint one.yaml --on - <audit.ndjson >out 2>&1
verdict 'a stream is not read for empty columns' "$(grep "can't match" out)"

# QUERY, the note: of a table that these inputs could fill
none='DeviceFileEvents has no rows here: no input has its events (Sysmon 2, 11, 15, 23 and 26, 29)'
empty() {
    "$k" query "$1" --on "$logs" >out 2>err
    verdict "a table without rows: $1" "$([ "$(cat err)" = "${2:+note: $2}" ] || cat err)"
}
empty 'DeviceFileEvents | count' "$none"
empty 'DeviceFileEvents | where FileName has "x" and FolderPath has "y"' "$none"
empty 'DeviceFileEvents | where Timestamp > datetime(2026-01-01) | summarize count() by FileName' "$none"
empty 'DeviceFileEvents | extend A = InitiatingProcessParentFileName | where A == "x"' "$none"
empty 'imFileEvent | count' "imFileEvent: $none"
empty 'union DeviceFileEvents, DeviceProcessEvents | count' "$none"
empty 'union DeviceFileEvents, DeviceRegistryEvents | count' \
    'DeviceFileEvents, DeviceRegistryEvents have no rows here: no input has their events'
empty 'DeviceProcessEvents | where FileName == "no such"' ''
empty 'DeviceProcessEvents | where Timestamp < datetime(2000-01-01) | count' ''
empty 'DeviceEvents | where ActionType == "NamedPipeEvent" | count' ''
empty 'DeviceFileEvents | where ActionType == "FileCreated"' "this can't match here: no input has events of the table DeviceFileEvents (Sysmon 2, 11, 15, 23 and 26, 29)"
empty 'DeviceFileEvents | where FileName has "x"' "$none"
empty 'let A = DeviceFileEvents | distinct DeviceName; DeviceProcessEvents | where DeviceName in (A)' "$none"
empty 'DeviceProcessEvents | where DeviceName !in ((DeviceFileEvents | project DeviceName)) | count' "$none"
empty 'DeviceFileEvents | take 0' ''
empty 'imProcessEvent | count' ''
# NAME, EVENT ID, FIELD of an event of Sysmon's, as three writers give it
writers() {
    f='"@timestamp":"2026-01-15T10:00:00.2Z"'
    p=Microsoft-Windows-Sysmon
    echo "{$f,\"winlog\":{\"event_data\":{\"$3\":\"a.exe\"},\"computer_name\":\"W\",\"channel\":\"$p/Operational\",\"event_id\":$2,\"provider_name\":\"$p\"}}" >"$1-winlogbeat.ndjson"
    echo "{\"$3\":\"a.exe\",$f,\"Hostname\":\"W\",\"Channel\":\"$p/Operational\",\"SourceName\":\"$p\",\"EventID\":$2}" >"$1-nxlog.ndjson"
    echo "<Events><Event><System><Channel>$p/Operational</Channel><Computer>W</Computer><Provider Name='$p'/><EventID>$2</EventID></System><EventData><Data Name='$3'>a.exe</Data></EventData></Event></Events>" >"$1.xml"
}
writers start 1 CommandLine
writers dns 22 QueryName
# QUERY, TABLE; text that is judged before it is known what the event is
unmet() {
    for f in dns-winlogbeat.ndjson dns-nxlog.ndjson dns.xml; do
        says "no events of its kind in $f: $1" 0 "note: $2 has no rows here: no input has its events" query "$1" --on $f
    done
    for f in start-winlogbeat.ndjson start-nxlog.ndjson start.xml; do
        "$k" query "$1" --on $f >out 2>&1
        verdict "events of its kind, none with that text, in $f: $1" "$(grep 'no rows here' out)"
    done
}
unmet 'DeviceProcessEvents | where FileName has "vssadmin"' DeviceProcessEvents
unmet 'DeviceProcessEvents | where DeviceName has "vssadmin" and FileName =~ "x"' DeviceProcessEvents
unmet 'DeviceProcessEvents | where ProcessCommandLine has "vssadmin"' DeviceProcessEvents
for f in start-winlogbeat.ndjson start-nxlog.ndjson start.xml; do
    says "another table's: $f" 0 'note: SecurityEvent has no rows here' query 'SecurityEvent | where CommandLine has "vssadmin"' --on $f
    says "another table's channel: $f" 0 'note: SecurityEvent has no rows here' query 'SecurityEvent | where Channel has "x"' --on $f
    rule text 'SecurityEvent | where CommandLine has "vssadmin"'
    says "run tells it: $f" 0 'note: SecurityEvent has no rows here' run text.yaml --on $f
done
for thread in 1 2; do
    says "with $thread threads" 0 "note: $none" query 'DeviceFileEvents | count' --on "$logs" --threads $thread
done

old='no event passed the filters, and the newest one is of 2026-01-14T13:00:10.72Z: ago() and now() mean today'
# QUERY; the note comes (or with a second argument: does not)
asks() {
    "$k" query "$1" --on "$logs" >out 2>err
    if [ -z "$2" ]; then verdict "old logs: $1" "$(grep -qF "$old" err || echo "no note: $(cat out err)")"; else
        verdict "no word of old logs: $1" "$(cat err)"
    fi
}
asks 'DeviceProcessEvents | where Timestamp > ago(1h)'
asks 'DeviceProcessEvents | where Timestamp > ago(1h) | count'
asks 'DeviceProcessEvents | where Timestamp between (ago(2h) .. ago(1h)) | summarize N = count(), F = make_set(FileName)'
asks 'imProcessCreate(starttime = ago(1d)) | count'
asks '_Im_NetworkSession(starttime = ago(1d), endtime = now()) | summarize count() by DstIpAddr'
asks 'let since = ago(1d); union DeviceProcessEvents, DeviceEvents | where TimeGenerated > since | count'
asks 'print now()' no
asks 'DeviceProcessEvents | where Timestamp < ago(1h) | count' no
asks 'DeviceProcessEvents | where Timestamp > datetime(2100-01-01) | count' no
"$k" query 'DeviceProcessEvents | where Timestamp > ago(1h) | count' --on "$logs" --now latest >out 2>err
verdict 'nor when now is the newest event' "$(cat err)"
rule hour 'DeviceProcessEvents | where TimeGenerated > ago(1h) | summarize N = count() | where N > 5'
"$k" run hour.yaml --on "$logs" --replay >out 2>err
verdict 'a replay has its own now' "$(cat err)"
says 'an export without a row' 0 'note: DeviceFileEvents has no rows here' query 'DeviceFileEvents | count' --on "$samples/defender-streaming.ndjson"
rule files 'DeviceFileEvents | where FileName has "x"'
says 'run tells of a table without rows' 0 "note: $none" run files.yaml --on "$logs"
says 'lint too' 0 "this can't match here: no input has events of the table DeviceFileEvents (Sysmon 2, 11, 15, 23 and 26, 29)" lint files.yaml --on "$logs"
says 'inspect does not' 0 '"Table":"DeviceEvents"' inspect "$logs"
verdict 'inspect asks for all tables' "$(grep 'no rows' out)"
says 'schema tells what a column is worth' 0 'unavailable: Sysmon 1, Security 4688' schema DeviceProcessEvents

printf '[table T_CL]\nTimeGenerated: datetime\n[map T_CL from x]\nwhen $Kind proxy\n' >"when.map"
says 'a map with a wrong line' 2 'when.map:4:' query 'print 1' --map "when.map"
printf '[map DeviceProcessEvents from x]\nFileNam = a\n' >"column.map"
says 'a map with a wrong column' 2 "column.map:2:1: the table has no column 'FileNam'" query 'print 1' --map "column.map"
printf '[map DeviceProcessEvents from x]\nFileName = basenam(a)\n' >"transform.map"
says 'a map with a wrong transform' 2 "transform.map:2:12: there is no transform 'basenam'" query 'print 1' --map "transform.map"
# FILE, NAME THAT IS MEANT, LINES OF A MAP
means() {
    printf "$3" >"$1.map"
    says "a map means another $1" 2 "did you mean '$2'?" query 'print 1' --map "$1.map"
}
means column FileName '[map DeviceProcessEvents from x]\nFileNam = a\n'
means never FileName '[map DeviceProcessEvents from x]\nnever FileNam\n'
means transform basename '[map DeviceProcessEvents from x]\nFileName = basenam(a)\n'
means names 'logon types' '[map DeviceProcessEvents from x]\nFileName = name(a, logon type)\n'
means table DeviceProcessEvents '[map DeviceProcesEvents from x]\nFileName = a\n'
means group device '[map DeviceProcessEvents from x]\nuse devise\n'
means system EventID '[map DeviceProcessEvents from x]\nwhen $EvenID: 1\n'
means parent FolderPath '[map DeviceProcessEvents from x]\nFileName = @FoldrPath\n'
printf '[map DeviceProcessEvents from x]\nQuiteElse = a\n' >"column.map"
"$k" query 'print 1' --map "column.map" >out 2>&1
verdict 'and no other when none is near' "$(grep 'did you mean' out)"
printf '[map DeviceProcessEvents from x]\nFileName = {a: b\n' >"open.map"
says 'a map with an open object' 2 'open.map:2:' query 'print 1' --map "open.map"
says 'a map that is not there' 2 'No such file' query 'print 1' --map "none.map"

cat >"twice.ndjson" <<'EOF'
{"@timestamp":"2026-01-15T10:00:00.2Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"UtcTime":"2026-01-15 10:00:00.1","ProcessId":77,"Image":"C:\\a.exe"}
{"@timestamp":"2026-01-15T10:00:01Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"NewProcessId":"0x4d","NewProcessName":"C:\\A.EXE"}
{"@timestamp":"2026-01-15T10:00:09Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"NewProcessId":"0x4d","NewProcessName":"C:\\A.EXE"}
EOF
says 'a start that two logs tell is one row' 0 '{"Count":2}' query 'DeviceProcessEvents | count' --on "twice.ndjson"
says 'unless both are wanted' 0 '{"Count":3}' query 'DeviceProcessEvents | count' --on "twice.ndjson" --keep-duplicates
gzip -c "twice.ndjson" >"twice.ndjson.gz"
says 'also in a compressed file' 0 '{"Count":2}' query 'DeviceProcessEvents | count' --on "twice.ndjson.gz"

printf 'TenantId,TimeGenerated [Local Time],Computer,SyslogMessage\nt,"10/25/2023, 9:43:21.990 AM",c1,m\n' >local.csv
refused="run refuses this here: local.csv: the times behind 'TimeGenerated' are local, of a zone that the file does not tell"
rule timed 'Syslog | where TimeGenerated > datetime(2023-01-01) | project Computer'
rule untimed 'Syslog | where Computer == "c1" | project Computer'
rule inner 'Syslog | project Computer | join kind=inner (Syslog | project Computer, TimeGenerated) on Computer'
rule branched 'union (Syslog | project Computer), (Syslog | project TimeGenerated)'
for each in timed inner branched; do
    says "a local time that run refuses: $each" 0 "\"Level\":\"warning\",\"Line\":null,\"Column\":null,\"Message\":\"$refused" lint $each.yaml --on local.csv
    says "and the option is told: $each" 0 '--timezone says which' lint $each.yaml --on local.csv
    says "run does refuse it: $each" 2 "the times behind 'TimeGenerated' are local" run $each.yaml --on local.csv
    "$k" lint $each.yaml --on local.csv --timezone UTC >out 2>&1
    verdict "not with its zone: $each" "$(grep refuses out)"
done
says 'a rule that asks for no time' 0 'it can match here' lint untimed.yaml --on local.csv
says 'and runs' 0 '"AlertName":"untimed"' run untimed.yaml --on local.csv
says 'each rule for itself' 0 'it can match here' lint timed.yaml untimed.yaml --on local.csv
"$k" lint timed.yaml --on - --as Syslog=- <local.csv >out 2>&1
verdict 'a stream is left alone' "$(grep refuses out)"
in=twice.ndjson
check 'standard input twice' 2 '' "standard input ('-') is given twice" query 'print 1' --on - --on -
check 'and as a table' 2 '' "standard input ('-') is given twice" query 'print 1' --on - --as T=-
says 'names of sources are told apart' 0 'unavailable: Security 5156 (outgoing), Security 5156 (incoming), Security 5154' schema DeviceNetworkEvents
check 'a stream is read once' 0 '{"Count":3}' 'a start that Sysmon and Security both tell is two rows' query 'DeviceProcessEvents | count' --on -
printf 'SecurityEvent\n| count\n' >plain.kql
printf '// what: this\nlet a = 1;\nSecurityEvent | extend b = "c: d"\n' >notyaml.kql
printf 'name: no query\n' >plain.yaml
for file in plain notyaml; do
    for command in lint 'run --on twice.ndjson'; do
        says "a query alone has a hint, $file, $command" 2 "a query without a rule is run by 'kequel query --file $file.kql'" $command $file.kql
    done
done
"$k" lint plain.yaml >out 2>&1
verdict "a rule without a query has none" "$(grep -q "it has no 'query'$" out || cat out)"
echo "1..$n"
exit $bad

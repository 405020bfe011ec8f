#!/bin/sh
# The ASIM views over the tables of Defender and Sentinel, as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

# NAME, the rows wanted (lines joined by blanks), the query; standard error must be empty
view() {
    "$k" query "$3" --as DeviceProcessEvents=process.json --as DeviceFileEvents=file.json \
        --as DeviceRegistryEvents=registry.json --as DeviceNetworkEvents=network.json --as DeviceLogonEvents=logon.json \
        --as DeviceEvents=dns.json --as SecurityEvent=security.json --as WindowsEvent=windows.json \
        --as ASimProcessEventLogs=native.json </dev/null >out 2>err
    text=$(tr '\n' ' ' <out | sed 's/ $//')
    why=
    [ "$text" = "$2" ] || why="'$text'"
    [ ! -s err ] || why="$why; $(tr '\n' ' ' <err)"
    verdict "$1" "$why"
}

cat >process.json <<'EOF'
{"Timestamp":"2026-01-01T10:00:00Z","DeviceName":"ws1.corp.example","ActionType":"ProcessCreated","FileName":"net.exe","FolderPath":"C:\\Windows\\System32\\net.exe","ProcessCommandLine":"net user x /add","ProcessId":100,"SHA1":"aa11","MD5":"bb22","AccountDomain":"CORP","AccountName":"alice","AccountSid":"S-1-5-21-1","LogonId":999,"InitiatingProcessFileName":"cmd.exe","InitiatingProcessFolderPath":"C:\\Windows\\System32\\cmd.exe","InitiatingProcessCommandLine":"cmd /c net user","InitiatingProcessId":90,"InitiatingProcessAccountName":"bob","InitiatingProcessParentFileName":"explorer.exe","InitiatingProcessParentId":80,"ReportId":7}
{"Timestamp":"2026-01-02T10:00:00Z","DeviceName":"ws2","ActionType":"ProcessCreated","FileName":"ping.exe","FolderPath":"C:\\Windows\\System32\\PING.EXE","ProcessCommandLine":"ping 10.1.2.3","ProcessId":101,"SHA256":"cc33","AccountName":"carol","InitiatingProcessFileName":"net.exe"}
{"Timestamp":"2026-01-02T10:00:00Z","DeviceName":"ws2","ActionType":"OpenProcess","FileName":"lsass.exe","ProcessCommandLine":"net user"}
EOF
cat >native.json <<'EOF'
{"TimeGenerated":"2026-01-03T10:00:00Z","EventType":"ProcessCreated","EventProduct":"Other","DvcHostname":"mac","TargetProcessName":"/bin/sh","TargetProcessCommandLine":"sh -c id","TargetUsername":"root","TargetProcessSHA256":"dd44"}
{"TimeGenerated":"2026-01-03T11:00:00Z","EventType":"ProcessTerminated","EventProduct":"Other","DvcHostname":"mac","TargetProcessName":"/bin/sh"}
EOF
cat >file.json <<'EOF'
{"Timestamp":"2026-01-01T10:00:00Z","DeviceName":"ws1","ActionType":"FileCreated","FileName":"a.exe","FolderPath":"C:\\Users\\x\\a.exe","SHA256":"ee55","FileSize":12,"InitiatingProcessFolderPath":"C:\\b.exe","InitiatingProcessCommandLine":"b /x","InitiatingProcessAccountDomain":"CORP","InitiatingProcessAccountName":"alice"}
{"Timestamp":"2026-01-01T10:00:01Z","DeviceName":"ws1","ActionType":"FileRenamed","FileName":"c.txt","FolderPath":"\\\\srv\\s\\c.txt","PreviousFolderPath":"C:\\Users\\x\\b.txt","PreviousFileName":"b.txt"}
EOF
cat >registry.json <<'EOF'
{"Timestamp":"2026-01-01T10:00:00Z","DeviceName":"ws1","ActionType":"RegistryValueSet","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\Run","RegistryValueName":"evil","RegistryValueType":"String","RegistryValueData":"c:\\e.exe","InitiatingProcessFolderPath":"C:\\reg.exe"}
{"Timestamp":"2026-01-01T10:00:01Z","DeviceName":"ws1","ActionType":"RegistryValueDeleted","PreviousRegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\Run","PreviousRegistryValueName":"old","PreviousRegistryValueData":"1"}
EOF
cat >network.json <<'EOF'
{"Timestamp":"2026-01-01T10:00:00Z","DeviceName":"ws1","ActionType":"ConnectionSuccess","LocalIP":"10.0.0.5","LocalPort":50000,"RemoteIP":"203.0.113.9","RemotePort":443,"RemoteUrl":"evil.example","Protocol":"Tcp","InitiatingProcessFolderPath":"C:\\b.exe","InitiatingProcessAccountName":"alice"}
{"Timestamp":"2026-01-01T10:00:01Z","DeviceName":"ws1","ActionType":"InboundConnectionAccepted","LocalIP":"10.0.0.5","LocalPort":445,"RemoteIP":"10.0.0.7","RemotePort":50001,"Protocol":"Tcp","InitiatingProcessFolderPath":"System"}
{"Timestamp":"2026-01-01T10:00:02Z","DeviceName":"ws1","ActionType":"ConnectionFailed","LocalIP":"10.0.0.5","LocalPort":50002,"RemoteIP":"198.51.100.1","RemotePort":22,"Protocol":"Tcp"}
{"Timestamp":"2026-01-01T10:00:03Z","DeviceName":"ws1","ActionType":"ListeningConnectionCreated","LocalIP":"10.0.0.5","LocalPort":80}
EOF
cat >logon.json <<'EOF'
{"Timestamp":"2026-01-01T10:00:00Z","DeviceName":"srv","ActionType":"LogonSuccess","LogonType":"Network","AccountDomain":"CORP","AccountName":"alice","RemoteIP":"10.0.0.7","RemoteDeviceName":"ws9","Protocol":"NTLM","LogonId":5}
{"Timestamp":"2026-01-01T10:00:01Z","DeviceName":"srv","ActionType":"LogonFailed","LogonType":"RemoteInteractive","AccountName":"bob","RemoteIP":"203.0.113.9","FailureReason":"InvalidUserNameOrPassword"}
{"Timestamp":"2026-01-01T10:00:02Z","DeviceName":"srv","ActionType":"LogonAttempted","AccountName":"eve","RemoteDeviceName":"other"}
EOF
cat >dns.json <<'EOF'
{"Timestamp":"2026-01-01T10:00:00Z","DeviceName":"ws1","ActionType":"DnsQueryResponse","InitiatingProcessFolderPath":"C:\\b.exe","InitiatingProcessAccountName":"alice","AdditionalFields":{"DnsQueryString":"evil.example","QueryStatus":"0","QueryResults":"203.0.113.9;"}}
{"Timestamp":"2026-01-01T10:00:01Z","DeviceName":"ws1","ActionType":"DnsQueryResponse","AdditionalFields":{"DnsQueryString":"gone.example","QueryStatus":"9003"}}
{"Timestamp":"2026-01-01T10:00:02Z","DeviceName":"ws1","ActionType":"NamedPipeEvent","AdditionalFields":{"PipeName":"x"}}
EOF
cat >security.json <<'EOF'
{"TimeGenerated":"2026-01-01T10:05:00Z","Computer":"ws1","EventID":4689,"SubjectDomainName":"CORP","SubjectUserName":"alice","SubjectUserSid":"S-1-5-21-1","ProcessId":"0x64","ProcessName":"C:\\Windows\\System32\\net.exe","Status":"0x0"}
{"TimeGenerated":"2026-01-01T10:06:00Z","Computer":"srv","EventID":4634,"TargetDomainName":"CORP","TargetUserName":"alice","TargetLogonId":"0x5","LogonType":3}
{"TimeGenerated":"2026-01-01T10:06:00Z","Computer":"srv","EventID":4672,"SubjectUserName":"alice"}
EOF
cat >windows.json <<'EOF'
{"TimeGenerated":"2026-01-01T10:07:00Z","Computer":"ws1","Provider":"Microsoft-Windows-Sysmon","EventID":5,"EventRecordId":"9","EventData":{"Image":"C:\\x\\y.exe","ProcessId":"77","ProcessGuid":"{ab-1}","User":"CORP\\alice"}}
{"TimeGenerated":"2026-01-02T13:00:00Z","Computer":"ws1","Provider":"Microsoft-Windows-Sysmon","EventID":1,"EventData":{"Image":"C:\\x\\y.exe"}}
EOF

# --- processes

view "process starts of a Defender table, of WindowsEvent and of a native one" \
    '{"Process":"C:\\Windows\\System32\\net.exe","User":"CORP\\alice","Dvc":"ws1.corp.example"} {"Process":"C:\\Windows\\System32\\PING.EXE","User":"carol","Dvc":"ws2"} {"Process":"C:\\x\\y.exe","User":"","Dvc":"ws1"} {"Process":"/bin/sh","User":"root","Dvc":"mac"}' \
    'imProcessCreate | project Process, User, Dvc'
view "Target is the new process, Acting its creator, Parent the creator's creator" \
    '{"TargetProcessFilename":"net.exe","TargetProcessId":"100","ActingProcessName":"C:\\Windows\\System32\\cmd.exe","ActingProcessId":"90","ParentProcessName":"explorer.exe","ParentProcessId":"80","ActorUsername":"bob","ActorUsernameType":"Simple"}' \
    'imProcessCreate | where CommandLine has "net user" | project TargetProcessFilename, TargetProcessId, ActingProcessName, ActingProcessId, ParentProcessName, ParentProcessId, ActorUsername, ActorUsernameType'
view "columns of every event" \
    '{"EventType":"ProcessCreated","EventResult":"Success","EventCount":1,"EventSchema":"ProcessEvent","EventOriginalUid":"7","EventStartTime":"2026-01-01T10:00:00Z","Hash":"aa11","HashType":"SHA1","DvcFQDN":"ws1.corp.example","TargetUserIdType":"SID","EventProduct":""}' \
    'imProcessCreate | where Hash == "aa11" | project EventType, EventResult, EventCount, EventSchema, EventOriginalUid, EventStartTime, Hash, HashType, DvcFQDN, TargetUserIdType, EventProduct'
one() { # the parameters that leave one process
    view "imProcessCreate($2)" "{\"TargetProcessId\":\"$1\"}" "imProcessCreate($2) | project TargetProcessId"
}
one 100 'endtime = datetime(2026-01-01T12:00)'
one 101 'starttime = datetime(2026-01-01T12:00), endtime = datetime(2026-01-02T12:00)'
one 100 'datetime(null), datetime(2026-01-01T12:00)'
one 100 'commandline_has_any = dynamic(["nothing", "user"])'
one 100 'commandline_has_all = dynamic(["add", "user"])'
one 101 'commandline_has_any_ip_prefix = dynamic(["10.1."])'
one 100 'actingprocess_has_any = dynamic(["cmd.exe"])'
one 101 'targetprocess_has_any = dynamic(["ping.exe"])'
one 100 'parentprocess_has_any = dynamic(["explorer.exe"])'
one 100 'targetusername_has = "alice"'
one 100 'targetusername = "alice"'
one 100 'actorusername_has = "bob"'
one 101 'dvchostname_has_any = dynamic(["ws2"])'
one 101 'hashes_has_any = dynamic(["cc33", "ff"])'
one 100 'hashes_has_any = dynamic(["bb22"])'
view "no row when disabled" '{"Count":0}' 'imProcessCreate(disabled = true) | count'
view "no row of another type" '{"Count":0}' 'imProcessCreate(eventtype = "ProcessTerminated") | count'
view "no row when a device's address is asked for: it is not known" '{"Count":0}' \
    'imProcessCreate(dvcipaddr_has_any_prefix = dynamic(["10."])) | count'
view "pack changes nothing" '{"Count":4}' '_Im_ProcessCreate(pack = true) | count'
view "ends of processes, of Sysmon, Security and native" \
    '{"EventProduct":"Security Events","Process":"C:\\Windows\\System32\\net.exe","TargetProcessFilename":"net.exe","TargetProcessId":"100","TargetProcessGuid":"","ActorUsername":"CORP\\alice"} {"EventProduct":"Sysmon","Process":"C:\\x\\y.exe","TargetProcessFilename":"y.exe","TargetProcessId":"77","TargetProcessGuid":"ab-1","ActorUsername":"CORP\\alice"} {"EventProduct":"Other","Process":"/bin/sh","TargetProcessFilename":"","TargetProcessId":"","TargetProcessGuid":"","ActorUsername":""}' \
    'imProcessTerminate | project EventProduct, Process, TargetProcessFilename, TargetProcessId, TargetProcessGuid, ActorUsername'
view "starts and ends" '{"EventType":"ProcessCreated","count_":4} {"EventType":"ProcessTerminated","count_":3}' \
    'imProcessEvent | summarize count() by EventType | sort by EventType asc'
view "only ends" '{"EventType":"ProcessTerminated","count_":3}' \
    '_Im_ProcessEvent(eventtype = "ProcessTerminated") | summarize count() by EventType'

# --- the others

view "files" \
    '{"EventType":"FileCreated","FilePath":"C:\\Users\\x\\a.exe","TargetFileName":"a.exe","TargetFileDirectory":"C:\\Users\\x","TargetFileExtension":"exe","TargetFilePathType":"Windows Local","SrcFilePath":"","Hash":"ee55","User":"CORP\\alice","Process":"C:\\b.exe"} {"EventType":"FileRenamed","FilePath":"\\\\srv\\s\\c.txt","TargetFileName":"c.txt","TargetFileDirectory":"\\\\srv\\s","TargetFileExtension":"txt","TargetFilePathType":"Windows Share","SrcFilePath":"C:\\Users\\x\\b.txt","Hash":"","User":"","Process":""}' \
    'imFileEvent | project EventType, FilePath, TargetFileName, TargetFileDirectory, TargetFileExtension, TargetFilePathType, SrcFilePath, Hash, User, Process'
view "files by parameters" '{"FileName":"a.exe"}' \
    '_Im_FileEvent(eventtype_in = dynamic(["filecreated"]), targetfilepath_has_any = dynamic(["Users"]), actorusername_has_any = dynamic(["alice"]), hashes_has_any = dynamic(["ee55"]), dvchostname_has_any = dynamic(["ws1"])) | project FileName'
view "files by their former path" '{"FileName":"c.txt"}' \
    'imFileEvent(srcfilepath_has_any = dynamic(["b.txt"])) | project FileName'
view "registry, and what was deleted" \
    '{"EventType":"RegistryValueSet","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\Run","RegistryValue":"evil","RegistryValueType":"Reg_Sz","RegistryValueData":"c:\\e.exe","Process":"C:\\reg.exe"} {"EventType":"RegistryValueDeleted","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\Run","RegistryValue":"old","RegistryValueType":"","RegistryValueData":"","Process":""}' \
    'imRegistry | project EventType, RegistryKey, RegistryValue, RegistryValueType, RegistryValueData, Process'
view "registry by parameters" '{"RegistryValue":"evil"}' \
    '_Im_RegistryEvent(eventtype_in = dynamic(["RegistryValueSet"]), registrykey_has_any = dynamic(["Run"]), registryvalue_has_any = dynamic(["evil"]), registrydata_has_any = dynamic(["e.exe"])) | project RegistryValue'
view "network sessions: the source is who connects" \
    '{"NetworkDirection":"Outbound","SrcIpAddr":"10.0.0.5","DstIpAddr":"203.0.113.9","DstPortNumber":443,"DstHostname":"evil.example","SrcUsername":"alice","EventResult":"Success","NetworkProtocol":"TCP"} {"NetworkDirection":"Outbound","SrcIpAddr":"10.0.0.5","DstIpAddr":"198.51.100.1","DstPortNumber":22,"DstHostname":"","SrcUsername":"","EventResult":"Failure","NetworkProtocol":"TCP"} {"NetworkDirection":"Inbound","SrcIpAddr":"10.0.0.7","DstIpAddr":"10.0.0.5","DstPortNumber":445,"DstHostname":"ws1","SrcUsername":"","EventResult":"Success","NetworkProtocol":"TCP"}' \
    'imNetworkSession | project NetworkDirection, SrcIpAddr, DstIpAddr, DstPortNumber, DstHostname, SrcUsername, EventResult, NetworkProtocol'
view "network sessions by parameters" '{"DstPortNumber":445,"ASimMatchingIpAddr":"SrcIpAddr"} {"DstPortNumber":443,"ASimMatchingIpAddr":"DstIpAddr"}' \
    'union (imNetworkSession(dstportnumber = 445, ipaddr_has_any_prefix = dynamic(["10.0.0.7"]))), (_Im_NetworkSession(dstipaddr_has_any_prefix = dynamic(["203.0."]), srcipaddr_has_any_prefix = dynamic(["10.0."]), hostname_has_any = dynamic(["evil"]), eventresult = "Success", ipaddr_has_any_prefix = dynamic(["203."]))) | project DstPortNumber, ASimMatchingIpAddr'
view "sign-ins and sign-outs" \
    '{"EventType":"Logon","EventResult":"Success","EventResultDetails":"","EventSubType":"Remote","User":"CORP\\alice","SrcIpAddr":"10.0.0.7","Src":"ws9","LogonTarget":"srv"} {"EventType":"Logon","EventResult":"Failure","EventResultDetails":"No such user or password","EventSubType":"RemoteInteractive","User":"bob","SrcIpAddr":"203.0.113.9","Src":"203.0.113.9","LogonTarget":"srv"} {"EventType":"Logoff","EventResult":"Success","EventResultDetails":"","EventSubType":"Remote","User":"CORP\\alice","SrcIpAddr":"","Src":"","LogonTarget":"srv"}' \
    'imAuthentication | project EventType, EventResult, EventResultDetails, EventSubType, User, SrcIpAddr, Src, LogonTarget'
view "sign-ins by parameters" '{"TargetUsername":"bob"}' \
    '_Im_Authentication(username_has_any = dynamic(["bob", "carol"]), eventtype_in = dynamic(["Logon"]), eventresult = "Failure", srcipaddr_has_any_prefix = dynamic(["203."]), eventresultdetails_in = dynamic(["No such user or password"])) | project TargetUsername'
view "DNS" \
    '{"DnsQuery":"evil.example","DnsResponseName":"203.0.113.9;","DnsResponseCode":0,"DnsResponseCodeName":"NOERROR","EventResult":"Success","Domain":"evil.example","Process":"C:\\b.exe","User":"alice","Src":"ws1"} {"DnsQuery":"gone.example","DnsResponseName":"","DnsResponseCode":3,"DnsResponseCodeName":"NXDOMAIN","EventResult":"Failure","Domain":"gone.example","Process":"","User":"","Src":"ws1"}' \
    'imDns | project DnsQuery, DnsResponseName, DnsResponseCode, DnsResponseCodeName, EventResult, Domain, Process, User, Src'
view "DNS by parameters" '{"DnsQuery":"gone.example"} {"DnsQuery":"evil.example"}' \
    'union (_Im_Dns(responsecodename = "NXDOMAIN")), (imDns(domain_has_any = dynamic(["evil"]), response_has_ipv4 = "203.0.113.9", response_has_any_prefix = dynamic(["203."]))) | project DnsQuery'

# --- over logs as they are

same() { # NAME, two queries that must give the same rows
    "$k" query "$2" --on "$samples" >a 2>a.err
    "$k" query "$3" --on "$samples" >b 2>b.err
    why=
    [ -s a ] || why="no rows; "
    cmp -s a b || why="$why$(diff a b | head -3 | tr '\n' ' ')"
    verdict "$1" "$why"
}
same "a view has the rows of the table below it" \
    'imProcessCreate | where CommandLine has "net user" | project TimeGenerated, Dvc, TargetProcessName, CommandLine, ActingProcessName | sort by TimeGenerated asc, CommandLine asc' \
    'DeviceProcessEvents | where ProcessCommandLine has "net user" | project TimeGenerated, Dvc = DeviceName, TargetProcessName = FolderPath, CommandLine = ProcessCommandLine, ActingProcessName = InitiatingProcessFolderPath | sort by TimeGenerated asc, CommandLine asc'
same "and all of them" 'imProcessCreate | count' 'DeviceProcessEvents | where ActionType == "ProcessCreated" | count'
"$k" query 'imProcessCreate | where Process has "cmd.exe" | summarize by CommandLine | sort by CommandLine asc' --on "$samples" >a 2>/dev/null
"$k" query 'imProcessCreate | where Process has "cmd.exe" | summarize by CommandLine | sort by CommandLine asc' --on "$samples" --no-optimize >b 2>/dev/null
verdict "the same rows without the optimizer" "$(cmp a b 2>&1)"
"$k" query 'imDns | count' --as DeviceLogonEvents=logon.json >out 2>err
verdict "a view without any data says so once" "$(grep -c . err | grep -v '^1$'; grep -v 'no input here has data of a table that imDns reads' err)"
"$k" functions imProcessCreate >out 2>err
verdict "functions describes a view" "$(grep -q '"Kind":"stored function","Signature":"imProcessCreate(starttime:datetime = datetime(null), ' out || cat out err)"
"$k" schema imProcessCreate >out 2>err
verdict "schema lists a view's columns" "$(grep -q '{"Column":"User","Type":"string","From":"computed from DeviceProcessEvents.AccountDomain, DeviceProcessEvents.AccountName; ASimProcessEventLogs.TargetUsername"}' out || cat err)"
cat >rule.yaml <<'EOF'
id: 00000000-0000-0000-0000-000000000001
name: Accounts made on the command line
kind: Scheduled
description: A rule on a view.
severity: Low
queryFrequency: 1h
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 0
query: |
  imProcessCreate(starttime = ago(1d))
  | where TargetProcessFilename =~ "net.exe" and CommandLine has "user"
EOF
"$k" run rule.yaml --on "$samples" >out 2>err
verdict "a rule on a view replays" "$(grep -q '"AlertName":"Accounts made on the command line"' out || cat out err)"
"$k" schema imProcesCreate >out 2>err
verdict "and what each is made of" "$("$k" schema imRegistry | grep -c '"From":"the event behind DeviceRegistryEvents; ASimRegistryEventLogs.RegistryKey"' | grep -v '^1$')"
verdict "schema knows a view that is meant" "$(grep -q "did you mean 'imProcessCreate'" err || cat err)"
# --- which log told a row

cat >events.ndjson <<'EOF'
{"@timestamp":"2026-01-15T10:00:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe"}
{"@timestamp":"2026-01-15T10:01:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"NewProcessId":"0x4e","NewProcessName":"C:\\b.exe"}
{"@timestamp":"2026-01-15T10:02:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":11,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","TargetFilename":"C:\\c.txt"}
{"@timestamp":"2026-01-15T10:03:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":3,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","Initiated":"true","Protocol":"tcp","SourceIp":"10.0.0.1","SourcePort":"5","DestinationIp":"10.0.0.2","DestinationPort":"80"}
{"@timestamp":"2026-01-15T10:04:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":22,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","QueryName":"x.example","QueryStatus":"0"}
{"@timestamp":"2026-01-15T10:05:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":13,"EventType":"SetValue","ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","TargetObject":"HKLM\\a\\b","Details":"x"}
{"@timestamp":"2026-01-15T10:06:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4624,"TargetUserName":"alice","TargetDomainName":"CORP","LogonType":"3"}
EOF
told() { # VIEW, PRODUCTS, more arguments
    name="EventProduct of $1" of=$1 want=$2
    shift 2
    check "$name" 0 "{\"Vendor\":[\"Microsoft\"],\"Product\":[$want]}" '' query \
        "$of | summarize Vendor = make_set(EventVendor), Product = make_list(EventProduct)" "$@"
}
told imProcessCreate '"Sysmon","Security Events"' --on events.ndjson
told imFileEvent '"Sysmon"' --on events.ndjson
told imNetworkSession '"Sysmon"' --on events.ndjson
told imDns '"Sysmon"' --on events.ndjson
told imRegistry '"Sysmon"' --on events.ndjson
told imAuthentication '"Security Events"' --on events.ndjson
echo '{"TimeGenerated":"2026-01-01T10:00:00Z","TenantId":"t","SourceSystem":"","Type":"DeviceProcessEvents","ActionType":"ProcessCreated","ProcessUniqueId":"7"}' >tenant.json
told imProcessCreate '""' --as DeviceProcessEvents=tenant.json
echo '{"TimeGenerated":"2026-01-01T10:00:00Z","SourceSystem":"s","Type":"DeviceProcessEvents","ActionType":"ProcessCreated","ProcessUniqueId":"7"}' >system.json
told imProcessCreate '""' --as DeviceProcessEvents=system.json
check 'a filter on it' 0 '{"Process":"C:\\b.exe"}' '' query 'imProcessCreate | where EventProduct == "Security Events" | project Process' --on events.ndjson
# what the events have, and no table of Defender
cat >guids.ndjson <<'EOF'
{"@timestamp":"2026-01-15T10:00:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ParentProcessGuid":"{5770385F-0000-0001-0000-000000000000}","ProcessId":77,"Image":"C:\\a.exe","Hashes":"MD5=AA,IMPHASH=BB"}
{"@timestamp":"2026-01-15T10:00:01Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"ProcessGuid":"{5770385F-0000-0001-0000-000000000002}","ParentProcessGuid":"{5770385F-0000-0001-0000-000000000001}","LogonGuid":"{5770385F-0000-0002-0000-000000000000}","CurrentDirectory":"C:\\x\\","Hashes":"MD5=AA,IMPHASH=CC","ProcessId":78,"Image":"C:\\b.exe"}
{"@timestamp":"2026-01-15T10:05:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":13,"EventType":"SetValue","ProcessGuid":"{5770385F-0000-0001-0000-000000000002}","ProcessId":78,"Image":"C:\\b.exe","TargetObject":"HKLM\\SYSTEM\\CurrentControlSet\\Services\\x\\Start","Details":"x"}
{"@timestamp":"2026-01-15T10:06:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":14,"EventType":"RenameKey","ProcessGuid":"{5770385F-0000-0001-0000-000000000002}","ProcessId":78,"Image":"C:\\b.exe","TargetObject":"HKLM\\SYSTEM\\CurrentControlSet\\Services\\x","NewName":"HKLM\\SYSTEM\\CurrentControlSet\\Services\\y"}
{"@timestamp":"2026-01-15T10:07:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4657,"ObjectName":"\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\x","ObjectValueName":"Start","NewValue":"2","OldValue":"3","OldValueType":"%%1876","ProcessId":"0x4e","ProcessName":"C:\\b.exe"}
EOF
check 'what Sysmon tells of a process' 0 '{"TargetProcessGuid":"5770385F-0000-0001-0000-000000000002","ActingProcessGuid":"5770385F-0000-0001-0000-000000000001","ParentProcessGuid":"5770385F-0000-0001-0000-000000000000","TargetProcessCurrentDirectory":"C:\\x\\","TargetProcessIMPHASH":"cc","ActingProcessIMPHASH":"bb","TargetUserSessionGuid":"5770385F-0000-0002-0000-000000000000"}' '' \
    query 'imProcessCreate(hashes_has_any = dynamic(["cc"])) | project TargetProcessGuid, ActingProcessGuid, ParentProcessGuid, TargetProcessCurrentDirectory, TargetProcessIMPHASH, ActingProcessIMPHASH, TargetUserSessionGuid' --on guids.ndjson
check 'and with --slack, which has one more column' 0 '{"TargetProcessGuid":"5770385F-0000-0001-0000-000000000002","_Recovered":false,"TargetProcessCurrentDirectory":"C:\\x\\"}' '' \
    query 'imProcessCreate(hashes_has_any = dynamic(["cc"])) | project TargetProcessGuid, _Recovered, TargetProcessCurrentDirectory' --on guids.ndjson --slack
check 'keys of the registry are as Sysmon wrote them but for the hive' 0 '{"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\x","RegistryPreviousKey":"","RegistryValue":"Start","EventOriginalType":"13","ActingProcessGuid":"5770385F-0000-0001-0000-000000000002","ParentProcessGuid":"5770385F-0000-0001-0000-000000000001"} {"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\y","RegistryPreviousKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\x","RegistryValue":"","EventOriginalType":"14","ActingProcessGuid":"5770385F-0000-0001-0000-000000000002","ParentProcessGuid":"5770385F-0000-0001-0000-000000000001"}' '' \
    query 'imRegistry | where RegistryKey has "CurrentControlSet" | project RegistryKey, RegistryPreviousKey, RegistryValue, EventOriginalType, ActingProcessGuid, ParentProcessGuid' --on guids.ndjson
check 'and those of the table as Defender has them' 0 '{"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\x"} {"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\y"} {"RegistryKey":"HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\x"}' '' \
    query 'DeviceRegistryEvents | project RegistryKey' --on guids.ndjson
check 'what kind of change it was, and of value' 0 '{"EventOriginalSubType":"SetValue","RegistryPreviousValueType":""} {"EventOriginalSubType":"RenameKey","RegistryPreviousValueType":""} {"EventOriginalSubType":"","RegistryPreviousValueType":"Reg_DWord"}' '' \
    query 'imRegistry | project EventOriginalSubType, RegistryPreviousValueType' --on guids.ndjson
for of in imProcessCreate:1,4688 imFileEvent:11 imNetworkSession:3 imDns:22 imRegistry:13 imAuthentication:4624; do
    want=$(echo "${of#*:}" | sed 's/,/","/g')
    check "EventOriginalType and DvcOs of events: ${of%:*}" 0 "{\"Type\":[\"$want\"],\"Os\":[\"Windows\"]}" '' \
        query "${of%:*} | summarize Type = make_list(EventOriginalType), Os = make_set(DvcOs)" --on events.ndjson
done
check 'process GUIDs of the other views' 0 '{"n":3}' '' \
    query 'union (imFileEvent | project G = ActingProcessGuid), (imNetworkSession | project G = SrcProcessGuid), (imDns | project G = SrcProcessGuid) | summarize n = countif(G == "5770385F-0000-0001-0000-000000000001")' --on events.ndjson
cat >ids.ndjson <<'EOF'
{"@timestamp":"2026-01-15T10:00:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","LogonId":"0x3e7","RuleName":"starts"}
{"@timestamp":"2026-01-15T10:01:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"NewProcessId":"0x4e","NewProcessName":"C:\\b.exe","SubjectLogonId":"0x5","TargetLogonId":"0x0"}
{"@timestamp":"2026-01-15T10:02:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":11,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","TargetFilename":"C:\\c.txt","CreationUtcTime":"2026-01-15 10:01:59.250","RuleName":"-"}
{"@timestamp":"2026-01-15T10:03:00Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":3,"ProcessGuid":"{5770385F-0000-0001-0000-000000000001}","ProcessId":77,"Image":"C:\\a.exe","Initiated":"false","RuleName":"net","SourceIp":"10.0.0.1"}
{"@timestamp":"2026-01-15T10:04:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":5156,"Direction":"%%14593","Application":"C:\\b.exe","SourceAddress":"10.0.0.1","FilterRTID":"65"}
{"@timestamp":"2026-01-15T10:05:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4624,"TargetUserName":"alice","TargetLogonId":"0x1f","SubjectLogonId":"0x3e7"}
{"@timestamp":"2026-01-15T10:06:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4634,"TargetUserName":"alice","TargetLogonId":"0x1f"}
{"@timestamp":"2026-01-15T10:07:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4657,"ObjectName":"\\REGISTRY\\USER\\x","SubjectLogonId":"0x1f"}
EOF
check 'sessions of processes are called as in the event' 0 '{"TargetUserSessionId":"0x3e7","ActorSessionId":"","Rule":"starts"} {"TargetUserSessionId":"0x5","ActorSessionId":"0x5","Rule":""}' '' \
    query 'imProcessCreate | project TargetUserSessionId, ActorSessionId, Rule' --on ids.ndjson
check 'so that a sign-out has that of its sign-in' 0 '{"TargetSessionId":"0x1f","Types":["Logon","Logoff"],"Actor":["0x3e7"]}' '' \
    query 'imAuthentication | summarize Types = make_list(EventType), Actor = make_set_if(ActorSessionId, isnotempty(ActorSessionId)) by TargetSessionId' --on ids.ndjson
check 'and other events that of who did it' 0 '{"ActorSessionId":"0x1f","RegistryKey":"HKEY_USERS\\x"}' '' \
    query 'imRegistry | project ActorSessionId, RegistryKey' --on ids.ndjson
view 'Defender has numbers' '{"TargetUserSessionId":"999"}' 'imProcessCreate | where isnotempty(TargetUserSessionId) | project TargetUserSessionId'
check "a file's own time and who made it" 0 '{"TargetFileCreationTime":"2026-01-15T10:01:59.25Z","RuleName":"","ActorSessionId":"0x3e7"}' '' \
    query 'imFileEvent | project TargetFileCreationTime, RuleName, ActorSessionId' --on ids.ndjson
check 'rules and products of network sessions' 0 '{"EventProduct":"Sysmon","Rule":"net","NetworkRuleNumber":null,"DvcAction":""} {"EventProduct":"Windows Firewall","Rule":"65","NetworkRuleNumber":65,"DvcAction":"Allow"}' '' \
    query 'imNetworkSession | project EventProduct, Rule, NetworkRuleNumber, DvcAction, TimeGenerated | sort by TimeGenerated asc | project-away TimeGenerated' --on ids.ndjson
printf '%s\n' '{"@timestamp":"2026-01-15T10:04:00Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":5156,"Direction":"%%14593","FilterRTID":"x"}' >unfit.ndjson
says 'a value that is none is told by the name that the view has' 3 'NetworkRuleNumber' query 'imNetworkSession | project NetworkRuleNumber' --on unfit.ndjson
verdict 'and no other' "$(grep "_NetworkRuleNumber" out)"
printf '%s\n' '{"@timestamp":"2026-01-15T10:00:00Z","Hostname":"W","Channel":"S","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Hashes":"IMPHASH=BB"}' >hash.ndjson
check 'an IMPHASH is a hash where there is no other' 0 '{"Hash":"bb","HashType":"IMPHASH"}' '' query 'imProcessCreate | project Hash, HashType' --on hash.ndjson
view 'rows of Defender keep their ActionType, and no event is behind them' '{"EventOriginalType":"RegistryValueSet","EventProduct":"","DvcOs":"","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\Run"} {"EventOriginalType":"RegistryValueDeleted","EventProduct":"","DvcOs":"","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\Run"}' \
    'imRegistry | project EventOriginalType, EventProduct, DvcOs, RegistryKey'
cat >mine.map <<'EOF'
[shape mine]
reader json
is mine
data
Kind: mine
Time: ts
Computer: host
RecordID: host
EventID: mine

[map DeviceRegistryEvents from mine]
when $Kind: 1
same names
use device
Timestamp = $Time
ActionType = "RegistryValueSet"
EOF
printf '%s\n' '{"mine":1,"host":"H","ts":"2026-01-01T10:00:00Z","RegistryKey":"HKEY_USERS\\x","_RegistryKey":"no","_EventProduct":"no","_DvcOs":"no"}' >mine.ndjson
check "nor behind those of a user's own map" 0 '{"EventOriginalType":"RegistryValueSet","EventProduct":"","DvcOs":"","RegistryKey":"HKEY_USERS\\x"}' '' \
    query 'imRegistry | project EventOriginalType, EventProduct, DvcOs, RegistryKey' --on mine.ndjson --map mine.map
printf '%s\n' '{"TimeGenerated":"2026-01-01T10:00:00Z","_RegistryKey":"no","_EventProduct":"no","RegistryKey":"HKEY_USERS\\x","ActionType":"RegistryValueSet"}' >named.json
check 'what an export has under such a name is none' 0 '{"EventProduct":"","RegistryKey":"HKEY_USERS\\x"}' '' \
    query 'imRegistry | project EventProduct, RegistryKey' --as DeviceRegistryEvents=named.json
says 'a hidden column is none to a query' 2 "unknown column '_EventProduct'" query 'DeviceProcessEvents | project _EventProduct' --on guids.ndjson
verdict 'nor is it meant' "$(grep "did you mean '_" out)"
printf '%s\n' '[map DeviceProcessEvents from mine]' '_EventProduct = "x"' >names.map
says 'nor to a map' 2 "the table has no column '_EventProduct'" query 'DeviceProcessEvents' --map names.map
printf '%s\n' '[table Mine]' 'hidden A: string' >names.map
says 'which can not have its own' 2 'only tables that come with kequel have hidden columns' query 'Mine' --map names.map
says 'a note speaks of the column of the view' 0 'EventOriginalType is always "1" in views of DeviceProcessEvents from Sysmon 1' query 'imProcessCreate | where EventOriginalType == "4689"' --on guids.ndjson
check 'a search does not look at them' 0 '{"Count":0}' '' query 'search in (DeviceRegistryEvents) "CurrentControlSet" | count' --on guids.ndjson

# inputs that hold no table that a view reads
printf '%s\n%s\n' 'TimeGenerated,Provider,EventID,EventData,Type' '2026-01-01T10:00:00Z,p,1,{},WindowsEvent' >exported.csv
printf '%s\n%s\n' 'TimeGenerated,Computer,SyslogMessage,Type' '2026-01-01T10:00:00Z,c,m,Syslog' >syslog.csv
echo '{"TimeGenerated":"2026-01-01T10:00:00Z","EventID":1,"Type":"SecurityEvent"}' >exported.json
cat >exported.xml <<'EOF'
<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='p'/><EventID>1102</EventID><TimeCreated SystemTime='2026-01-14T10:00:00Z'/><Channel>Security</Channel></System></Event>
EOF
for view in imProcessCreate _Im_NetworkSession imNetworkSession imAuthentication imFileEvent; do
    for rest in '' ' | where EventResult == "x"'; do
        [ "$view$rest" = imAuthentication ] && continue # SecurityEvent has events here
        says "no table of a view: $view$rest" 0 "note: no input here has data of a table that $view reads" query "$view$rest" --on syslog.csv
        says "no event of a view, CSV: $view$rest" 0 'no input has ' query "$view$rest" --on exported.csv
        says "no event of a view: $view$rest" 0 'no input has ' query "$view$rest" --on exported.json
        says "nor of XML: $view$rest" 0 'no input has ' query "$view$rest" --on exported.xml
    done
done
check 'what a CSV export names is there' 0 '{"Count":1}' '' query 'WindowsEvent | count' --on exported.csv
{ # the last of many rows, in other letters
    echo TimeGenerated,Type,DeviceName
    i=0
    while [ $((i += 1)) -le 300 ]; do echo '2026-01-01T10:00:00Z,SigninLogs,a'; done
    echo '2026-01-01T10:00:00Z,deviceprocessevents,b'
} >late.csv
check 'a table that a late row names' 0 '{"DeviceName":"b"}' '' query 'DeviceProcessEvents | project DeviceName' --on late.csv
says 'and one that none does' 0 'no input here has data of the table DeviceFileEvents' query 'DeviceFileEvents' --on late.csv
{ # so many names that nothing is said of others
    echo TimeGenerated,Type,DeviceName
    echo '2026-01-01T10:00:00Z,SigninLogs,a'
    i=0
    while [ $((i += 1)) -le 200 ]; do echo "2026-01-01T10:00:00Z,T$i,a"; done
    echo '2026-01-01T10:00:00Z,DeviceProcessEvents,b'
} >many.csv
check 'many names' 0 '{"DeviceName":"b"}' '' query 'DeviceProcessEvents | project DeviceName' --on many.csv

# --- tables of the schemas are views too

for table in ASimProcessEventLogs ASimFileEventLogs ASimRegistryEventLogs ASimNetworkSessionLogs ASimAuthenticationEventLogs ASimDnsActivityLogs; do
    "$k" query "table('$table') | getschema | project ColumnName, ColumnType, ColumnOrdinal" </dev/null >want 2>/dev/null
    "$k" query "$table | getschema | project ColumnName, ColumnType, ColumnOrdinal" </dev/null >got 2>/dev/null
    verdict "$table has its columns" "$([ "$(wc -l <want)" -gt 80 ] && cmp want got 2>&1)"
done
view "starts and ends in the table of processes" \
    '{"Type":"ASimProcessEventLogs","EventType":"ProcessCreated","n":4} {"Type":"ASimProcessEventLogs","EventType":"ProcessTerminated","n":3}' \
    'ASimProcessEventLogs | summarize n = count() by Type, EventType | sort by EventType asc'
view "the table itself has no starts of the logs" '{"EventType":"ProcessCreated","n":1} {"EventType":"ProcessTerminated","n":3}' \
    'table("ASimProcessEventLogs") | summarize n = count() by EventType | sort by EventType asc'
view "the other tables" '{"Type":"ASimAuthenticationEventLogs","n":3} {"Type":"ASimDnsActivityLogs","n":2} {"Type":"ASimFileEventLogs","n":2} {"Type":"ASimNetworkSessionLogs","n":3} {"Type":"ASimRegistryEventLogs","n":2}' \
    'union ASimFileEventLogs, ASimRegistryEventLogs, ASimNetworkSessionLogs, ASimAuthenticationEventLogs, ASimDnsActivityLogs | summarize n = count() by Type | sort by Type asc'
check "a search tells what is in the logs once, and of no table that nothing fills" 0 '{"$table":"DeviceProcessEvents","n":2} {"$table":"DeviceNetworkEvents","n":1} {"$table":"Event","n":3} {"$table":"WindowsEvent","n":3}' '' \
    query 'search "certutil" | summarize n = count() by $table' --on "$samples/workstation.evtx"
check "a pattern that names the views takes them" 0 '{"Type":"ASimProcessEventLogs","n":17} {"Type":"ASimNetworkSessionLogs","n":1}' 'no input here has data' \
    query 'union ASim* | summarize n = count() by Type' --on "$samples/workstation.evtx"
cat >ends.json <<'EOF'
{"TimeGenerated":"2026-01-15T10:00:00Z","Type":"Event","Computer":"WS01","Source":"Microsoft-Windows-Sysmon","EventLog":"Microsoft-Windows-Sysmon/Operational","EventID":5,"EventData":"<DataItem type=\"System.XmlData\"><EventData><Data Name=\"Image\">C:\\a.exe</Data></EventData></DataItem>"}
{"TimeGenerated":"2026-01-15T10:00:00Z","Type":"Event","Computer":"WS01","Source":"Microsoft-Windows-Security-Auditing","EventLog":"Security","EventID":4634,"EventData":"<DataItem type=\"System.XmlData\"><EventData><Data Name=\"TargetUserName\">alice</Data></EventData></DataItem>"}
{"TimeGenerated":"2026-01-15T10:00:00Z","Type":"WindowsEvent","Computer":"WS02","Provider":"Microsoft-Windows-Security-Auditing","Channel":"Security","EventID":4647,"EventData":{"TargetUserName":"bob"}}
EOF
check "ends in exports of Event and WindowsEvent" 0 '{"Type":"Event","User":"alice"} {"Type":"WindowsEvent","User":"bob"}' '' \
    query '_Im_Authentication | project Type, User | sort by User asc' --on ends.json
check "and of processes" 0 '{"Process":"C:\\a.exe"}' '' query 'imProcessTerminate | project Process' --on ends.json
printf '%s\n' '[table imDns]' 'Mine: string' >own.map
check "a table of the user's own wins over a view" 0 '{"ColumnName":"Mine"}' '' query 'imDns | getschema | project ColumnName' --map own.map

echo "1..$n"
exit $bad

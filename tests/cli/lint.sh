#!/bin/sh
# lint, the notes of run and query, --map and --keep-duplicates. As TAP.
kequel=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

check() { # name, wanted exit code, wanted text in the output, command...
    name=$1 code=$2 text=$3
    shift 3
    count=$((count + 1))
    "$@" >"$work/out" 2>&1
    got=$?
    if [ "$got" = "$code" ] && grep -qF -- "$text" "$work/out"; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        echo "# exit $got, wanted $code and: $text"
        sed 's/^/# /' "$work/out"
    fi
}

rule() { # file, query
    cat >"$work/$1.yaml" <<EOF
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
rule action 'DeviceEvents | where ActionType == "DriverLoad" | where InitiatingProcessFileName has "x"'
rule bad 'DeviceProcessEvents | where AccountUpm == "a@b.c"'
rule export 'DeviceProcessEvents | where AccountUpn == "a@b.c"'
rule table 'SigninLogs | where ResultType != "0"'
logs=samples/workstation.evtx

check 'a sound rule' 0 '"sound"' "$kequel" lint "$work/sound.yaml"
check 'one that can match here' 0 'it can match here' "$kequel" lint "$work/sound.yaml" --on $logs
check 'a column that is never there' 0 'AccountUpn is never available in DeviceProcessEvents from Sysmon 1' "$kequel" lint "$work/upn.yaml" --on $logs
check 'one that need not be there' 0 'it can match here' "$kequel" lint "$work/either.yaml" --on $logs
check 'one that is asked to be empty' 0 'it can match here' "$kequel" lint "$work/empty.yaml" --on $logs
check 'a rule that is refused' 1 '"Level":"error","Line":1,"Column":29' "$kequel" lint "$work/bad.yaml" --on $logs
check 'an export may have every column' 0 'it can match here' "$kequel" lint "$work/export.yaml" --on samples/portal-export.csv
check 'a table without data' 0 'no input has data of the table SigninLogs' "$kequel" lint "$work/table.yaml" --on $logs
check 'run tells it' 0 "note: upn: this can't match here: AccountUpn" "$kequel" run "$work/upn.yaml" --on $logs
check 'query tells it' 0 "note: this can't match here: AccountUpn" "$kequel" query 'DeviceProcessEvents | where AccountUpn has "a"' --on $logs
check 'through a view' 0 'AccountUpn is never available' "$kequel" query 'let T = () { DeviceProcessEvents | extend U = AccountUpn }; T | where U has "a"' --on $logs
check 'schema tells what a column is worth' 0 'unavailable: Sysmon 1, Security 4688' "$kequel" schema DeviceProcessEvents

printf '[table T_CL]\nTimeGenerated: datetime\n[map T_CL from x]\nwhen $Kind proxy\n' >"$work/when.map"
check 'a map with a wrong line' 2 'when.map:4:' "$kequel" query 'print 1' --map "$work/when.map"
printf '[map DeviceProcessEvents from x]\nFileNam = a\n' >"$work/column.map"
check 'a map with a wrong column' 2 "column.map:2:1: the table has no column 'FileNam'" "$kequel" query 'print 1' --map "$work/column.map"
printf '[map DeviceProcessEvents from x]\nFileName = basenam(a)\n' >"$work/transform.map"
check 'a map with a wrong transform' 2 "transform.map:2:12: there is no transform 'basenam'" "$kequel" query 'print 1' --map "$work/transform.map"
printf '[map DeviceProcessEvents from x]\nFileName = {a: b\n' >"$work/open.map"
check 'a map with an open object' 2 'open.map:2:' "$kequel" query 'print 1' --map "$work/open.map"
check 'a map that is not there' 2 'No such file' "$kequel" query 'print 1' --map "$work/none.map"

cat >"$work/twice.ndjson" <<'EOF'
{"@timestamp":"2026-01-15T10:00:00.2Z","Hostname":"W","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"UtcTime":"2026-01-15 10:00:00.1","ProcessId":77,"Image":"C:\\a.exe"}
{"@timestamp":"2026-01-15T10:00:01Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"NewProcessId":"0x4d","NewProcessName":"C:\\A.EXE"}
{"@timestamp":"2026-01-15T10:00:09Z","Hostname":"W","Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","EventID":4688,"NewProcessId":"0x4d","NewProcessName":"C:\\A.EXE"}
EOF
check 'a start that two logs tell is one row' 0 '{"Count":2}' "$kequel" query 'DeviceProcessEvents | count' --on "$work/twice.ndjson"
check 'unless both are wanted' 0 '{"Count":3}' "$kequel" query 'DeviceProcessEvents | count' --on "$work/twice.ndjson" --keep-duplicates
gzip -c "$work/twice.ndjson" >"$work/twice.ndjson.gz"
check 'also in a compressed file' 0 '{"Count":2}' "$kequel" query 'DeviceProcessEvents | count' --on "$work/twice.ndjson.gz"
count=$((count + 1))
if [ "$("$kequel" query 'DeviceProcessEvents | count' --on - <"$work/twice.ndjson")" = '{"Count":3}' ]; then
    echo "ok $count - a stream is read once"
else
    echo "not ok $count - a stream is read once"
fi
echo "1..$count"

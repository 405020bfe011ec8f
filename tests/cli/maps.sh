#!/bin/sh
# Maps of a user's own (--map): what is wrong in one is told with its line and column; as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

# NAME, LINE:COLUMN AND MESSAGE, then the map's lines
fault() {
    name=$1 words=$2
    shift 2
    printf '%s\n' "$@" >wrong.map
    says "$name" 2 "wrong.map:$words" query 'print 1' --map wrong.map
}
t='[table T_CL]'
c='TimeGenerated: datetime'
s='[shape mine]'
m='[map T_CL from mine]'

fault "a line before any section" "1:1: expected a [section] first" "$c"
fault "a section that does not end" "1:12: expected ']'" '[table T_CL'
fault "a section of no kind" "1:2: expected table, names, shape, group or map, not 'tabel'" '[tabel T_CL]'
fault "a section without a name" "1:2: a section needs a name" '[table]'
fault "a table twice" "3:8: there is already a table 'T_CL'" "$t" "$c" "$t"
fault "a table that is builtin" "1:8: there is already a table 'Event'" '[table Event]'
fault "names twice" "3:8: there are already names 'n'" '[names n]' '1 = a' '[names n]'
fault "a code without a name" "2:1: expected 'code = name'" '[names n]' 'one'
fault "a code twice" "3:1: there is already a name of 'a1'" '[names n]' 'A1 = x' 'a1 = y'
fault "bytes that are no UTF-8" "2:2: this is no UTF-8" "$t" "$(printf 'C\377de: int')"
fault "a control character" "2:2: a control character" "$t" "$(printf 'C\001de: int')"
fault "a field of a shape without an expression" "2:7: expected 'field Name: expression'" "$s" 'field X'
fault "a field of other words" "2:7: expected 'field Name of EventID, EventID: expression'" "$s" 'field X for 1: y'
fault "a field twice" "3:7: the shape has this field already: 'X'" "$s" 'field X: y' 'field X: z'
fault "a hidden column" "2:1: only tables that come with kequel have hidden columns" "$t" 'hidden C: int'
fault "a type that is none" "2:7: there is no type 'number'" "$t" 'Code: number'
fault "a column twice" "3:11: there is already a column 'B'" "$t" 'string: A B' 'string: C B'
fault "a column without a type" "2:1: expected 'Column: type'" "$t" 'Code'
fault "one instant of one column" "2:6: expected two columns" "$t" 'same A A'
fault "a reader that is none" "2:14: there is no reader 'yaml'" "$s" 'reader json, yaml'
fault "a map of no table" "1:6: there is no table 'Evnt'" '[map Evnt from x]'
fault "a map from nothing" "3:11: expected 'from' and a name" "$t" "$c" '[map T_CL of x]'
fault "a column that is none" "4:1: the table has no column 'TimeGenerate'" "$t" "$c" "$m" 'TimeGenerate = ts'
fault "an expression that is none" "4:16: expected a field" "$t" "$c" "$m" 'TimeGenerated = '
fault "a transform that is none" "4:17: there is no transform 'lowr'" "$t" "$c" "$m" 'TimeGenerated = lowr(ts)'
fault "a system name that is none" "4:18: no shape has the system name 'Tiem'" "$t" "$c" "$m" 'TimeGenerated = $Tiem'
fault "when without values" "4:6: expected 'when \$Name: value, value'" "$t" "$c" "$m" 'when $EventID:'
fault "when with none but commas" "4:6: expected 'when \$Name: value, value'" "$t" "$c" "$m" 'when $EventID: ,'
fault "when with a name that no shape has" "4:6: no shape has the system name 'Evnt'" "$t" "$c" "$m" 'when $Evnt: 1'
fault "when without a colon, of such a name" "4:6: no shape has the system name 'Evnt'" "$t" "$c" "$m" 'when $Evnt'
fault "unless without values" "4:8: expected 'when \$Name: value, value'" "$t" "$c" "$m" 'unless $EventID'
fault "a group that is none" "4:5: there is no group 'devic'" "$t" "$c" "$m" 'use devic'
fault "a parent's column that is none" "4:18: DeviceProcessEvents has no column 'FileNam'" "$t" "$c" "$m" 'TimeGenerated = @FileNam'
says "a near name is told" 2 "did you mean 'FileName'?" query 'print 1' --map wrong.map
printf '%s\n' "$t" "$c" "$m" 'TimeGenerate = ts' >wrong.map
says "of columns" 2 "did you mean 'TimeGenerated'?" query 'print 1' --map wrong.map
says "a map that is not there" 2 'none.map: No such file' query 'print 1' --map none.map

# --- what is right

printf '%s\n' '[names n]' '1 = one' "$t" "$c" 'a: string' "$s" 'reader json' 'is kind' data 'Kind: kind' 'Time: ts' "$m" 'when $Kind' \
    'TimeGenerated = $Time' 'a = name($Kind, n)' >mine.map
echo '{"ts":"2026-01-01T00:00:00Z","kind":1}' >mine.ndjson
check "when \$Name takes the records of the shapes that have it" 0 '{"a":"one"}' '' query 'T_CL | where a == "one" | project a' \
    --map mine.map --on mine.ndjson
check "events of a shape that has no \$EventID are no Windows events" 0 '{"n":1}' 'Event, WindowsEvent have no rows here' query \
    'union Event, WindowsEvent, T_CL | summarize n = count()' --map mine.map --on mine.ndjson

# any table of Log Analytics can be filled
cat >paloalto.map <<'EOF'
[shape firewall]
reader csv
is receive_time, threat
data
Kind: "firewall"
Time: receive_time

[map CommonSecurityLog from the firewall]
when $Kind
TimeGenerated = $Time
DeviceVendor = "Palo Alto Networks"
SourceIP = src
DestinationPort = dport
EOF
printf '%s\n' receive_time,src,dport,threat 2026-01-01T10:00:00Z,10.0.0.5,443,no >firewall.csv
check "a map of a table of Log Analytics" 0 '{"SourceIP":"10.0.0.5","DestinationPort":443,"DeviceVendor":"Palo Alto Networks"}' '' \
    query 'CommonSecurityLog | project SourceIP, DestinationPort, DeviceVendor' --map paloalto.map --on firewall.csv
says "and what it lacks is told" 0 "DestinationIP is never available in CommonSecurityLog from the firewall" \
    query 'CommonSecurityLog | where DestinationIP == "1.2.3.4"' --map paloalto.map --on firewall.csv
fault "a map of a column that such a table does not have" "2:1: the table has no column 'SourceIp'" '[map CommonSecurityLog from x]' 'SourceIp = src'

echo "1..$n"
exit $bad

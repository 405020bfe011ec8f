#!/bin/sh
# Columns that are a string in Defender and a dynamic in Sentinel (dynamic|string in the schema), as TAP. Takes the program.
. "$(dirname "$0")/../support/cli.sh"

cat >ev.ndjson <<'X'
{"Timestamp":"2026-01-14T00:00:00Z","ActionType":"A0","FileName":"x.exe","ReportId":0,"AdditionalFields":"{\"Pipe\":\"\\\\x\",\"N\":5}"}
{"Timestamp":"2026-01-14T00:00:01Z","ActionType":"A1","FileName":"x.exe","ReportId":1,"AdditionalFields":""}
{"Timestamp":"2026-01-14T00:00:02Z","ActionType":"A2","FileName":"y.exe","ReportId":2,"AdditionalFields":"{\"N\":7}"}
{"Timestamp":"2026-01-14T00:00:03Z","ActionType":"A3","FileName":"y.exe","ReportId":3,"AdditionalFields":"{\"N\":7}"}
X
cp ev.ndjson other.ndjson

# NAME, EXPECTED ROWS, what stands behind "DeviceEvents |"
q() {
    check "$1" 0 "$2" '' query "DeviceEvents | $3" --as DeviceEvents=ev.ndjson --as BehaviorInfo=other.ndjson --format ndjson
}

# --- where no dynamic may stand, the text does

q "grouped by" '{"AdditionalFields":"{\"Pipe\":\"\\\\x\",\"N\":5}","n":1} {"AdditionalFields":"","n":1} {"AdditionalFields":"{\"N\":7}","n":2}' \
    'summarize n = count() by AdditionalFields'
q "grouped by, renamed and handed on" '{"Y":"{\"N\":7}"}' \
    'extend X = AdditionalFields | where X has "7" | project-rename Y = X | distinct Y'
q "the other columns of a group" '{"AdditionalFields":"{\"N\":7}","Timestamp":"2026-01-14T00:00:03Z","ReportId":3}' \
    'where FileName == "y.exe" | project Timestamp, ReportId, AdditionalFields | summarize arg_max(Timestamp, *) by AdditionalFields'
q "what was grouped by is text" '{"x":7}' \
    'where ReportId > 1 | distinct AdditionalFields | project x = parse_json(AdditionalFields).N'
check "a path into it is refused, as both products do" 2 '' 'a path needs a dynamic value' query \
    'DeviceEvents | distinct AdditionalFields | extend x = AdditionalFields.N'
check "what parse_json() made is a dynamic" 2 '' "rows can't be grouped by a dynamic value" query \
    'DeviceEvents | distinct parse_json(AdditionalFields)'
check "and so is a column that only is one" 2 '' "rows can't be grouped by a dynamic value" query 'WindowsEvent | distinct EventData'
check "and a part of one" 2 '' "rows can't be grouped by a dynamic value" query \
    'DeviceEvents | mv-expand AdditionalFields | distinct AdditionalFields'
q "sorted by" '{"ReportId":1} {"ReportId":2} {"ReportId":3} {"ReportId":0}' \
    'sort by AdditionalFields asc, ReportId asc | project ReportId'
q "compared with itself" '{"Count":4}' 'where AdditionalFields == AdditionalFields | count'
q "compared with the row before" '{"ReportId":3}' \
    'sort by ReportId asc | where AdditionalFields == prev(AdditionalFields) | project ReportId'
q "a key of a join" '{"ReportId":2,"R":3} {"ReportId":3,"R":3}' \
    'join kind=inner (DeviceEvents | where ReportId == 3 | project K = AdditionalFields, R = ReportId)
     on $left.AdditionalFields == $right.K | project ReportId, R | sort by ReportId asc'
q "a key of a join with a string" '{"ReportId":2} {"ReportId":3}' \
    'join kind=leftsemi (print AdditionalFields = @"{""N"":7}") on AdditionalFields | project ReportId'
q "a key of a lookup" '{"ReportId":0,"AdditionalFields":{"Pipe":"\\x","N":5},"R":0}' \
    'where ReportId == 0 | project ReportId, AdditionalFields
     | lookup (DeviceEvents | project AdditionalFields, R = ReportId) on AdditionalFields'
q "in a list of texts and of rows" '{"ReportId":2} {"ReportId":3}' \
    'where AdditionalFields in (@"{""N"":7}", "")
     and AdditionalFields in ((DeviceEvents | where ReportId > 1 | project AdditionalFields)) | project ReportId'
q "not in the rows' texts" '{"ReportId":0} {"ReportId":1}' \
    'where AdditionalFields !in ((DeviceEvents | where ReportId > 1 | distinct AdditionalFields)) | project ReportId'
check "a table's parameter with a string" 0 '{"AdditionalFields":"{\"N\":7}"}' '' query \
    'let f = (T:(AdditionalFields:string)) { T | where AdditionalFields startswith "{\"N" | distinct AdditionalFields }; f(DeviceEvents)' \
    --as DeviceEvents=ev.ndjson
check "a parameter that is a string, and one that is a dynamic" 0 '{"a":"{\"N\":7}!","b":7}' '' query \
    'let s = (x:string) { strcat(x, "!") }; let d = (x:dynamic) { x.N };
     DeviceEvents | where ReportId == 3 | project a = s(AdditionalFields), b = d(AdditionalFields)' --as DeviceEvents=ev.ndjson
q "the value of iff() and of an aggregate" '{"x":"{\"N\":7}"}' \
    'where ReportId > 1 | summarize x = take_any(AdditionalFields) by FileName | extend x = iff(FileName == "y.exe", x, x) | distinct x'

# --- a union with strings is one column; with dynamics it can still be taken apart

q "a union with a string of that name" '{"AdditionalFields":"{\"N\":7}","n":4}' \
    'union (DeviceEvents | extend AdditionalFields = tostring(AdditionalFields)) | where AdditionalFields has "7"
     | summarize n = count() by AdditionalFields'
q "a union with a table that has it as a string" '{"AdditionalFields":"{\"N\":7}"}' \
    'union BehaviorInfo | where AdditionalFields has "7" | distinct AdditionalFields'
q "a union with a dynamic" '{"x":7} {"x":9}' \
    'where ReportId == 2 | union (print AdditionalFields = dynamic({"N": 9})) | project x = AdditionalFields.N'

# --- what takes both

q "functions of text" '{"a":7,"b":"{\"n\":7}","c":["{\"N\"","7}"],"d":"7","e":"{\"N\":7}y.exe","f":"{\"M\":7}","g":true,"h":7}' \
    'where ReportId == 2 | parse AdditionalFields with * "N\":" h:long "}" | project a = strlen(AdditionalFields),
     b = tolower(AdditionalFields), c = split(AdditionalFields, ":"), d = extract(@"(\d)", 1, AdditionalFields),
     e = strcat(AdditionalFields, FileName), f = replace_string(AdditionalFields, "N", "M"), g = AdditionalFields matches regex @"\d", h'
q "functions of dynamics" '{"a":7,"b":7,"c":["N"],"d":7}' \
    'where ReportId == 2 | project a = AdditionalFields.N, b = parse_json(AdditionalFields).N, c = bag_keys(AdditionalFields),
     d = todynamic(tostring(AdditionalFields)).N'
q "empty text is null" '{"a":true,"b":true,"c":null,"d":""}' \
    'where ReportId == 1 | project a = isempty(AdditionalFields), b = AdditionalFields == "", c = parse_json(AdditionalFields),
     d = tostring(AdditionalFields)'
q "mixed with strings" '{"a":"none","b":"x.exe","c":"none"}' \
    'where ReportId == 1 | project a = iff(isempty(AdditionalFields), "none", AdditionalFields), b = coalesce(AdditionalFields, FileName),
     c = case(AdditionalFields has "N", AdditionalFields, FileName has "y", FileName, "none")'

verdict "schema tells" "$("$k" schema DeviceInfo 2>&1 | grep -q 'LoggedOnUsers.*dynamic|string' || echo missing)"

echo "1..$n"
exit $bad

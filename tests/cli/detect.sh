#!/bin/sh
# Detections, exit codes and options from the command line, as TAP. Takes the program.
k=$1
rule=rules/T1059.003-windows-command-shell
n=0
bad=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

ok() { # NAME, then a condition for test(1)
    n=$((n + 1))
    name=$1
    shift
    if test "$@"; then echo "ok $n - $name"; else
        echo "not ok $n - $name: $*"
        bad=1
    fi
}

$k run $rule --on samples --now latest --rows >"$tmp/1" 2>/dev/null
ok "the rule finds four rows in the samples" "$(wc -l <"$tmp/1")" = 4
for threads in 1 2 8; do
    $k run $rule --on samples --now latest --rows --threads $threads >"$tmp/t" 2>/dev/null
    ok "the same bytes on $threads threads" "$(cksum <"$tmp/t")" = "$(cksum <"$tmp/1")"
done
$k run $rule --on samples --now latest --rows --no-optimize >"$tmp/t" 2>/dev/null
ok "the same bytes without the optimizer" "$(cksum <"$tmp/t")" = "$(cksum <"$tmp/1")"

$k run $rule --on samples --rows >"$tmp/t" 2>/dev/null
ok "a replay reports each row once" "$(sort "$tmp/t" | cksum)" = "$(sort "$tmp/1" | cksum)"
$k run $rule --on samples >"$tmp/t" 2>/dev/null
ok "a replay's alerts, each at the run that first saw it" "$(cut -c 1-31 "$tmp/t" | tr '\n' ' ')" = \
    '{"Time":"2026-01-14T11:00:00Z", {"Time":"2026-01-14T13:00:00Z", {"Time":"2026-01-14T19:00:00Z", {"Time":"2026-01-14T21:00:00Z", '
cat >"$tmp/hourly.yaml" <<'END'
name: Hourly
query: DeviceProcessEvents | where Timestamp > ago(1h) | summarize Hits=count() by DeviceName
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
END
$k run "$tmp/hourly.yaml" --on samples >"$tmp/t" 2>/dev/null
ok "equal rows of disjoint windows are all reported" "$(cut -c 21-22 "$tmp/t" | tr '\n' ' ')" = '11 12 13 14 19 21 '
sed -i 's/Period: 1h/Period: 2h/; s/ | where.*by D/ | summarize by D/' "$tmp/hourly.yaml"
$k run "$tmp/hourly.yaml" --on samples >"$tmp/t" 2>/dev/null
ok "and those of windows that overlap once" "$(cut -c 21-22 "$tmp/t" | tr '\n' ' ')" = '11 13 15 19 21 '
sed -i 's/Period: 2h/Period: 1d/; s/Threshold: 0/Threshold: 5/
    s/ | summarize.*/ | where FileName =~ "cmd.exe" | project Timestamp/' "$tmp/hourly.yaml"
$k run "$tmp/hourly.yaml" --on samples >"$tmp/t" 2>/dev/null
ok "rows below the threshold are reported once it is passed" \
    "$(sed 's/.*T\([0-9]*\):00:00Z".*EventCount":\([0-9]*\).*/\1 \2/' "$tmp/t" | tr '\n' ' ')" = '13 6 14 2 19 1 21 2 '
ok "with as many events as it counts" "$(head -n 1 "$tmp/t" | grep -o Timestamp | wc -l)" = 6
cat >"$tmp/edge.ndjson" <<'END'
{"Timestamp":"2026-03-01T10:00:00Z","DeviceName":"a","ActionType":"ProcessCreated","FileName":"0.exe"}
{"Timestamp":"2026-03-01T10:00:00Z","DeviceName":"b","ActionType":"ProcessCreated","FileName":"0.exe"}
{"Timestamp":"2026-03-01T10:00:00.0000001Z","DeviceName":"a","ActionType":"ProcessCreated","FileName":"1.exe"}
{"Timestamp":"2026-03-01T10:59:59.9999999Z","DeviceName":"a","ActionType":"ProcessCreated","FileName":"2.exe"}
{"Timestamp":"2026-03-01T11:00:00Z","DeviceName":"a","ActionType":"ProcessCreated","FileName":"3.exe"}
{"Timestamp":"2026-03-01T11:00:00.0000001Z","DeviceName":"b","ActionType":"ProcessCreated","FileName":"4.exe"}
{"Timestamp":"2026-03-01T15:00:00Z","DeviceName":"a","ActionType":"ProcessCreated","FileName":"5.exe"}
END
for where in '' ' | where Timestamp > ago(1h)' ' | where Timestamp between (ago(1h) .. now())'; do
    for period in 1h 2h 1d; do
        printf 'name: Edge\nqueryFrequency: 1h\nqueryPeriod: %s\nquery: DeviceProcessEvents%s | project Timestamp, DeviceName, FileName\n' \
            $period "$where" >"$tmp/edge.yaml"
        $k run "$tmp/edge.yaml" --on "$tmp/edge.ndjson" --rows >"$tmp/t" 2>/dev/null
        ok "events on the edges of runs, period $period$where: each once" "$(sort "$tmp/t" | uniq | wc -l) $(wc -l <"$tmp/t")" = "7 7"
    done
done
$k run "$tmp/edge.yaml" --on "$tmp/edge.ndjson" >"$tmp/t" 2>/dev/null
ok "each at the run that first sees it, no run before the first one" \
    "$(sed 's/.*T\([0-9]*\):00:00Z","Al.*EventCount":\([0-9]*\).*/\1 \2/' "$tmp/t" | tr '\n' ' ')" = '10 2 11 3 12 1 15 1 '
head -n 1 "$tmp/edge.ndjson" >"$tmp/one.ndjson"
$k run "$tmp/edge.yaml" --on "$tmp/one.ndjson" --rows >"$tmp/t" 2>/dev/null
ok "a log of one event, on the edge" "$(wc -l <"$tmp/t")" = 1
$k run "$tmp/edge.yaml" --on "$tmp/edge.ndjson" --rows --now 2026-03-01T11:00:00Z >"$tmp/t" 2>/dev/null
ok "--now at the edge: both ends of between" "$(wc -l <"$tmp/t")" = 5
printf 'name: Silent\nqueryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: eq\ntriggerThreshold: 0\nquery: DeviceProcessEvents | where FileName == "no"\n' \
    >"$tmp/silent.yaml"
$k run "$tmp/silent.yaml" --on "$tmp/edge.ndjson" >"$tmp/t" 2>/dev/null
ok "a rule that fires on silence has the runs that saw events" "$(cut -c 21-22 "$tmp/t" | tr '\n' ' ')" = '10 11 12 15 '
$k run $rule --on samples --exit-code >/dev/null 2>&1
ok "--exit-code" $? = 10
$k run $rule --on samples --now 2030-01-01 --exit-code >/dev/null 2>&1
ok "--exit-code without alerts" $? = 0
$k test $rule >/dev/null 2>&1
ok "the package's tests" $? = 0

cp -r $rule "$tmp/rule"
sed -i 's/caught: false/caught: true/' "$tmp/rule/tests.yaml"
$k test "$tmp/rule" >/dev/null 2>&1
ok "a miss that is recorded as caught fails" $? = 1
refused() { # NAME, a sed command for tests.yaml, the message
    cp $rule/tests.yaml "$tmp/rule/tests.yaml"
    sed -i "$2" "$tmp/rule/tests.yaml"
    $k test "$tmp/rule" >/dev/null 2>"$tmp/err"
    ok "$1 is refused" $? = 2
    ok "with file, line and reason" "$(grep -cE "tests.yaml:[0-9]+: $3" "$tmp/err")" = 1
}
refused "an outcome that is none" '0,/caught: true/s//caught: maybe/' "caught is true or false"
refused "a misspelt key" '0,/caught:/s//cauhgt:/' "a test has no key 'cauhgt'"
refused "a misspelt key of telemetry" '0,/ query:/s// qeury:/' "telemetry has no key 'qeury'"
printf 'name: x\nquery: |\n  DeviceProcessEvents\n  | where Nope == 1\n' >"$tmp/bad.yaml"
$k run "$tmp/bad.yaml" --on samples >/dev/null 2>"$tmp/err"
ok "a rule that does not bind is refused" $? = 2
ok "with its place" "$(grep -c "line 2, column 9 of the query: unknown column 'Nope'" "$tmp/err")" = 1
ok "and the line of the query" "$(grep -cF '   2 | | where Nope == 1' "$tmp/err")" = 1
ok "with a caret" "$(grep -cE '^     \|         \^+$' "$tmp/err")" = 1
cp "$tmp/bad.yaml" "$tmp/worse.yaml"
$k run "$tmp/bad.yaml" $rule "$tmp/worse.yaml" --on samples >"$tmp/t" 2>"$tmp/err"
ok "a rule that is refused beside others" $? = 2
ok "does not stop them" "$(wc -l <"$tmp/t")" = 4
ok "and each is told" "$(grep -c "\(bad\|worse\).yaml: line 2, column 9 of the query" "$tmp/err")" = 2
sed 's/^name:.*/name: Two/' "$tmp/hourly.yaml" >"$tmp/two.yaml"
$k run "$tmp/hourly.yaml" "$tmp/two.yaml" --on samples --now latest --rows --format csv >"$tmp/t" 2>/dev/null
ok "rows of several rules are one document" "$(grep -c '^Rule,Row' "$tmp/t")" = 1
ok "each with its rule" "$(cut -d , -f 1 "$tmp/t" | sort | uniq -c | tr -d '\r' | tr -s ' \n' ' ')" = ' 11 Hourly 1 Rule 11 Two '
$k run "$tmp/hourly.yaml" "$tmp/two.yaml" --on samples --rows >"$tmp/t" 2>/dev/null
ok "and its columns in a bag" "$(head -n 1 "$tmp/t" | cut -c 1-54)" = '{"Rule":"Hourly","Row":{"Timestamp":"2026-01-14T10:00:'
printf 'name: [x\n' >"$tmp/bad.yaml"
$k run "$tmp/bad.yaml" --on samples >/dev/null 2>&1
ok "broken YAML is refused" $? = 2
mkdir -p "$tmp/folder/deep"
cp "$tmp/bad.yaml" "$tmp/folder/a.yaml"
printf 'name: x\n\nquery: print 1\nqueryPeriod: soon\n' >"$tmp/folder/deep/b.yaml"
cp -r $rule "$tmp/folder/rule"
$k run "$tmp/folder" --on samples >"$tmp/t" 2>"$tmp/err"
ok "files of a folder that do not load are refused" $? = 2
ok "and do not stop its rules" "$(wc -l <"$tmp/t")" = 4
ok "each told with file and line" "$(grep -cE "(a.yaml:[0-9]+: |b.yaml:4: queryPeriod)" "$tmp/err")" = 2
$k lint "$tmp/folder" >"$tmp/t" 2>"$tmp/err"
ok "nor is lint stopped" "$? $(wc -l <"$tmp/t")" = "2 1"
ok "which tells them too" "$(grep -cE "(a|b).yaml:[0-9]+: " "$tmp/err")" = 2
$k test "$tmp/folder" >"$tmp/t" 2>"$tmp/err"
ok "nor is test" "$? $(grep -c 'as recorded' "$tmp/t")" = "2 $($k test $rule 2>/dev/null | grep -c 'as recorded')"
ok "with the first one" "$(grep -cE "a.yaml:[0-9]+: " "$tmp/err")" = 1

$k query 'range x from 1 to 100000000 step 1' 2>"$tmp/err" | head -n 1 >/dev/null
ok "a closed pipe makes no noise" ! -s "$tmp/err"
$k query 'range x from 1 to 100000000 step 1 | summarize count() by x' --memory 64M >/dev/null 2>&1
ok "the memory limit" $? = 4
$k query 'range x from 1 to 100000000000 step 1 | count' --timeout 0.2 >/dev/null 2>&1
ok "the time limit" $? = 4
$k query 'union | count' 2>"$tmp/err"
ok "union without tables says what it takes" "$(grep -c 'hint: union takes tables' "$tmp/err")" = 1
$k query 'print a=1 | summarize sum(sum(a))' 2>"$tmp/err"
ok "an aggregate in another one says what to do" "$(grep -c "hint: .*give 'sum' a summarize of its own" "$tmp/err")" = 1
$k query 'print a=1 | summarize count by a' 2>"$tmp/err"
ok "an aggregate without parentheses says so" "$(grep -c 'hint: .*count()' "$tmp/err")" = 1
$k query >/dev/null 2>&1
ok "no query" $? = 2
$k query 'print 1' --nope >/dev/null 2>&1
ok "an unknown option" $? = 2
$k frobnicate >/dev/null 2>&1
ok "an unknown command" $? = 2
ok "query by file" "$(echo 'print 1' >"$tmp/q" && $k query --file "$tmp/q" --format csv | tr '\r\n' '  ')" = "$($k query 'print 1' --format csv | tr '\r\n' '  ')"
ok "the tables have columns" "$($k schema DeviceProcessEvents --format csv | wc -l)" -gt 60
ok "a function is described" "$($k functions strlen --format csv | wc -l)" -ge 2
$k query 'print 1' --format xyz --on nowhere >/dev/null 2>"$tmp/err"
ok "an unknown format is refused first" "$(grep -c "no output format 'xyz'" "$tmp/err")" = 1
ok "help of help" "$($k help help | cksum)" = "$($k help | cksum)"
$k query 'union Device* | count' --on samples/portal-export.csv >/dev/null 2>"$tmp/err"
ok "tables without data are one note" "$(grep -c "no input here has data of the tables Device.*, Device" "$tmp/err")" = "$(wc -l <"$tmp/err")"
if [ -e /dev/full ]; then
    $k query 'print 1' >/dev/full 2>/dev/null
    ok "a result that can't be written" $? = 2
    $k query 'Event' --on samples >/dev/full 2>/dev/null
    ok "one that comes from logs" $? = 2
fi
for function in ago now column_ifexists toscalar materialize table row_number prev next row_cumsum pack_all percentiles \
    ingestion_time; do
    ok "functions $function" "$($k functions $function --format csv | grep -c "^$function,.*$function(.*\.")" = 1
done
exit $bad

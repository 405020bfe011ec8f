#!/bin/sh
# --slack: old records of event logs, the column that marks them, and what inspect says of them. As TAP. Takes the
# program.
. "$(dirname "$0")/../support/cli.sh"
chatty=yes

u32() { od -An -tu4 -j"$1" -N4 old.evtx | tr -d ' '; }
byte() { printf "\\$(printf %o "$1")"; }
# The first chunk's free space starts after its first ten records; the file says that it keeps no checksums.
cp "$samples/workstation.evtx" old.evtx
chunks=$((($(wc -c <old.evtx) - 4096) / 65536))
head -c $((4096 + 65536)) old.evtx >one && mv one old.evtx
at=512
i=0
while [ $i -lt 10 ]; do
    at=$((at + $(u32 $((4096 + at + 4)))))
    i=$((i + 1))
done
byte 4 | dd of=old.evtx bs=1 seek=120 conv=notrunc 2>/dev/null
{ byte $((at % 256)) && byte $((at / 256)); } | dd of=old.evtx bs=1 seek=$((4096 + 48)) conv=notrunc 2>/dev/null
printf 'Timestamp,DeviceName,ActionType,FileName\n2026-01-15T10:00:00Z,pc1,ProcessCreated,cmd.exe\n' \
    >DeviceProcessEvents.csv

q='union (Event | summarize Live = countif(_Recovered == false), Old = countif(_Recovered)) | project Live, Old > 5'
check "live records only" 0 '{"Count":10}' '' query 'Event | count' --on old.evtx
check "no column without the option" 2 '' "_Recovered" query 'Event | where _Recovered' --on old.evtx
check "old records are marked" 0 '{"Live":10,"Column1":true}' '' query "$q" --on old.evtx --slack
check "rows of other files are live" 0 '{"_Recovered":false}' '' \
    query 'DeviceProcessEvents | project _Recovered' --on DeviceProcessEvents.csv --slack
check "the column is the last of its table, also of one that is only known" 0 \
    '{"ColumnName":"_Recovered","ColumnType":"bool"}' '' \
    query 'AADManagedIdentitySignInLogs | getschema | top 1 by ColumnOrdinal | project ColumnName, ColumnType' \
    --on old.evtx --slack
"$k" inspect old.evtx --slack >out 2>err
old=$(sed -n 's/^log: old.evtx: 10 live records, \([0-9]*\) recovered, 0 old copies left out, 0 incomplete$/\1/p' err)
n=$((n + 1))
if [ "${old:-0}" -gt 5 ]; then echo "ok $n - inspect counts them"; else
    echo "not ok $n - inspect counts them: $(cat err)"
    bad=1
fi
# ASIM views have the column too: each binds with it, and tells it of every row.
for view in imProcessCreate imProcessTerminate imProcessEvent imFileEvent imRegistry imNetworkSession imAuthentication imDns \
    ASimProcessEvent _ASim_ProcessCreate _Im_ProcessCreate _ASim_FileEvent _ASim_RegistryEvent _ASim_NetworkSession \
    _ASim_Authentication _ASim_Dns; do
    check "$view tells which rows are old" 0 '{"Other":0}' '' \
        query "$view | summarize Other = countif(isnull(_Recovered))" --on old.evtx --slack
    check "$view has no such column without the option" 2 '' "_Recovered" query "$view | where _Recovered" --on old.evtx
done
"$k" query 'imProcessCreate | summarize Old = countif(_Recovered), Live = countif(not(_Recovered)) | where Live > 0 and Old > 0 |
    count' --on old.evtx --slack >out 2>err
n=$((n + 1))
if [ "$(cat out)" = '{"Count":1}' ]; then echo "ok $n - a view has live rows and old ones"; else
    echo "not ok $n - a view has live rows and old ones: $(cat out err)"
    bad=1
fi
# A header that can't be trusted: the ids of the records say where the live ones end. The next two get old ones.
cp old.evtx lies.evtx
next=$((at + $(u32 $((4096 + at + 4)))))
put() { byte "$1" | dd of=lies.evtx bs=1 seek="$2" conv=notrunc 2>/dev/null; }
put 0 120
put 1 $((4096 + at + 8)) && put 0 $((4096 + at + 9))
put 2 $((4096 + next + 8)) && put 0 $((4096 + next + 9))
check "old records are not live where the header lies" 3 '{"Count":10}' 'wrong checksum' query 'Event | count' --on lies.evtx
check "and are marked there" 3 "{\"Live\":10,\"Old\":$old}" 'wrong checksum' query \
    'Event | summarize Live = countif(_Recovered == false), Old = countif(_Recovered)' --on lies.evtx --slack
# The template of all of them is overwritten: they are counted and listed, and nothing is damaged.
{ byte 0 && byte 2; } | dd of=old.evtx bs=1 seek=$((4096 + 48)) conv=notrunc 2>/dev/null
head -c 16 /dev/zero | dd of=old.evtx bs=1 seek=$((4096 + $(u32 $((4096 + 512 + 24 + 10))) + 4)) conv=notrunc 2>/dev/null
check "records that are not whole are no rows and no damage" 0 '{"Count":0}' \
    'skipped: old.evtx at byte 4608: ' query 'Event | count' --on old.evtx --slack --stats
echo "1..$n"
exit $bad

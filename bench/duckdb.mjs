// The seed query as SQL in DuckDB, over the CSV or NDJSON of bench/gen.c: node duckdb.mjs FILE THREADS. Prints seconds and rows.
import { DuckDBInstance } from '@duckdb/node-api';

const [file, threads] = process.argv.slice(2);
const patterns = ['certutil -urlcache', 'certutil -decode', 'certutil -encode', 'bitsadmin /transfer', 'bitsadmin /create', 'reg add',
    'reg delete', 'reg save', 'schtasks /create', 'schtasks /change', 'net user /add', 'net localgroup administrators',
    'wmic process call create', 'wmic shadowcopy delete', 'vssadmin delete shadows', 'bcdedit /set', 'icacls /grant',
    'takeown /f', 'echo | set /p=', 'for /f', 'ping -n 1 -w', '> \\\\pipe\\'];
const parents = ['winword.exe', 'excel.exe', 'powerpnt.exe', 'outlook.exe', 'mshta.exe', 'wscript.exe', 'cscript.exe',
    'rundll32.exe', 'regsvr32.exe'];
const any = (column, list) => '(' + list.map(x => `contains(lower(${column}), '${x.replaceAll("'", "''")}')`).join(' or ') + ')';
// only the columns that the query needs, so that nothing is sniffed and nothing else kept
const given = ['Timestamp', 'DeviceName', 'AccountName', 'FileName', 'ProcessCommandLine', 'InitiatingProcessFileName',
    'InitiatingProcessCommandLine'].map(c => `${c}: 'VARCHAR'`).join(', ');
const read = file.endsWith('.csv') ? `read_csv('${file}', header = true, all_varchar = true)`
    : `read_ndjson('${file}', columns = {${given}})`;
const sql = `select Timestamp, DeviceName, AccountName, ProcessCommandLine, InitiatingProcessFileName, InitiatingProcessCommandLine
 from ${read}
 where Timestamp > '2026-01-14T00:00:00' and lower(FileName) = 'cmd.exe'
 and (${any('ProcessCommandLine', patterns)} or ${any('InitiatingProcessFileName', parents)}) order by Timestamp desc`;
const connection = await (await DuckDBInstance.create(':memory:', { threads })).connect();
const start = performance.now();
const rows = await (await connection.run(sql)).getRows();
console.log(`${((performance.now() - start) / 1000).toFixed(3)} ${rows.length}`);

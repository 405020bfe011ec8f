#!/usr/bin/env python3
"""Advice is never wrong: rules that ask for what some row has, in several columns at once, over the samples (or the paths
given). lint may not say of any of them that it can't match. As TAP."""
import json
import os
import random
import subprocess
import sys
import tempfile

KEQUEL = 'build/kequel'
TABLES = ['SecurityEvent', 'Event', 'WindowsEvent', 'DeviceEvents', 'DeviceProcessEvents', 'DeviceFileEvents', 'DeviceNetworkEvents',
          'DeviceRegistryEvents', 'DeviceLogonEvents', 'imProcessCreate', 'imFileEvent', 'imNetworkSession', 'imRegistry', 'imAuthentication']
HEAD = '''id: 11111111-1111-4111-8111-111111111111
name: r%d
description: x
severity: High
queryFrequency: 1d
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 0
tactics: [Execution]
relevantTechniques: [T1059]
query: |
  %s
'''


def quoted(value):
    return json.dumps(value) if isinstance(value, str) else json.dumps(value).lower()


def condition(pick, row):
    column = pick.choice(list(row))
    value = row[column]
    if isinstance(value, str) and value:
        operator = pick.choice(['==', '=~', 'contains', 'startswith', 'endswith', 'in', 'isnotempty'])
        if operator == 'in':
            return f'{column} in ("no", {quoted(value)})'
        return f'isnotempty({column})' if operator == 'isnotempty' else f'{column} {operator} {quoted(value)}'
    if value in ('', None):
        return f'isempty({column})'
    if isinstance(value, bool) or not isinstance(value, int):
        return f'isnotempty(tostring({column}))'
    return f'{column} == {value}'


def rules(pick, logs):
    for table in TABLES:
        r = subprocess.run([KEQUEL, 'query', f'{table} | take 3000', '--format', 'ndjson', '--timezone', 'UTC', *logs],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        rows = [json.loads(line) for line in r.stdout.decode('utf8', 'replace').splitlines()]
        for row in pick.sample(rows, min(len(rows), 25)):
            plain = {k: v for k, v in row.items() if not isinstance(v, (dict, list)) and not k.startswith('_') and
                     not (isinstance(v, str) and (len(v) > 200 or v[:4] in ('2019', '2020', '2021', '2022', '2023', '2024', '2025', '2026')))}
            key = next((k for k in ('EventID', 'ActionType', 'EventType') if k in plain and pick.random() < 0.7), None)
            parts = [condition(pick, plain), condition(pick, plain)] + ([f'{key} == {quoted(plain[key])}'] if key else [])
            pick.shuffle(parts)
            one, two = ' and '.join(parts[:1]), pick.choice([' and ', ' | where ']).join(parts[1:])
            device = next((k for k in ('Computer', 'DeviceName', 'DvcHostname') if plain.get(k)), None)
            form = pick.randrange(5 if device else 2)
            if form < 2:
                yield f'{table} | where {one} | where {two}' + (' | count | where Count > 0' if form else '')
            elif form == 2:
                yield f'{table} | where {one} | join kind=inner ({table} | where {two}) on {device}'
            elif form == 3:
                yield f'{table} | where {one} and {device} in (({table} | where {two} | project {device}))'
            else:
                yield f'union ({table} | where {one}), ({table} | where false and {two}) | where {two}'


def main():
    pick = random.Random(7)
    logs = [word for path in sys.argv[1:] or ['samples'] for word in ('--on', path)]
    with tempfile.TemporaryDirectory() as folder:
        queries = list(rules(pick, logs))
        files = []
        for i, query in enumerate(queries):
            files.append(os.path.join(folder, f'r{i}.yaml'))
            with open(files[-1], 'w') as f:
                f.write(HEAD % (i, query))
        r = subprocess.run([KEQUEL, 'lint', *files, '--format', 'ndjson', '--timezone', 'UTC', *logs], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    said = [json.loads(line) for line in r.stdout.decode().splitlines()]
    denied = [(line['Message'], queries[int(line['Rule'][1:])]) for line in said if "can't match here" in line['Message'] or
              "can't match anywhere" in line['Message'] or 'nothing is counted' in line['Message'] or line['Level'] == 'error']
    print(f"{'not ok' if denied or len(said) < len(queries) or not queries else 'ok'} 1 - {len(queries)} rules that match are not denied"
          + ''.join(f'; {message}: {query}' for message, query in denied[:4]) + ('' if said else r.stderr.decode()))
    print('1..1')
    return 1 if denied else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Writes src/schema/builtin/catalogue.schema: catalogue.py TABLES.json >FILE. TABLES.json is {"tables": {NAME: [[column, type],
...]}} of Log Analytics, as `.show database schema` or the table reference of Azure Monitor gives it. Names and types only.
Beside it stands what Defender XDR has otherwise, defender.tables: a column that is a string in the one and a dynamic in the
other is of both types."""
import json, os, re, sys

# Tables of Defender XDR: advanced hunting has Timestamp where Log Analytics has TimeGenerated.
DEFENDER = re.compile(r'(AlertInfo|AlertEvidence|Cloud(App|Audit|Dns|Process|StorageAggregated)Events|Device(Tvm|Custom)\w+|'
                      r'(Device)?Behavior(Info|Entities)|OAuthAppInfo|Email\w+|Identity(AccountInfo|DirectoryEvents|Events|Info|LogonEvents|QueryEvents)|'
                      r'UrlClickEvents|Message(Events|PostDeliveryEvents|UrlInfo)|CampaignInfo|FileMaliciousContentInfo)$')

tables = json.load(open(sys.argv[1], encoding='utf8'))['tables']
both, only = {'string', 'dynamic'}, set()  # only: tables that Log Analytics has not
for line in open(os.path.join(os.path.dirname(__file__), 'defender.tables'), encoding='utf8'):
    if line.startswith('[table '):
        name = line[len('[table '):].strip().rstrip(']')
        if name not in tables:
            only.add(name)
            tables[name] = [['TimeGenerated', 'datetime'], ['TenantId', 'string'], ['Type', 'string']]
    elif not line.startswith('#'):
        type_, columns = line.split(':')
        for column in columns.split():
            there = next((c for c in tables[name] if c[0] == column), None)
            if not there:
                tables[name] = tables[name] + [[column, type_]]
            elif there[1] != type_ and {there[1], type_} == both:
                tables[name] = [[c, 'dynamic|string' if c == column else t] for c, t in tables[name]]
print('# The tables of Log Analytics, and those that only Defender XDR has, by name and type. Made by tools/catalogue.py; see\n'
      '# src/schema/model.h for the format. Read a section at a time, when a query names its table.')
for name in sorted(tables):
    columns = [(c, t) for c, t in tables[name] if re.fullmatch(r'\w+', c)]
    if not re.fullmatch(r'\w+', name) or not columns:
        continue
    print(f'[table {name}]')
    if DEFENDER.match(name) or name in only:
        print('same Timestamp TimeGenerated')
    for type_ in sorted({t for _, t in columns}):
        print(f'{type_}: ' + ' '.join(c for c, t in columns if t == type_))

#!/usr/bin/env python3
"""Writes src/schema/builtin/catalogue.schema: catalogue.py TABLES.json >FILE. TABLES.json is {"tables": {NAME: [[column, type],
...]}} of Log Analytics, as `.show database schema` or the table reference of Azure Monitor gives it. Names and types only."""
import json, re, sys

# Tables of Defender XDR: advanced hunting has Timestamp where Log Analytics has TimeGenerated.
DEFENDER = re.compile(r'(AlertInfo|AlertEvidence|Cloud(App|Audit|Dns|Process|StorageAggregated)Events|Device(Tvm|Custom)\w+|'
                      r'DeviceBehavior(Info|Entities)|Email\w+|Identity(AccountInfo|DirectoryEvents|Events|Info|LogonEvents|QueryEvents)|'
                      r'UrlClickEvents|Message(Events|PostDeliveryEvents|UrlInfo)|CampaignInfo|FileMaliciousContentInfo)$')

tables = json.load(open(sys.argv[1], encoding='utf8'))['tables']
print('# The tables of Log Analytics, by name and type. Made by tools/catalogue.py; see src/schema/model.h for the format. Read a\n'
      '# section at a time, when a query names its table.')
for name in sorted(tables):
    columns = [(c, t) for c, t in tables[name] if re.fullmatch(r'\w+', c)]
    if not re.fullmatch(r'\w+', name) or not columns:
        continue
    print(f'[table {name}]')
    if DEFENDER.match(name):
        print('same Timestamp TimeGenerated')
    for type_ in sorted({t for _, t in columns}):
        print(f'{type_}: ' + ' '.join(c for c, t in columns if t == type_))

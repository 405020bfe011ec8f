#!/usr/bin/env python3
"""The EVTX reader against other parsers, over a folder of real logs.

usage: evtx.py [FOLDER [KEQUEL]]

FOLDER is ../shared/telemetry unless given, KEQUEL build/kequel. Two checks, each with a list of what differs, by file:

  records   the live records of each file are at least the union of what the other parsers give: evtxexport (libevtx),
            python-evtx (module Evtx; it is slow: only files of at most 1,500 records) and the Rust crate's module evtx.
  values    every System field and every value of EventData or UserData that both give is the same as evtxexport's, and
            as that of a .json beside the .evtx (made with evtx_dump), apart from the spellings of `same`.

A parser that is not installed is left out, with a message; with none, or without the folder, nothing is checked and the
exit code is 77. Nothing is installed, nothing is written. Exit code 1: something differs.
"""
import collections
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.pop(0)  # this file's own folder: `import evtx` means the other one

SLOW_RECORDS = 1500
NS = re.compile(r'\{[^}]*\}')
GUID = re.compile(r'\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?$')
HEX = re.compile(r'0x[0-9A-Fa-f]+$')
TIME = re.compile(r'(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z| UTC)?$')
BAD = re.compile('[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]')
RECORD_ID = re.compile(r'<EventRecordID[^>]*>\s*(\d+)\s*<')


def run(args):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return p.stdout.decode('utf-8', 'replace')


def have(args):
    try:
        subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return True
    except OSError:
        return False


def normal(text):
    """The spellings that parsers differ in; decisions.md lists them."""
    text = '' if text is None else str(text)
    text = text.replace('\r\n', '\n').replace('\r', '\n')
    text = BAD.sub('\uFFFD', text)
    if GUID.match(text):
        return GUID.match(text).group(1).upper()
    if HEX.match(text):
        return hex(int(text, 16))
    t = TIME.match(text)
    if t:
        return '%sT%s.%s' % (t.group(1), t.group(2), (t.group(3) or '').rstrip('0')[:7])
    if text in ('True', 'False'):
        return text.lower()
    return text


def same(ours, theirs):
    a, b = normal(ours), normal(theirs)
    if a == b:
        return True
    if not a.strip() and not b.strip():  # evtxexport lays its XML out anew
        return True
    # libevtx prints a negative 32-bit number as '-' and its low 31 bits
    if re.match(r'-\d+$', a) and re.match(r'-\d+$', b) and int(a) >= -2**31 and int(b) == -(int(a) & 0x7FFFFFFF):
        return True
    # libevtx prints a size_t (type 0x10) as a decimal number; Windows and the Rust crate print 0x24c
    if re.match(r'0x[0-9a-f]+$', a) and re.match(r'\d+$', b) and int(a, 16) == int(b):
        return True
    # libevtx prints real numbers as 3.199234e+003
    if re.match(r'-?\d+(\.\d+)?e[+-]\d+$', b) and re.match(r'-?[\d.]+(e[+-]?\d+)?$', a) and float(a) == float(b):
        return True
    # evtx_dump shows microseconds, the others ticks
    ta, tb = TIME.match(a), TIME.match(b)
    if ta and tb:
        fa, fb = ta.group(3) or '', tb.group(3) or ''
        return a[:19] == b[:19] and (fa.startswith(fb) or fb.startswith(fa))
    return False


def tag(element):
    return NS.sub('', element.tag)


def leaves(element, path, out):
    """Appends (path, text) of all that has text, and of attributes but names and namespaces."""
    children = list(element)
    for key, value in element.attrib.items():
        if NS.sub('', key) not in ('Name', 'xmlns'):
            out.append((path + '@' + NS.sub('', key), value))
    if not children:
        out.append((path, element.text or ''))
    for c in children:
        name = c.attrib.get('Name', '') if tag(c) == 'Data' else ''
        leaves(c, path + '/' + (name or tag(c)), out)


def parse(text):
    text = BAD.sub('\uFFFD', text)
    text = re.sub(r'&#(?:x([0-9A-Fa-f]+)|(\d+));',
                  lambda m: m.group(0) if not BAD.match(chr(int(m.group(1), 16) if m.group(1) else int(m.group(2))))
                  else '\uFFFD', text)
    text = re.sub(r'<(/?)[A-Za-z_][\w.-]*:([\w.-]+)', r'<\1\2', text)  # prefixes that nothing binds
    text = re.sub(r'(\s)[A-Za-z_][\w.-]*:([\w.-]+=["\'])', r'\1\2', text)
    return ET.fromstring(text)


def system_of(event):
    out = {}
    system = next((e for e in event if tag(e) == 'System'), None)
    for e in system if system is not None else []:
        a = {NS.sub('', k): v for k, v in e.attrib.items()}
        t = tag(e)
        if t == 'Provider':
            out['Provider'] = a.get('Name')
        elif t == 'TimeCreated':
            out['TimeGenerated'] = a.get('SystemTime')
        elif t == 'Execution':
            out['SystemProcessId'], out['SystemThreadId'] = a.get('ProcessID'), a.get('ThreadID')
        elif t == 'Security':
            out['SystemUserId'] = a.get('UserID')
        elif t in ('EventID', 'Version', 'Task', 'Opcode', 'Keywords', 'Channel', 'Computer'):
            out[t] = e.text
        elif t == 'Level':
            out['EventLevel'] = e.text
        elif t == 'EventRecordID':
            out['EventRecordId'] = e.text
    return out


def data_of(event):
    for e in event:
        if tag(e) in ('EventData', 'UserData'):
            out = []
            leaves(e, tag(e), out)
            return out
    return []


SYSTEM = ['Provider', 'TimeGenerated', 'SystemProcessId', 'SystemThreadId', 'SystemUserId', 'EventID', 'Version', 'Task',
          'Opcode', 'Keywords', 'Channel', 'Computer', 'EventLevel', 'EventRecordId']


def ours_of(kequel, path):
    rows = []
    for line in run([kequel, 'query', 'WindowsEvent | project ' + ', '.join(SYSTEM), '--threads', '1', '--on', str(path),
                     '--format', 'ndjson', '--no-progress']).splitlines():
        rows.append([json.loads(line)])
    xml = run([kequel, 'query', 'Event | project EventData', '--threads', '1', '--on', str(path), '--format', 'ndjson',
               '--no-progress'])
    for row, line in zip(rows, xml.splitlines()):
        row.append(json.loads(line)['EventData'])
    return rows


def evtxexport(path):
    text = run(['evtxexport', '-f', 'xml', str(path)])
    return re.findall(r'<Event[ >].*?</Event>|<Event[^>]*/>', text, re.S)


def rust(path):
    import evtx
    out = []
    try:
        records = iter(evtx.PyEvtxParser(str(path)).records())
    except Exception:
        return out
    while True:
        try:
            out.append(next(records)['data'])
        except StopIteration:
            return out
        except Exception:
            continue


def python_evtx(path):
    import Evtx.Evtx
    out = []
    try:
        with Evtx.Evtx.Evtx(str(path)) as log:
            for chunk in log.chunks():
                for record in chunk.records():
                    try:
                        out.append(record.xml())
                    except Exception:
                        continue
    except Exception:
        pass
    return out


def ids(texts):
    return collections.Counter(m.group(1) for m in (RECORD_ID.search(t) for t in texts) if m)


def by_id(pairs):
    """[(id, x)] to {(id, how many with it before): x}."""
    seen, out = collections.Counter(), {}
    for i, x in pairs:
        out[(i, seen[i])] = x
        seen[i] += 1
    return out


# Where the other one is wrong: (end of the file's name, kind, field).
KNOWN = [
    # the .json was edited: the bytes have .EXE, and so has evtxexport
    ('ad691d92-15f2-4181-9aa4-723c74f9ddc3.evtx', 'json', 'ParentCommandLine'),
]


class Differences:
    def __init__(self):
        self.n = self.values = self.events = 0
        self.shown = collections.Counter()

    def tell(self, name, kind, text):
        self.n += 1
        self.shown[(name, kind)] += 1
        if self.shown[(name, kind)] <= 5:
            print('%s: %s: %s' % (name, kind, text))

    def value(self, name, kind, where, ours, theirs):
        self.values += 1
        if not same(ours, theirs) and not any(
                name.endswith(k[0]) and kind == k[1] and where.endswith(k[2]) for k in KNOWN):
            self.tell(name, kind, '%s: ours %r, theirs %r' % (where, str(ours)[:200], str(theirs)[:200]))


def compare(d, name, kind, where, row, event):
    d.events += 1
    system = system_of(event)
    for field in SYSTEM:
        if system.get(field) is not None:
            d.value(name, kind, '%s %s' % (where, field), row[0].get(field), system[field])
    theirs = data_of(event)
    if not row[1]:
        if any(t.strip() for _, t in theirs):
            d.tell(name, kind, '%s: no data, theirs %r' % (where, theirs[:2]))
        return
    ours = []
    for e in parse(row[1]):
        leaves(e, tag(e), ours)
    names = {path for path, _ in theirs}
    for path, text in list(ours):
        # libevtx writes '<' that an entity reference stood for as it is: text becomes elements
        if path not in names and text.lstrip().startswith('<'):
            try:
                inner = []
                for c in parse('<x>%s</x>' % text):
                    leaves(c, path + '/' + tag(c), inner)
                ours.remove((path, text))
                ours += inner
            except ET.ParseError:
                pass
    a, b = by_id(ours), by_id(theirs)
    for key in a:
        if key in b:
            d.value(name, kind, '%s %s' % (where, key[0]), a[key], b[key])
        elif a[key].strip():
            d.tell(name, kind, '%s %s: only ours, %r' % (where, key[0], a[key][:100]))
    for key in b:
        if key not in a and b[key].strip():
            d.tell(name, kind, '%s %s: only theirs, %r' % (where, key[0], b[key][:100]))


def dumped_events(path):
    """The documents of an evtx_dump file: one, or several one after another."""
    text = path.read_text('utf-8-sig')
    decoder, at = json.JSONDecoder(), 0
    while True:
        while at < len(text) and text[at] not in '{[':
            at += 1
        if at >= len(text):
            return
        value, at = decoder.raw_decode(text, at)
        for v in value if isinstance(value, list) else [value]:
            if isinstance(v, dict) and 'Event' in v:
                yield v['Event']


def compare_dump(d, name, row, event):
    d.events += 1

    def text(v):
        return v.get('#text') if isinstance(v, dict) else v

    def attribute(v, key):
        return (v.get('#attributes') or {}).get(key) if isinstance(v, dict) else None
    s = event['System']
    theirs = {'Provider': attribute(s.get('Provider'), 'Name'), 'TimeGenerated': attribute(s.get('TimeCreated'), 'SystemTime'),
              'SystemProcessId': attribute(s.get('Execution'), 'ProcessID'),
              'SystemThreadId': attribute(s.get('Execution'), 'ThreadID'),
              'SystemUserId': attribute(s.get('Security'), 'UserID'), 'EventLevel': text(s.get('Level')),
              'EventRecordId': text(s.get('EventRecordID'))}
    for f in ('EventID', 'Version', 'Task', 'Opcode', 'Keywords', 'Channel', 'Computer'):
        theirs[f] = text(s.get(f))
    for f, v in theirs.items():
        if v is not None:
            d.value(name, 'json', f, row[0].get(f), v)
    ours = []
    for e in parse(row[1]) if row[1] else []:
        leaves(e, '', ours)
    ours = dict(ours)
    for key, v in (event.get('EventData') or {}).items():
        if not key.startswith('#') and not isinstance(v, (dict, list)):
            mine = ours.get('/' + key)
            d.value(name, 'json', key, mine if mine is None else mine.strip(), str(v).strip())  # evtx_dump strips texts


def main():
    root = Path(__file__).resolve().parents[2]
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else root.parent / 'shared' / 'telemetry'
    kequel = sys.argv[2] if len(sys.argv) > 2 else str(root / 'build' / 'kequel')
    if not folder.is_dir() or not have([kequel, 'version']):
        print('skipped: %s is not there' % (folder if not folder.is_dir() else kequel))
        return 77
    parsers = []
    if have(['evtxexport', '-V']):
        parsers.append(('evtxexport', evtxexport))
    for module, fn in (('evtx', rust), ('Evtx.Evtx', python_evtx)):
        try:
            __import__(module)
            parsers.append((module, fn))
        except ImportError:
            print('left out: there is no module ' + module)
    if not parsers:
        print('skipped: no other parser is there')
        return 77
    d, lost, more = Differences(), 0, 0
    total = collections.Counter()
    for path in sorted(folder.rglob('*.evtx')):
        name = str(path.relative_to(folder))
        rows = ours_of(kequel, path)
        mine = collections.Counter(str(r[0]['EventRecordId']) for r in rows)
        total['kequel'] += len(rows)
        union = collections.Counter()
        for parser, fn in parsers:
            if parser == 'Evtx.Evtx' and len(rows) > SLOW_RECORDS:
                continue
            events = fn(path)
            found = ids(events)
            total[parser] += sum(found.values())
            union |= found
            if fn is evtxexport:
                theirs = by_id([(RECORD_ID.search(e).group(1), e) for e in events if RECORD_ID.search(e)])
                for key, row in by_id([(str(r[0]['EventRecordId']), r) for r in rows]).items():
                    if key not in theirs:
                        continue
                    try:
                        event = parse(theirs[key])
                    except ET.ParseError:
                        total['not XML'] += 1
                        continue
                    compare(d, name, parser, 'record %s' % key[0], row, event)
        total['union'] += sum(union.values())
        missing, extra = union - mine, mine - union
        lost += sum(missing.values())
        more += sum(extra.values())
        if missing:
            print('%s: lost: records %s' % (name, ', '.join(sorted(missing))[:200]))
        if extra:
            print('%s: only ours: %d records' % (name, sum(extra.values())))
        dump = path.with_suffix('.json')
        if dump.exists():
            for event in dumped_events(dump):
                number = event['System'].get('EventRecordID')
                row = [r for r in rows if str(r[0]['EventRecordId']) == str(number)]
                if row:
                    compare_dump(d, name, row[0], event)
                    total['dumped'] += 1
                else:
                    d.tell(name, 'json', 'record %s is not ours' % number)
    for (name, kind), n in d.shown.items():
        if n > 5:
            print('%s: %s: %d differences' % (name, kind, n))
    print(', '.join('%s %d' % (k, v) for k, v in total.items()))
    print('records lost %d, only ours %d; %d values of %d events compared, %d differ' % (lost, more, d.values, d.events, d.n))
    return 1 if lost or d.n else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Maps: events as a tool wrote them, and the row that they become. tests/maps/*.test holds cases, divided by ====: a line
`# TABLE from MAP`, or `# shape NAME`, events as NDJSON, ----, a query, ----, its rows as NDJSON. Each map and each shape of
src/schema/builtin must have a case. As TAP."""
import glob, os, re, subprocess, sys, tempfile

count = 0


def report(ok, name, why=''):
    global count
    count += 1
    print(f'{"ok" if ok else "not ok"} {count} - {name}')
    if not ok:
        print('\n'.join('# ' + l for l in why.splitlines()))
    return ok


def main():
    kequel = sys.argv[1] if len(sys.argv) > 1 else 'build/kequel'
    good, titles = True, set()
    with tempfile.TemporaryDirectory() as folder:
        logs = os.path.join(folder, 'events.ndjson')
        for path in sorted(glob.glob('tests/maps/*.test')):
            for case in re.split(r'^====\n', open(path, encoding='utf8').read(), flags=re.M):
                title, rest = case.split('\n', 1)
                title = title[2:]
                events, query, want = re.split(r'^----\n', rest, flags=re.M)
                titles.add(title)
                open(logs, 'w', encoding='utf8').write(events)
                r = subprocess.run([kequel, 'query', query, '--on', logs, '--format', 'ndjson'], capture_output=True, text=True, timeout=60)
                good &= report(r.returncode == 0 and r.stdout == want != "", f'{os.path.basename(path)}: {title}',
                               f'exit {r.returncode} {r.stderr}\nwanted:\n{want}got:\n{r.stdout}')
    text = ''.join(open(p, encoding='utf8').read() for p in glob.glob('src/schema/builtin/*.map'))
    maps = [m[1] for m in re.finditer(r'^\[map (.*)\]$', text, re.M)]
    maps += ['shape ' + m[1] for m in re.finditer(r'^\[shape (.*)\]$', text, re.M) if m[1] != 'evtx']  # unit tests read EVTX
    missing = [m for m in maps if m not in titles]
    good &= report(len(maps) > 40 and not missing, 'each map and shape has a case', '\n'.join(missing))
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

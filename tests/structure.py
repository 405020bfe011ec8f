#!/usr/bin/env python3
"""The structure of the code, as TAP: layers, headers that stand alone, exported symbols, lengths, marks, registries."""
import glob, os, re, subprocess, sys

LAYERS = {  # folder: the folders whose headers it may include, besides its own
    'base': '', 'column': 'base', 'text': 'base column', 'native': 'base text source',
    'func': 'base column text native', 'kql': 'base column text func',
    'source': 'base column native', 'schema': 'base column text source',
    'exec': 'base column text func kql source schema', 'sink': 'base column',
    'rules': 'base column func kql source schema exec sink', 'api': 'base column func kql source schema exec sink rules'}
LAYERS['text'] += ' native'
count = 0


def report(ok, name, why=''):
    global count
    count += 1
    print(f'{"ok" if ok else "not ok"} {count} - {name}')
    if not ok:
        print('\n'.join('# ' + l for l in str(why).splitlines()[:40]))
    return ok


def includes(path):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', open(path, encoding='utf8').read(), re.M)


def main():
    good = True
    sources = sorted(glob.glob('src/**/*.[ch]', recursive=True) + glob.glob('src/**/*.cc', recursive=True) +
                     glob.glob('src/**/*.def', recursive=True))
    wrong = []
    for path in sources:
        folder = path.split('/')[1]
        for inc in includes(path):
            if inc == 'kequel.h':
                continue
            to = inc.split('/')[0]
            if to != folder and to not in LAYERS[folder].split():
                wrong.append(f'{path} includes {inc}')
    for path in glob.glob('cli/*.[ch]'):
        wrong += [f'{path} includes {i}' for i in includes(path) if '/' in i]
    good &= report(not wrong, 'a file includes its own folder and lower layers only', '\n'.join(wrong))

    wrong = []
    for path in sorted(glob.glob('src/**/*.h', recursive=True) + ['include/kequel.h']):
        r = subprocess.run(['gcc', '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-Iinclude', '-Isrc',
                            '-include', path, '-x', 'c', '/dev/null'], capture_output=True)
        if r.returncode:
            wrong.append(path + ': ' + r.stderr.decode().split('\n')[0])
    good &= report(not wrong, 'each header compiles alone', '\n'.join(wrong))

    mine = sources + glob.glob('cli/*') + glob.glob('tests/**/*.[ch]', recursive=True) + glob.glob('tools/*')
    long = [f'{p}: {n}' for p in mine if p.endswith(('.c', '.h', '.cc'))
            for n in [sum(1 for _ in open(p, encoding='utf8'))] if n > 900 and 'unicode_table' not in p]
    good &= report(not long, 'no file of more than 900 lines', '\n'.join(long))
    marks = [f'{p}: {m[0]}' for p in mine for m in [re.search(r'TO' r'DO|FIX' r'ME|\bXX' r'X\b|HA' r'CK\b', open(p, encoding='utf8').read())] if m]
    good &= report(not marks, 'nothing is marked as unfinished', '\n'.join(marks))

    nm = subprocess.run(['nm', '-g', '--defined-only', 'build/libkequel.a'], capture_output=True, text=True).stdout
    names = set(re.findall(r' [TDBR] (\w+)', nm))
    odd = sorted(n for n in names if not n.startswith('kq_') and not n.startswith('_'))
    good &= report(not odd, 'every symbol of the library begins with kq_', '\n'.join(odd))

    tests = ''.join(open(p, encoding='utf8').read() for p in glob.glob('tests/kql/*.test'))
    listed = subprocess.run(['build/kequel', 'functions', '--format', 'csv'], capture_output=True, text=True)
    rows = [l.split(',')[0].strip('"') for l in listed.stdout.splitlines()[1:] if l]
    untested = sorted({n for n in rows if re.fullmatch(r'\w+', n) and not re.search(r'\b' + re.escape(n) + r'\b', tests)})
    good &= report(len(rows) > 100 and not untested, 'each function has a case in tests/kql', '\n'.join(untested) or listed.stderr)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

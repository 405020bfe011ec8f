#!/usr/bin/env python3
"""Runs every example of README.md and docs/: in a ```console block, each `$ command` and what it prints. As TAP. A line
`...` in the output stands for any lines. Paths named in docs/internals/architecture.md must exist."""
import glob, os, re, subprocess, sys

count = 0


def report(ok, name, why=''):
    global count
    count += 1
    print(f'{"ok" if ok else "not ok"} {count} - {name}')
    if not ok:
        print('\n'.join('# ' + l for l in why.splitlines()))
    return ok


def matches(want, got):
    pattern = ''.join('(?:.*\n)*' if line == '...' else re.escape(line) + '\n' for line in want)
    return re.fullmatch(pattern, got) is not None


def main():
    env = dict(os.environ, NO_COLOR='1', PATH=os.path.abspath('build') + ':' + os.environ['PATH'])
    good = True
    for path in ['README.md'] + sorted(glob.glob('docs/**/*.md', recursive=True)):
        for block in re.findall(r'^```console\n(.*?)^```', open(path, encoding='utf8').read(), re.M | re.S):
            for part in re.split(r'^\$ ', block, flags=re.M)[1:]:
                lines = part.rstrip('\n').split('\n')
                command = [lines.pop(0)]
                while command[-1].endswith('\\'):
                    command.append(lines.pop(0))
                text = '\n'.join(command)
                if text.startswith(('./run', 'git clone')):
                    continue  # these are what runs the tests
                r = subprocess.run(['bash', '-c', text], capture_output=True, text=True, env=env, timeout=120)
                got = r.stdout + r.stderr
                good &= report(matches(lines, got), f'{path}: {text.splitlines()[0][:90]}', f'printed:\n{got}')
    missing = [p for p in re.findall(r'`((?:src|tests|docs|tools|rules|samples|bench|cli|include)/[\w./-]*)`',
                                     open('docs/internals/architecture.md', encoding='utf8').read()) if not os.path.exists(p)]
    good &= report(not missing, 'paths named in architecture.md exist', '\n'.join(missing))
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

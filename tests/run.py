#!/usr/bin/env python3
"""Every test of kequel, over the builds that `./run test` made: build (gcc, optimised), build-asan (gcc, ASan and UBSan),
build-clang. Prints what failed, then `N passed, N failed[, N skipped]`."""
import glob, os, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.chdir(ROOT)
SHARED = os.path.join(ROOT, '..', 'shared')
passed, failed, skipped = 0, [], []


def run(args, timeout=600, **more):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP', NO_COLOR='1',
               ASAN_OPTIONS='detect_leaks=1:allocator_may_return_null=1', UBSAN_OPTIONS='halt_on_error=1:print_stacktrace=1')
    env['PATH'] = os.path.join(ROOT, 'build') + ':' + env['PATH']
    try:
        return subprocess.run(args, capture_output=True, timeout=timeout, env=env, stdin=subprocess.DEVNULL, **more)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(args, 124, b'', b'took longer than %d s' % timeout)


def check(name, ok, why=''):
    global passed
    if ok:
        passed += 1
    else:
        failed.append(name)
        print(f'FAILED {name}\n{why}'.rstrip(), flush=True)


def tap(name, args, timeout=600):
    """A program that prints `ok`, `not ok` and `ok ... # SKIP`; one that ends badly without saying so has failed."""
    r = run(args, timeout)
    bad = 0
    for line in r.stdout.decode('utf8', 'replace').splitlines():
        m = re.match(r'\s*(not ok|ok)\b\s*(?:\d+)?\s*(?:- )?(.*)', line)
        if not m:
            continue
        if re.search(r'#\s*SKIP', line, re.I):
            skipped.append(f'{name}: {m[2]}')
        else:
            bad += m[1] == 'not ok'
            check(f'{name}: {m[2]}', m[1] == 'ok')
    if r.returncode != 0:
        tail = (r.stdout + r.stderr).decode('utf8', 'replace').strip().splitlines()[-25:]
        if not bad:
            check(name, False, f'exit code {r.returncode}')
        print('\n'.join('    ' + l for l in tail))


def step(title):
    print(f'== {title}', flush=True)


def main():
    step('unit tests, gcc')
    for exe in sorted(glob.glob('build/tests/test_*')):
        if os.access(exe, os.X_OK) and os.path.isfile(exe):
            tap(os.path.basename(exe), [exe])
    step('unit tests, ASan and UBSan')
    for exe in sorted(glob.glob('build-asan/tests/test_*')):
        if os.access(exe, os.X_OK) and os.path.isfile(exe):
            tap('asan ' + os.path.basename(exe), [exe])
    step('clang builds all of it with warnings as errors, and answers')
    r = run(['build-clang/kequel', 'query', '--format', 'ndjson', 'print x = 1 + 1'])
    check('clang build', r.returncode == 0 and r.stdout == b'{"x":2}\n', r.stderr.decode())
    step('fuzz corpora, ASan and UBSan')
    for source in sorted(glob.glob('tests/fuzz/fuzz_*.c')):
        name = os.path.basename(source)[:-2]
        corpus = 'tests/fuzz/corpus/' + name[len('fuzz_'):]
        if not os.path.isdir(corpus):
            check(f'{name} has a corpus', False)
            continue
        r = run(['build-asan/tests/' + name, corpus])
        check(f'{name} replays', r.returncode == 0, r.stderr.decode('utf8', 'replace')[-3000:])
    step('structure')
    tap('structure', [sys.executable, 'tests/structure.py'])
    step('maps')
    tap('maps', [sys.executable, 'tests/maps.py'])
    step('advice')
    tap('advice', [sys.executable, 'tests/advice.py'])
    step('documentation')
    tap('documentation', [sys.executable, 'tests/docs.py'])
    step('command line')
    for script in sorted(glob.glob('tests/cli/*.sh')):
        tap(os.path.basename(script), ['sh', script, 'build/kequel'])
    step('rules')
    r = run(['build/kequel', 'test', '--format', 'ndjson', 'rules'])
    rows = r.stdout.decode().splitlines()
    for line in rows:
        check('rule ' + line[:160], '"Result":"as recorded"' in line)
    check('kequel test rules', r.returncode == 0 and rows, r.stderr.decode())
    step('recorded answers of Kusto')
    conformance()
    print(f'{passed} passed, {len(failed)} failed' + (f', {len(skipped)} skipped' if skipped else ''))
    return 1 if failed else 0


def conformance():
    vectors = os.path.join(SHARED, 'conformance', 'vectors.jsonl')
    tool = os.path.join(SHARED, 'tools', 'conformance.py')
    want = int(re.search(r'(\d+) of', open('docs/internals/conformance.md').read())[1])
    if not os.path.exists(vectors):
        skipped.append('recorded answers: not on this machine')
        print('skipped: the recorded answers are not on this machine')
        return
    r = run([sys.executable, tool, '--kequel', 'build/kequel', '--skip', 'geo,graph,plugin', vectors], 900)
    last = r.stdout.decode().strip().splitlines()[-1]
    print(last)
    got = int(re.search(r'passed (\d+)', last)[1])
    check(f'at least {want} recorded answers agree, none crashes', got >= want and r.returncode == 0, r.stdout.decode())


if __name__ == '__main__':
    sys.exit(main())

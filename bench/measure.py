#!/usr/bin/env python3
"""The benchmarks of kequel, each figure beside its peer in the same run. Called by bench/run.sh: measure.py EVENTS.
Writes bench/results.md. Times are whole processes, the least of several runs, page cache warm."""
import datetime, json, os, platform, subprocess, sys, time
import evtx

K, D = 'build/kequel', 'bench/data'
RULE = 'rules/T1059.003-windows-command-shell'
RUNS, SHORT_RUNS, SHORT = 3, 15, 1.5  # times; times of what takes less than SHORT seconds together, where noise weighs more


def once(args):
    start = time.monotonic()
    p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - start, out, usage.ru_maxrss / 1024, p.returncode


def best(*commands):
    """Runs the commands in turn, after one turn to warm up, so that a noisy moment meets all of them. For each: its
    least time, what it printed that time, and the most memory of all its runs."""
    results = [[] for _ in commands]
    turns, turn, warm = RUNS, 0, 0
    while turn <= turns:
        for i, c in enumerate(commands):
            r = once(c)
            if r[3] != 0:
                sys.exit(f'failed: {" ".join(c)}')
            if turn:
                results[i].append(r)
            else:
                warm += r[0]
        turns = SHORT_RUNS if warm < SHORT else RUNS
        turn += 1
    return [min(r, key=lambda x: x[0])[:2] + (max(x[2] for x in r),) for r in results]


def rule(path, threads, *more):
    return [K, 'run', RULE, '--rows', '--now', '2026-01-15T00:00:00Z', '--on', path, '--threads', str(threads),
            '--format', 'ndjson', *more]


def main():
    events = int(sys.argv[1])
    base = f'{D}/e{events}'
    truth = json.load(open(base + '.truth.json'))['hits_24h']
    lines = []

    def row(what, figure, beside, ratio, limit):
        lines.append(f'| {what} | {figure} | {beside} | {ratio} | {limit} |')
        print(lines[-1], flush=True)

    def beside(duck, ours):
        """By its own clock, without the start of node."""
        if not duck:
            return 'DuckDB is not installed', '-'
        seconds, found = duck[1].split()  # its contains() stands for has, and so it finds more rows
        return f'DuckDB, 2 threads, {float(seconds):.2f} s, {int(found)} rows, {duck[2]:.0f} MB', f'{float(seconds) / ours:.1f} times as fast'

    want = None
    for path in (base + '.ndjson', base + '.csv'):
        for threads in (1, 2, 8):
            out = once(rule(path, threads))[1]
            if want is None:
                want = out
            if out != want or out.count(b'\n') != truth:
                sys.exit(f'wrong answer: {path} on {threads} threads: {out.count(bytes([10]))} rows, {truth} expected')
    print(f'{truth} rows, the same bytes from NDJSON and CSV on 1, 2 and 8 threads')
    size = os.path.getsize(base + '.ndjson')
    duck = os.path.isdir('bench/node_modules/@duckdb')
    s1, k1, s2, k2, *d = best(['bench/data/simdjson_only', base + '.ndjson', '1'], rule(base + '.ndjson', 1),
                              ['bench/data/simdjson_only', base + '.ndjson', '2'], rule(base + '.ndjson', 2),
                              *[['node', 'bench/duckdb.mjs', base + '.ndjson', '2']] * duck)
    row('NDJSON, 1 thread', f'{k1[0]:.2f} s ({size / k1[0] / 1e9:.2f} GB/s)', f'simdjson only {s1[0]:.2f} s',
        f'{100 * s1[0] / k1[0]:.0f} % of its speed', 'at least 60 %')
    row('NDJSON, 2 threads', f'{k2[0]:.2f} s', f'kequel on 1 {k1[0]:.2f} s (simdjson only on 2: {s2[0]:.2f} s)',
        f'{k1[0] / k2[0]:.2f} times', 'at least 1.8')
    if duck:
        row('the same', f'{k2[0]:.2f} s', *beside(d[0], k2[0]), 'ahead')
    c1, c2, *d = best(rule(base + '.csv', 1), rule(base + '.csv', 2), *[['node', 'bench/duckdb.mjs', base + '.csv', '2']] * duck)
    row('CSV, 2 threads', f'{c2[0]:.2f} s (1 thread {c1[0]:.2f} s)', *beside(d[0] if d else None, c2[0]), 'at least 2')
    sysmon = f'{D}/sysmon.evtx'
    mb = os.path.getsize(sysmon) / 1e6
    e1, e2 = best(rule(sysmon, 1), rule(sysmon, 2))
    made = sum('vssadmin delete shadows' in line for line in open(f'{D}/sysmon.ndjson'))
    if e1[1] != e2[1] or e1[1].count(b'\n') != made:
        sys.exit(f'wrong answer: {sysmon}: {e1[1].count(bytes([10]))} rows, {made} expected')
    row('EVTX, Sysmon, the rule, 1 thread', f'{mb / e1[0]:.0f} MB/s ({mb:.0f} MB, {made} rows)', f'2 threads {mb / e2[0]:.0f} MB/s',
        f'{e1[0] / e2[0]:.2f} times', 'at least 300 MB/s')
    most, peers = evtx.measure(row, best)
    p = min(once([K, 'query', 'print 1'])[0] for _ in range(20))
    row("kequel query 'print 1'", f'{p * 1000:.1f} ms', '', '', 'less than 10 ms')
    rss = max(k1[2], k2[2], c1[2], c2[2], e1[2], e2[2], most)
    row('peak memory of all these', f'{rss:.0f} MB', '', '', 'at most 64 MB')
    cpu = next((l.split(':')[1].strip() for l in open('/proc/cpuinfo') if l.startswith('model name')), platform.machine())
    with open('bench/results.md', 'w') as f:
        f.write(f'''# Benchmarks

The T1059.003 rule (`kequel run {RULE} --rows --now 2026-01-15T00:00:00Z`) over {events} events of `bench/gen.c`, and over
an EVTX file of Sysmon process creations. `./run bench` makes the data and measures: whole processes, the least of {RUNS} runs ({SHORT_RUNS} where those take less than {SHORT} s together)
in turn, page cache warm; DuckDB by its own clock. Peers of EVTX: {', '.join(peers)}. MB/s are of the bytes of the file. {datetime.date.today()}, {os.cpu_count()} cores, {cpu}.

| what | kequel | beside it | ratio | wanted |
|---|---|---|---|---|
''' + '\n'.join(lines) + f'''

{truth} rows each time, the same bytes from NDJSON and CSV on 1, 2 and 8 threads.
''')


if __name__ == '__main__':
    main()

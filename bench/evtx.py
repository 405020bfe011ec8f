"""EVTX beside its peers, for measure.py: a query of process creations, and every field of every event, over the recorded
logs of ../shared/telemetry put together in one file (evtx_set.py), or, where these are not there, over the file that
evtx-make wrote. The peers are the Rust crate evtx (evtx_dump) and libevtx (evtxexport)."""
import glob, os, shutil, subprocess, sys

K, D = 'build/kequel', 'bench/data'
PROCESS = ('DeviceProcessEvents | where FileName =~ "cmd.exe"'
           ' | project Timestamp, DeviceName, AccountName, ProcessCommandLine, InitiatingProcessFileName')
PARENTS = 'DeviceProcessEvents | summarize count() by InitiatingProcessParentFileName, InitiatingProcessSHA256'
SIZES = {'Event': 'Event | summarize count(), sum(strlen(EventData))',
         'WindowsEvent': 'WindowsEvent | summarize count(), sum(strlen(tostring(EventData)))'}
QUIET = '>/dev/null 2>/dev/null'


def query(text, path, threads):
    return [K, 'query', text, '--on', path, '--threads', str(threads), '--format', 'ndjson']


def quiet(command):
    """Without its output, as a shell would throw it away; damage in the logs is not a failure here."""
    return ['sh', '-c', ' '.join("'" + a.replace("'", "'\\''") + "'" for a in command) + f' {QUIET} || [ $? = 3 ]']


def loop(command, files):
    return ['sh', '-c', f'for f in {" ".join(files)}; do {command} "$f" {QUIET}; done; true']


def events(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def version(command):
    return events(command).decode().split('\n')[0].strip()


def measure(row, best):
    dump = shutil.which('evtx_dump', path=f'{os.path.abspath(D)}/peers/bin:{os.environ["PATH"]}')
    export = shutil.which('evtxexport')
    sets = f'{D}/sets.evtx'
    whole = sets if os.path.exists(sets) else f'{D}/sysmon.evtx'
    name = 'recorded logs' if whole == sets else 'Sysmon'
    mb = os.path.getsize(whole) / 1e6
    memory = []

    def speed(r):
        return f'{mb / r[0]:.0f} MB/s'

    answers = {threads: events(query(PROCESS, whole, threads)) for threads in (1, 2)}
    if answers[1] != answers[2] or not answers[1]:
        sys.exit(f'wrong answer: {whole}: the threads differ, or no rows')
    p1, p2 = best(quiet(query(PROCESS, whole, 1)), quiet(query(PROCESS, whole, 2)))
    memory += [p1[2], p2[2]]
    rows = answers[1].count(b'\n')
    row(f'EVTX, {name}, {mb:.0f} MB: process creations of cmd.exe, 1 thread', f'{speed(p1)} ({rows} rows)', '', '', 'at least 300 MB/s')
    row('the same, 2 threads', speed(p2), f'kequel on 1 {speed(p1)}', f'{p1[0] / p2[0]:.2f} times', 'at least 1.8')
    for what, text in SIZES.items():
        a, b = best(quiet(query(text, whole, 1)), quiet(query(text, whole, 2)))
        memory += [a[2], b[2]]
        row(f'the same file: every field of every event, `{text}`', speed(a), f'2 threads {speed(b)}', f'{a[0] / b[0]:.2f} times',
            'at least 150 MB/s')
    starts = f'{D}/sysmon.evtx'
    found = best(*(quiet(query(PARENTS, starts, threads)) for threads in (1, 2)))
    memory += [r[2] for r in found]
    row(f'EVTX, Sysmon, {os.path.getsize(starts) / 1e6:.0f} MB: `{PARENTS}`, which reads the starts of all processes first',
        f'{max(r[2] for r in found):.0f} MB', f'{found[0][0]:.2f} s, 2 threads {found[1][0]:.2f} s', '', 'at most 64 MB')
    files = [(whole, name)] + ([(f'{D}/sysmon.evtx', 'Sysmon')] if whole == sets else [])
    for path, what in files if dump else []:
        mb = os.path.getsize(path) / 1e6
        for threads in (1, 2):
            commands = [quiet(query(t, path, threads)) for t in ('WindowsEvent', 'Event')]
            commands += [quiet([dump, '-t', str(threads), '-o', f, path]) for f in ('jsonl', 'xml')]
            j, x, dj, dx = best(*commands)
            memory += [j[2], x[2]]
            row(f'{what}, {mb:.0f} MB: every event whole as JSON, {threads} thread{"s" * (threads > 1)}', speed(j),
                f'evtx_dump -o jsonl {speed(dj)}, {dj[2]:.0f} MB', f'{dj[0] / j[0]:.2f} times as fast', 'ahead')
            row('the same, EventData as XML', speed(x), f'evtx_dump -o xml {speed(dx)}', f'{dx[0] / x[0]:.2f} times as fast', 'ahead')
    folder = f'{D}/sets'
    if export and os.path.isdir(folder):
        paths = sorted(glob.glob(f'{folder}/*.evtx'))
        mb = sum(os.path.getsize(f) for f in paths) / 1e6
        commands = [quiet(query('WindowsEvent', folder, 1)), loop(f'{export} -f xml', paths)]
        commands += [loop(f'{dump} -t 1 -o jsonl', paths)] if dump else []
        found = best(*commands)
        memory.append(found[0][2])
        n = events(query('WindowsEvent', folder, 1)).count(b'\n')
        counted = sum(events([export, '-f', 'xml', f]).count(b'<EventID') for f in paths)
        row(f'{len(paths)} recorded logs, {mb:.0f} MB: every event, 1 thread', f'{speed(found[0])}, {n} events',
            f'evtxexport -f xml {speed(found[1])}, {counted} events, a process a file', f'{found[1][0] / found[0][0]:.0f} times as fast', 'ahead')
        if dump:
            counted = sum(events([dump, '-t', '1', '-o', 'jsonl', f]).count(b'\n') for f in paths)
            row('the same', f'{speed(found[0])}, {n} events', f'evtx_dump -o jsonl {speed(found[2])}, {counted} events, a process a file',
                f'{found[2][0] / found[0][0]:.1f} times as fast', 'ahead')
    peers = [version([dump, '--version'])] if dump else ['evtx_dump is not installed']
    peers += [version([export, '-V'])] if export else ['evtxexport is not installed']
    return max(memory), peers

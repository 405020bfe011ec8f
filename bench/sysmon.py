#!/usr/bin/env python3
"""Sysmon process creations as NDJSON for evtx-make: sysmon.py N. The same lines every time."""
import json, random, sys

rng = random.Random(42)
images = [r'C:\Windows\System32\svchost.exe', r'C:\Program Files\Vendor\agent.exe', r'C:\Windows\System32\cmd.exe',
          r'C:\Windows\System32\conhost.exe', r'C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe']
for i in range(int(sys.argv[1])):
    image, parent = rng.choice(images), rng.choice(images)
    t = f'2026-01-14 {i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}.{i % 1000:03}'
    command = f'"{image}" --id {rng.getrandbits(48):x} --config "C:\\ProgramData\\Vendor\\{rng.getrandbits(32):x}.json"'
    if image.endswith('cmd.exe') and i % 500 == 0:
        command = 'cmd.exe /c vssadmin delete shadows /all /quiet'
    print(json.dumps({'provider': 'Microsoft-Windows-Sysmon', 'event_id': 1, 'version': 5, 'level': 4, 'task': 1,
                      'channel': 'Microsoft-Windows-Sysmon/Operational', 'computer': f'WS{i % 97:03}.corp.example',
                      'time': t.replace(' ', 'T') + 'Z', 'record_id': i + 1, 'user_id': 'S-1-5-18', 'process_id': 2480,
                      'thread_id': 3312, 'data': {
                          'RuleName': '-', 'UtcTime': t, 'ProcessGuid': {'guid': f'{{6a1f0c00-0000-0000-0000-{i:012x}}}'},
                          'ProcessId': 1000 + i % 30000, 'Image': image, 'FileVersion': '10.0.19041.1', 'Description': 'A program',
                          'Product': 'Windows', 'Company': 'Microsoft Corporation', 'OriginalFileName': image.rsplit('\\')[-1],
                          'CommandLine': command, 'CurrentDirectory': 'C:\\Windows\\', 'User': 'CORP\\alice',
                          'LogonGuid': {'guid': '{6a1f0c00-0000-0000-0000-0000000003e8}'}, 'LogonId': {'hex': '0x3e7'},
                          'TerminalSessionId': 0, 'IntegrityLevel': 'System',
                          'Hashes': f'MD5={rng.getrandbits(128):032X},SHA256={rng.getrandbits(256):064X}',
                          'ParentProcessGuid': {'guid': '{6a1f0c00-0000-0000-0000-000000000001}'}, 'ParentProcessId': 744,
                          'ParentImage': parent, 'ParentCommandLine': f'"{parent}" -k netsvcs', 'ParentUser': 'NT AUTHORITY\\SYSTEM'}}))

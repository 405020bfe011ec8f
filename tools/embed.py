#!/usr/bin/env python3
"""Writes files as C strings: embed.py OUT.c SYMBOL FILE... gives `const kq_embedded SYMBOL[]` (name, text) ended by NULL."""
import os, sys

out, symbol, files = sys.argv[1], sys.argv[2], sys.argv[3:]
with open(out, 'w') as f:
    f.write('#include "base/embedded.h"\n\n')
    for i, path in enumerate(files):
        data = open(path, 'rb').read()
        f.write(f'static const char file_{i}[] = {{\n')
        for at in range(0, len(data), 20):
            f.write('    ' + ' '.join(f'{b if b < 128 else b - 256},' for b in data[at:at + 20]) + '\n')
        f.write('    0};\n')
    f.write(f'\nconst kq_embedded {symbol}[] = {{\n')
    for i, path in enumerate(files):
        f.write(f'    {{"{os.path.basename(path)}", {{file_{i}, sizeof file_{i} - 1}}}},\n')
    f.write('    {0, {0, 0}}};\n')

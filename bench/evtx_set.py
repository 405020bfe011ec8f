#!/usr/bin/env python3
"""evtx_set.py OUT.evtx FOLDER MB: every whole chunk of the .evtx files under FOLDER, in the order of names, behind one
file header, repeated until the file has MB megabytes. One file, because the peers take one file a process and should not
pay for hundreds of starts. A chunk's records refer to nothing outside the chunk, so that each is as good as in its own file.
Prints the share of the bytes that are not empty pages."""
import pathlib, struct, sys, zlib

CHUNK, HEADER, PAGE = 65536, 4096, 4096


def main():
    out, folder, mb = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    chunks = []
    for path in sorted(folder.rglob('*.evtx')):
        data = path.read_bytes()
        for at in range(HEADER, len(data) - CHUNK + 1, CHUNK):
            chunks.append(data[at:at + CHUNK])
    if not chunks:
        sys.exit(f'evtx_set: no chunks under {folder}')
    rounds = -(-mb * 1000000 // (len(chunks) * CHUNK))
    count = rounds * len(chunks)
    if count > 65535:
        sys.exit('evtx_set: a header can count 65535 chunks')
    head = bytearray(HEADER)
    struct.pack_into('<8sQQQIHHHH', head, 0, b'ElfFile\0', 0, count - 1, 1, 128, 1, 3, HEADER, count)
    struct.pack_into('<I', head, 124, zlib.crc32(bytes(head[:120])))
    with open(out, 'wb') as f:
        f.write(head)
        for _ in range(rounds):
            f.writelines(chunks)
    used = sum(any(c[i:i + PAGE]) for c in chunks for i in range(0, CHUNK, PAGE))
    print(f'{used * PAGE / (len(chunks) * CHUNK):.2f}')


if __name__ == '__main__':
    main()

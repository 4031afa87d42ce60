"""A program that is called ffmpeg: keeps what it was asked and does what a test says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

#: Gives half a second of a tone as ffmpeg writes it into a pipe: without knowing the length.
GIVES_SOUND = """
import math, struct
tone = [int(9000 * math.sin(n * 0.115)) for n in range(SECONDS * 24000)]
sys.stdout.buffer.write(
    b"RIFF\\xff\\xff\\xff\\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 24000, 48000, 2, 16)
    + b"data\\xff\\xff\\xff\\xff" + struct.pack(f"<{len(tone)}h", *tone)
)
"""
#: Says no to everything.
REFUSES = "sys.exit(1)"
#: Gives what is no sound.
GIVES_RUBBISH = "print('Input #0')"
#: Writes without an end.
NEVER_STOPS_WRITING = "while True: sys.stdout.buffer.write(bytes(2**20))"
#: Starts another program, which holds the pipe open, and waits for it.
HANGS = "import subprocess; subprocess.run(['sleep', '600'])"

#: The first bytes of a file of each kind that takes ffmpeg.
PACKED = {
    "m4a": b"\0\0\0\x20ftypM4A \0\0\0\0",
    "mp4": b"\0\0\0\x20ftypisom\0\0\0\0",
    "3gp": b"\0\0\0\x18ftyp3gp4\0\0\0\0",
    "webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01",
    "amr": b"#!AMR\n<\x91\x17",
    "awb": b"#!AMR-WB\n<\x91\x17",
    "aac": b"\xff\xf1P\x80\x02\x1f\xfc",
    "wma": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
}


def install(folder: Path, does: str, seconds: int = 1) -> Path:
    """Put the program into a folder; return the file that will hold what it was asked."""
    asked = folder / "asked.json"
    program = folder / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\nSECONDS = {seconds}\n"
        f"asked = {{'arguments': sys.argv[1:], 'environment': dict(os.environ)}}\n"
        f"open({str(asked)!r}, 'w').write(json.dumps(asked))\n{does}\n"
    )
    program.chmod(0o755)
    return asked


def asked_of(file: Path) -> dict:
    """Return the arguments and the environment that the program got."""
    return json.loads(file.read_text())

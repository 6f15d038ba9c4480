"""What an upload check refuses in an image file, asked before the file is sent.

ORFEAS takes about one random image in a hundred for a program in disguise. Such a refusal says nothing
about the service under load, so no input may cause it.
"""

from __future__ import annotations

MIN_SIDE_PX, MAX_SIDE_PX = 32, 4096
MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_RATIO = 1000  # pixels × 3 ÷ bytes of the file: more is taken for a decompression bomb
_EXECUTABLE = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe")
_SCANNED = slice(12, 1024 + 4)  # a little more, in case a check counts from elsewhere


def refusal(content: bytes, width_px: int, height_px: int) -> str:
    """Why the file would be refused, "" if it would not."""
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in (width_px, height_px)):
        return f"{width_px} × {height_px} pixels: a side must have {MIN_SIDE_PX} to {MAX_SIDE_PX}"
    if len(content) > MAX_FILE_BYTES:
        return f"{len(content)} bytes: at most {MAX_FILE_BYTES} are accepted"
    if width_px * height_px * 3 > MAX_UNPACKED_RATIO * len(content):
        return f"{len(content)} bytes for {width_px} × {height_px} pixels look like a decompression bomb"
    if looks_executable(content):
        return "its first 1024 bytes hold the signature of a program"
    return ""


def looks_executable(content: bytes) -> bool:
    """Whether bytes 12 to 1024 hold what a DOS, ELF, Mach-O or Java program begins with."""
    head = content[_SCANNED]
    return any(signature in head for signature in _EXECUTABLE)

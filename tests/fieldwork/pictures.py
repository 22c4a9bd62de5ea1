"""Synthetic pictures full of metadata: each place where a format can hold some has a canary of its own."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

CANARY = b"canary-Otavalo-0.2346"


def drawing(mode: str = "RGB") -> Image.Image:
    """A gradient: every pixel differs from its neighbours."""
    picture = Image.new(mode, (48, 32))
    for x in range(48):
        for y in range(32):
            picture.putpixel((x, y), (x * 5, y * 7, (x + y) * 3, 40 + 3 * x)[: len(mode)])
    return picture


def exif(orientation: int | None = None) -> bytes:
    """Camera, owner, text and a place, as a camera writes them."""
    made = Image.Exif()
    made[0x010F] = CANARY.decode() + "make"
    made[0x013B] = CANARY.decode() + "artist"
    made.get_ifd(0x8769)[0x9286] = CANARY + b"comment"
    made.get_ifd(0x8825)[1] = "N"
    made.get_ifd(0x8825)[29] = CANARY.decode() + "day"
    if orientation is not None:
        made[0x0112] = orientation
    return made.tobytes()


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG segment."""
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg(orientation: int | None = None, *, progressive: bool = False, restarts: bool = False) -> bytes:
    """Exif, XMP, a profile, IPTC, another application's part, a comment, a second picture after the end."""
    out = io.BytesIO()
    options = {"restart_marker_blocks": 2} if restarts else {}
    drawing().save(out, "JPEG", quality=90, progressive=progressive, exif=exif(orientation), **options)
    data = out.getvalue()
    more = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + CANARY + b"</x>")
    more += segment(0xE2, b"ICC_PROFILE\0\x01\x01" + CANARY) + segment(0xE2, b"FPXR\0" + CANARY)
    more += segment(0xED, b"Photoshop 3.0\0" + CANARY) + segment(0xEC, CANARY) + segment(0xFE, CANARY)
    thumbnail = segment(0xE0, b"JFXX\0\x10" + CANARY)
    return data[:2] + thumbnail + more + data[2:] + CANARY + data


def chunk(name: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(mode: str = "RGBA") -> bytes:
    """Texts of all three kinds, Exif, a time, a profile, a chunk of nobody's, something after the end."""
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", CANARY.decode())
    info.add_text("Comment", CANARY.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    drawing(mode).save(out, "PNG", pnginfo=info, exif=exif(), icc_profile=b"profile" + CANARY)
    data = out.getvalue()
    head = 8 + 25
    more = chunk(b"tIME", CANARY[:7]) + chunk(b"prVt", CANARY)
    return data[:head] + more + data[head:] + CANARY


def webp(*, lossless: bool = False, mode: str = "RGBA") -> bytes:
    """Exif, XMP, a profile, a chunk of nobody's, something after the end."""
    out = io.BytesIO()
    drawing(mode).save(
        out, "WEBP", lossless=lossless, exif=exif(), xmp=b"<x>" + CANARY + b"</x>", icc_profile=b"profile" + CANARY
    )
    data = out.getvalue()
    odd = CANARY if len(CANARY) % 2 else CANARY + b"!"
    data += b"ours" + len(odd).to_bytes(4, "little") + odd + b"\0"
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:] + CANARY

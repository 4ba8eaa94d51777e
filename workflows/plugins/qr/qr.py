"""QR codes, without dependencies: ISO/IEC 18004, bytes, error correction level M."""

import itertools
import struct
import zlib
from typing import Annotated, TypedDict

from fanlight_plugin import Failed, Image, folder, node, run

# For each version: the error correction codewords of a block, and how many blocks there are.
CODEWORDS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26] + [28] * 19
BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29]
BLOCKS += [31, 33, 35, 37, 38, 40, 43, 45, 47, 49]
MASKS = [
    lambda x, y: (x + y) % 2,
    lambda x, y: y % 2,
    lambda x, y: x % 3,
    lambda x, y: (x + y) % 3,
    lambda x, y: (x // 3 + y // 2) % 2,
    lambda x, y: x * y % 2 + x * y % 3,
    lambda x, y: (x * y % 2 + x * y % 3) % 2,
    lambda x, y: ((x + y) % 2 + x * y % 3) % 2,
]


def capacity(version):
    """Returns how many codewords a version has."""
    bits = (16 * version + 128) * version + 64
    if version > 1:
        count = version // 7 + 2
        bits -= (25 * count - 10) * count - 55 + (36 if version > 6 else 0)
    return bits // 8


def multiply(a, b):
    """Multiplies in GF(256)."""
    product = 0
    for bit in range(7, -1, -1):
        product = (product << 1) ^ (product >> 7) * 0x11D ^ (b >> bit & 1) * a
    return product


def correction(data, count):
    """Returns the codewords of Reed and Solomon."""
    divisor, root = [0] * (count - 1) + [1], 1
    for _ in range(count):
        divisor = [multiply(it, root) ^ after for it, after in zip(divisor, divisor[1:] + [0])]
        root = multiply(root, 2)
    rest = [0] * count
    for byte in data:
        factor = byte ^ rest.pop(0)
        rest = [it ^ multiply(of, factor) for it, of in zip(rest + [0], divisor)]
    return rest


def codewords(data):
    """Returns the version that is large enough, and its codewords."""
    for version in range(1, 41):
        blocks, extra = BLOCKS[version - 1], CODEWORDS[version - 1]
        room = capacity(version) - blocks * extra
        length = 8 if version < 10 else 16
        if 4 + length + 8 * len(data) <= 8 * room:
            break
    else:
        raise Failed(f"the text has {len(data)} bytes, and a QR code at most 2331")
    bits = "0100" + format(len(data), f"0{length}b") + "".join(format(byte, "08b") for byte in data)
    bits += "0" * min(4, 8 * room - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[at:at + 8], 2) for at in range(0, len(bits), 8)]
    words += list(itertools.islice(itertools.cycle([0xEC, 0x11]), room - len(words)))
    short, begin, parts = room // blocks, 0, []
    for block in range(blocks):
        size = short + (block >= blocks - room % blocks)
        parts.append(words[begin:begin + size])
        begin += size
    checks = [correction(part, extra) for part in parts]
    mixed = [it for row in itertools.zip_longest(*parts) for it in row if it is not None]
    return version, mixed + [it for row in zip(*checks) for it in row]


def remainder(data, times, divisor):
    """Returns data with the bits of its BCH code."""
    rest = data
    for _ in range(times):
        rest = (rest << 1) ^ (rest >> (times - 1)) * divisor
    return data << times | rest


def patterns(version):
    """Returns the modules that don't depend on the data, by place."""
    size, fixed = 17 + 4 * version, {}
    for at in range(size):
        fixed[at, 6] = fixed[6, at] = at % 2 == 0
    for x, y in [(3, 3), (size - 4, 3), (3, size - 4)]:
        for dx, dy in itertools.product(range(-4, 5), repeat=2):
            if 0 <= x + dx < size and 0 <= y + dy < size:
                fixed[x + dx, y + dy] = max(abs(dx), abs(dy)) not in (2, 4)
    count = version // 7 + 2
    step = (version * 8 + count * 3 + 5) // (count * 4 - 4) * 2
    places = [6] + [size - 7 - it * step for it in range(count - 1)][::-1] if version > 1 else []
    for x, y in itertools.product(places, repeat=2):
        if (x, y) not in [(6, 6), (6, size - 7), (size - 7, 6)]:
            for dx, dy in itertools.product(range(-2, 3), repeat=2):
                fixed[x + dx, y + dy] = max(abs(dx), abs(dy)) != 1
    if version > 6:
        for bit in range(18):
            a, b = size - 11 + bit % 3, bit // 3
            fixed[a, b] = fixed[b, a] = bool(remainder(version, 12, 0x1F25) >> bit & 1)
    return size, fixed


def form(size, mask):
    """Returns the modules that name the mask, by place."""
    bits, named = remainder(mask, 10, 0x537) ^ 0x5412, {(8, size - 8): True}
    first = [(8, it) for it in (0, 1, 2, 3, 4, 5, 7, 8)] + [(it, 8) for it in (7, 5, 4, 3, 2, 1, 0)]
    second = [(size - 1 - it, 8) for it in range(8)] + [(8, size - 15 + it) for it in range(8, 15)]
    for places in (first, second):
        named.update({place: bool(bits >> bit & 1) for bit, place in enumerate(places)})
    return named


def penalty(rows):
    lines = ["".join("01"[it] for it in line) for line in [*rows, *zip(*rows)]]
    runs = [len(list(run)) for line in lines for _, run in itertools.groupby(line)]
    finders = sum(line.startswith(it, at) for line in lines for it in ("10111010000", "00001011101") for at in range(len(line)))
    blocks = sum(a == b == c == d for up, down in zip(rows, rows[1:]) for a, b, c, d in zip(up, up[1:], down, down[1:]))
    dark, total = sum(map(sum, rows)), len(rows) ** 2
    balance = max(0, -(-abs(dark * 20 - total * 10) // total) - 1)
    return sum(run - 2 for run in runs if run > 4) + 40 * finders + 3 * blocks + 10 * balance


def code(text):
    """Returns the rows of the code."""
    version, words = codewords(text.encode())
    size, fixed = patterns(version)
    fixed.update(form(size, 0))
    columns = [right for right in range(size - 1, 0, -2)]
    columns = [right if right > 6 else right - 1 for right in columns]
    free = []
    for turn, right in enumerate(columns):
        for step in range(size):
            y = size - 1 - step if turn % 2 == 0 else step
            free += [(x, y) for x in (right, right - 1) if (x, y) not in fixed]
    bits = [word >> bit & 1 for word in words for bit in range(7, -1, -1)]
    data = dict(itertools.zip_longest(free, bits[:len(free)], fillvalue=0))
    candidates = []
    for mask, flips in enumerate(MASKS):
        masked = {place: bool(bit) != (flips(*place) == 0) for place, bit in data.items()}
        modules = {**fixed, **form(size, mask), **masked}
        candidates.append([[modules[x, y] for x in range(size)] for y in range(size)])
    return min(candidates, key=penalty)


class Code(TypedDict):
    image: Annotated[Image, "The code."]
    modules: Annotated[int, "How many modules each side has."]
    text: Annotated[str, "The code as text, for a terminal."]


@node("qr.code", effects="none")
def qr_code(
    text: Annotated[str, "What the code says: a link, a Wi-Fi password, a number."],
    scale: Annotated[int, "The pixels of a module.", {"min": 1, "max": 40}] = 8,
    border: Annotated[int, "The modules around the code; scanners need four.", {"min": 0, "max": 20}] = 4,
) -> Code:
    """Draws a QR code."""
    rows = code(text)
    wide = len(rows) + 2 * border
    edge = [[False] * wide] * border
    rows = edge + [[False] * border + row + [False] * border for row in rows] + edge
    raw = b"".join((b"\0" + b"".join((b"\xff", b"\0")[it] * scale for it in row)) * scale for row in rows)

    def part(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = part(b"IHDR", struct.pack(">IIBBBBB", wide * scale, wide * scale, 8, 0, 0, 0, 0))
    path = folder() / "code.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(raw)) + part(b"IEND", b""))
    pairs = itertools.zip_longest(rows[::2], rows[1::2], fillvalue=[False] * wide)
    drawn = "\n".join("".join(" ▄▀█"[2 * up + down] for up, down in zip(*pair)).rstrip() for pair in pairs)
    return {"image": path, "modules": wide - 2 * border, "text": drawn}


if __name__ == "__main__":
    run("qr")

"""Several arrays as numpy saves them (.npz): a zip of .npy files."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from engine.ops.op import Array
from server import limits
from server.programs.errors import LimitError
from server.uploads import npy
from server.uploads.bounds import Budget, UploadError, called, check_name

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # a member, or the end of an archive that has none
_END = struct.Struct("<4s4H2LH")  # what a zip ends with
_ENTRY_BYTES = 1024  # of a directory's entry: its name and little else
_SUFFIX = ".npy"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, struct.error, OSError)


def read_file(data: bytes, budget: Budget) -> dict[str, Array]:
    """The arrays of a file by name, without `.npy`."""
    _check_end(data, budget)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check(members, data, budget)
            arrays = {}
            for number, member in enumerate(members):
                name = member.filename.removesuffix(_SUFFIX)
                arrays[name] = npy.read(_content(archive, member, called(name, number)), budget, called(name, number))
            return arrays
    except UploadError:
        raise
    except _DAMAGE:
        raise UploadError("the zip is damaged: a member or the directory is not what it says; save it with numpy.savez, say") from None


def _check_end(data: bytes, budget: Budget) -> None:
    """Looks at the end of the archive before its directory is read: one archive and nothing else, of no more members than are kept."""
    signature, _, _, here, count, size, offset, comment = _END.unpack(data[-_END.size :]) if len(data) >= _END.size else (b"",) + (0,) * 7
    if signature != b"PK\x05\x06" or comment or here != count:
        raise UploadError("the zip is cut off, or something follows it; expected one whole archive without a comment")
    budget.count(count)
    if size > count * _ENTRY_BYTES or offset + size + _END.size != len(data):
        raise UploadError("the zip's directory is not where and as large as the archive says")


def _check(members: list[zipfile.ZipInfo], data: bytes, budget: Budget) -> None:
    """Looks at the directory before anything is unpacked. Raises UploadError, and LimitError for more than is unpacked."""
    budget.count(len(members))
    seen: set[str] = set()
    end = 0
    for number, member in enumerate(sorted(members, key=lambda one: one.header_offset)):
        name = member.filename
        if member.orig_filename != name or not name.endswith(_SUFFIX) or _leads_elsewhere(name):
            expected = "expected names such as weight.npy, no folders above (a .pt file of PyTorch: save it as safetensors)"
            raise UploadError(f"member {number} of the zip is no array: {expected}")
        check_name(name.removesuffix(_SUFFIX), number)
        if name in seen:
            raise UploadError(f"two members of the zip have the name of member {number}; give each a name of its own")
        seen.add(name)
        if member.flag_bits & _ENCRYPTED:
            raise UploadError(f"member {number} of the zip is encrypted; save it without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UploadError(f"member {number} of the zip is compressed in another way than numpy does (stored or deflated)")
        if member.header_offset < end:
            raise UploadError(f"member {number} of the zip lies over the one before it")
        end = member.header_offset + member.compress_size
    if end > len(data):
        raise UploadError("a member of the zip is larger than the archive")
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.UPLOAD_UNPACKED_BYTES:
        held = f"unpacked the file has {unpacked:,} bytes, at most {limits.UPLOAD_UNPACKED_BYTES:,} are kept"
        raise LimitError(f"{held}; leave arrays out", limits.UPLOAD_UNPACKED_BYTES, unpacked)


def _leads_elsewhere(name: str) -> bool:
    return "\\" in name or any(part in ("", ".", "..") for part in name.split("/"))


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, called: str) -> bytes:
    """A member's bytes: as many as the directory says, whatever they would unpack to."""
    with archive.open(member) as file:
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise UploadError(f"{called} unpacks to {len(content):,} bytes; the zip says {member.file_size:,}")
    if not content.startswith(npy.MAGIC):
        raise UploadError(f"{called} is no .npy file within; archives in archives are not read")
    return content

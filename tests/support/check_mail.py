"""Reads messages as a second, independent program would and prints what it found as JSON.

python3 check_mail.py FOLDER: every file of FOLDER, or of its `new` and `cur` when it is a maildir, sorted by path.
"""

import json
import re
import sys
from email import message_from_bytes, policy
from pathlib import Path

# RFC 5322, section 3.6, and RFC 2045: at most one of each, and these two always.
ONCE = (
    "date from sender reply-to to cc bcc message-id in-reply-to references subject mime-version content-type"
    " content-transfer-encoding"
).split()
ALWAYS = ["date", "from"]


def files(folder):
    folders = [folder / "new", folder / "cur"] if (folder / "new").is_dir() else [folder]
    return sorted(path for each in folders if each.is_dir() for path in each.iterdir() if path.is_file())


def named(defect):
    return f"{type(defect).__name__}: {defect}"


def addresses(message, name):
    return [str(address) for header in message.get_all(name, []) for address in header.addresses]


def header(message, name):
    value = message.get(name)
    return None if value is None else str(value)


def part(message, defects):
    found = {
        "content_type": message.get_content_type(),
        "charset": message.get_content_charset(),
        "disposition": message.get_content_disposition(),
        "filename": message.get_filename(),
        "transfer_encoding": header(message, "content-transfer-encoding"),
        "text": None,
        "size": None,
    }
    if message.is_multipart():
        return found
    content = message.get_payload(decode=True)
    found["size"] = len(content)
    if message.get_content_maintype() == "text":
        charset = message.get_content_charset("us-ascii")
        try:
            found["text"] = content.decode(charset)
        except (LookupError, UnicodeDecodeError) as error:
            defects.append(f"Undecodable: {error}")
            found["text"] = content.decode("latin-1")
    return found


def inspect(path):
    content = path.read_bytes()
    message = message_from_bytes(content, policy=policy.default)
    names = [name.lower() for name in message.keys()]
    defects = [f"Repeated: {name}" for name in ONCE if names.count(name) > 1]
    defects += [f"Missing: {name}" for name in ALWAYS if name not in names]
    parts = []
    for each in message.walk():
        # Decoding adds defects of its own to the part's, so it comes first.
        parts.append(part(each, defects))
        defects += [named(defect) for defect in each.defects]
        for name, value in each.items():
            defects += [f"{name}: {named(defect)}" for defect in value.defects]
    return {
        "file": path.name,
        "defects": defects,
        "subject": header(message, "subject"),
        "from": addresses(message, "from"),
        "to": addresses(message, "to"),
        "cc": addresses(message, "cc"),
        "reply_to": addresses(message, "reply-to"),
        "message_id": header(message, "message-id"),
        "date": header(message, "date"),
        "delivery": header(message, "x-demarche-delivery"),
        "content_language": header(message, "content-language"),
        "original_to": header(message, "x-original-to"),
        "parts": parts,
        "longest_line": max(map(len, re.split(b"\r\n|\r|\n", content))),
        "bare_cr": len(re.findall(b"\r(?!\n)", content)),
        "bare_lf": len(re.findall(b"(?<!\r)\n", content)),
    }


if __name__ == "__main__":
    json.dump([inspect(path) for path in files(Path(sys.argv[1]))], sys.stdout)

"""What configuring packages would add to the files that they carry."""

import base64
import glob
import hashlib
import os
import re
import struct
import subprocess


def before_patching(tree):
    _certificates(tree)
    _java_certificates(tree)
    _locales(tree)


def after_patching(tree):
    _python_bytecode(tree)


def _certificates(tree):
    """ca-certificates: one file of all, where each library looks for it."""
    sources = sorted(glob.glob(tree.place("/usr/share/ca-certificates/**/*.crt"), recursive=True))
    if not sources:
        return
    folder = tree.place("/etc/ssl/certs")
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/ca-certificates.crt", "w") as bundle:
        for source in sources:
            with open(source) as file:
                bundle.write(file.read().rstrip("\n") + "\n")
    # OpenSSL's own default, whose folder another package makes.
    os.makedirs(tree.place("/usr/lib/ssl"), exist_ok=True)
    if not tree.has("/usr/lib/ssl/cert.pem"):
        os.symlink("/etc/ssl/certs/ca-certificates.crt", tree.place("/usr/lib/ssl/cert.pem"))


def _locales(tree):
    """libc-bin is wanted for its locale alone; its programs are for a system that is not here."""
    for path in glob.glob(tree.place("/usr/lib/locale/C.utf8")):
        if not os.path.lexists(os.path.join(os.path.dirname(path), "C.UTF-8")):
            os.symlink("C.utf8", os.path.join(os.path.dirname(path), "C.UTF-8"))


def _java_certificates(tree):
    """ca-certificates-java: the same certificates in Java's own form, JKS (sun.security.provider.JavaKeyStore)."""
    bundle = tree.place("/etc/ssl/certs/ca-certificates.crt")
    if not os.path.isdir(tree.place("/usr/lib/jvm")) or not os.path.exists(bundle):
        return
    with open(bundle) as file:
        texts = re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", file.read(), re.S)
    data = struct.pack(">III", 0xFEEDFEED, 2, len(texts))
    for number, text in enumerate(texts):
        certificate = base64.b64decode(text)
        # A trusted certificate, made at no time in particular.
        data += struct.pack(">I", 2) + _java_text(f"debian:{number:03}") + struct.pack(">Q", 0) + _java_text("X.509")
        data += struct.pack(">I", len(certificate)) + certificate
    # The password that every Java knows.
    digest = hashlib.sha1("changeit".encode("utf-16-be") + b"Mighty Aphrodite" + data).digest()
    os.makedirs(tree.place("/etc/ssl/certs/java"), exist_ok=True)
    with open(tree.place("/etc/ssl/certs/java/cacerts"), "wb") as file:
        file.write(data + digest)


def _java_text(text):
    return struct.pack(">H", len(text)) + text.encode()


def _python_bytecode(tree):
    """What py3compile would make. The store gives every file the same time, so the sources' times must not be compared."""
    folders = [folder for folder in glob.glob(tree.place("/usr/lib/python3*")) + glob.glob(tree.place("/usr/share/python3")) if os.path.isdir(folder)]
    pythons = sorted(path for path in glob.glob(tree.place("/usr/bin/python3.*")) if re.search(r"/python3\.\d+$", path))
    if not pythons or not folders:
        return
    subprocess.run([pythons[-1], "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-x", r"/(test|tests|idlelib|lib2to3)/"]
                   + folders, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

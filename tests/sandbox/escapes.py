"""Ways out of a sandbox. Each program sets ``got`` to something true once it is out.

``there`` names what lies outside: files, sockets and a process that a test has put there.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from assay.sandbox import Limits, Protection

SMALL = Limits(
    wall_seconds=60, cpu_seconds=30, memory_mebibytes=512, file_mebibytes=4, output_bytes=2**20
)
SHORT = Limits(wall_seconds=0.3, output_bytes=2**20)
FOUR = Limits(wall_seconds=5, memory_mebibytes=2048, processes=4)

LIBC = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True
"""


@dataclass(frozen=True)
class Escape:
    """A program that tries to get out.

    Attributes
    ----------
    against
        The protection that must stop it.
    real
        Whether it is known to get out of a process without that protection, on any Linux: the
        others need privileges or devices that not every machine has.
    """

    name: str
    against: Protection
    program: str
    real: bool = True
    limits: Limits = SMALL


def _all(*escapes: tuple[str, Protection, str] | Escape) -> list[Escape]:
    made = [each if isinstance(each, Escape) else Escape(*each) for each in escapes]
    return [
        Escape(each.name, each.against, dedent(each.program), each.real, each.limits)
        for each in made
    ]


def _socket(family: int, kind: int = 1, protocol: int = 0) -> str:
    return f"import socket\nsocket.socket({family}, {kind}, {protocol})\ngot = True"


def _libc(line: str) -> str:
    return f"{LIBC}\ngot = called({line})"


NETWORK = _all(
    (
        "tcp to a server on this machine",
        Protection.NETWORK,
        """
        import socket
        got = socket.create_connection(("127.0.0.1", there["port"])).recv(6) == b"secret"
        """,
    ),
    (
        "udp to a server on this machine",
        Protection.NETWORK,
        """
        import socket
        socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", there["port"]))
        got = True
        """,
    ),
    Escape("tcp over IPv6", Protection.NETWORK, _socket(10), real=False),
    (
        "listening",
        Protection.NETWORK,
        "import socket\ngot = bool(socket.create_server(('127.0.0.1', 0)))",
    ),
    ("netlink", Protection.NETWORK, _socket(16, 3)),
    Escape("packets", Protection.NETWORK, _socket(17, 3, 0x300), real=False),
    Escape("virtual machine sockets", Protection.NETWORK, _socket(40), real=False),
    Escape("bluetooth", Protection.NETWORK, _socket(31, 3, 1), real=False),
    Escape("kernel cryptography sockets", Protection.NETWORK, _socket(38, 5), real=False),
    (
        "a server's socket in the file system",
        Protection.NETWORK,
        """
        import socket
        one = socket.socket(socket.AF_UNIX)
        one.connect(there["socket"])
        got = one.recv(6) == b"secret"
        """,
    ),
    (
        "a server's abstract socket",
        Protection.NETWORK,
        """
        import socket
        one = socket.socket(socket.AF_UNIX)
        one.connect("\\0" + there["abstract"])
        got = one.recv(6) == b"secret"
        """,
    ),
    (
        "a datagram from a socket pair to a server's socket",
        Protection.NETWORK,
        """
        import socket
        one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        got = one.sendto(b"x", there["mailbox"]) == 1
        """,
    ),
    (
        "a message from a socket pair to a server's socket",
        Protection.NETWORK,
        """
        import socket
        one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        got = one.sendmsg([b"x"], [], 0, there["mailbox"]) == 1
        """,
    ),
)
READING = _all(
    ("a key by its path", Protection.READING, "got = open(there['key']).read() == 'secret'"),
    (
        "a key by a symbolic link",
        Protection.READING,
        "import os\nos.symlink(there['key'], 'link')\ngot = open('link').read() == 'secret'",
    ),
    Escape(
        "a key by a hard link",
        Protection.READING,
        "import os\nos.link(there['key'], 'link')\ngot = open('link').read() == 'secret'",
        real=False,
    ),
    (
        "a key by way of the folder above",
        Protection.READING,
        "import os\ngot = open(os.path.relpath(there['key'])).read() == 'secret'",
    ),
    (
        "a key by way of this process's root",
        Protection.READING,
        "got = open('/proc/self/root' + there['key']).read() == 'secret'",
    ),
    (
        "the names of the home folder's files",
        Protection.READING,
        "import os\ngot = os.listdir(there['home'])",
    ),
    ("the list of users", Protection.READING, "got = open('/etc/passwd').read()"),
    (
        "what other programs keep in the temporary folder",
        Protection.READING,
        "import os, tempfile\ngot = 'marker' in ''.join(os.listdir(there['temporary']))",
    ),
    Escape(
        "the disk as a device",
        Protection.READING,
        """
        import os
        disks = [each for each in os.listdir('/dev') if each[:2] in ('sd', 'vd', 'nv')]
        got = any(open('/dev/' + each, 'rb').read(1) for each in disks)
        """,
        real=False,
    ),
    Escape(
        "memory as a device", Protection.READING, "got = open('/dev/mem', 'rb').read(1)", real=False
    ),
    Escape(
        "the kernel's log", Protection.READING, "got = open('/dev/kmsg', 'rb').read(1)", real=False
    ),
    Escape(
        "what the kernel tells of devices",
        Protection.READING,
        "import os\ngot = os.listdir('/sys')",
    ),
    Escape(
        "open files of the process that started it",
        Protection.READING,
        """
        import fcntl
        got = []
        for number in range(3, 256):
            try:
                fcntl.fcntl(number, fcntl.F_GETFD)
                got.append(number)
            except OSError:
                pass
        import json, sys
        got.remove(json.load(open(sys.argv[2]))["out"])
        """,
        real=False,
    ),
)

WRITING = _all(
    ("a new file", Protection.WRITING, "got = open(there['folder'] + '/new', 'w').write('x')"),
    ("an existing file", Protection.WRITING, "got = open(there['file'], 'w').write('x')"),
    (
        "a file cut short",
        Protection.WRITING,
        "import os\nos.truncate(there['file'], 1)\ngot = True",
    ),
    ("a file deleted", Protection.WRITING, "import os\nos.unlink(there['file'])\ngot = True"),
    (
        "a file moved over another",
        Protection.WRITING,
        "import os\nos.rename(there['file'], there['file'] + '2')\ngot = True",
    ),
    ("a folder", Protection.WRITING, "import os\nos.mkdir(there['folder'] + '/sub')\ngot = True"),
    (
        "a link left outside",
        Protection.WRITING,
        "import os\nos.symlink('x', there['folder'] + '/l')\ngot = 1",
    ),
    ("rights", Protection.WRITING, "import os\nos.chmod(there['file'], 0o777)\ngot = True"),
    ("times", Protection.WRITING, "import os\nos.utime(there['file'], (1, 1))\ngot = True"),
    Escape(
        "attributes",
        Protection.WRITING,
        "import os\nos.setxattr(there['file'], 'user.x', b'x')\ngot = True",
        real=False,
    ),
    Escape(
        "owners",
        Protection.WRITING,
        "import os\nos.chown(there['file'], 1, 1)\ngot = True",
        real=False,
    ),
    ("a library", Protection.WRITING, "import polars\ngot = bool(open(polars.__file__, 'a'))"),
    ("its own inputs", Protection.WRITING, "import sys\ngot = bool(open(sys.argv[2], 'a'))"),
    (
        "the memory that programs share",
        Protection.WRITING,
        """
        import os
        name = f'/dev/shm/assay-escape-{os.getpid()}'
        got = open(name, 'w').write('x')
        os.unlink(name)
        """,
    ),
    Escape(
        "the kernel's settings",
        Protection.WRITING,
        "got = bool(open('/proc/sys/kernel/core_pattern', 'a'))",
        real=False,
    ),
)

PROCESSES = _all(
    ("what exists", Protection.NAMES, "import os\ngot = os.stat(there['key']).st_size"),
    ("what runs", Protection.NAMES, "import os\ngot = os.path.exists(f'/proc/{there[\"pid\"]}')"),
    Escape(
        "the environment of a process",
        Protection.PROCESSES,
        "got = 'secret' in open(f'/proc/{there[\"pid\"]}/environ').read()",
        real=False,
    ),
    (
        "the command of a process",
        Protection.PROCESSES,
        "got = open(f'/proc/{there[\"pid\"]}/cmdline').read()",
    ),
    (
        "a signal to a process",
        Protection.PROCESSES,
        "import os\nos.kill(there['pid'], 18)\ngot = True",
    ),
    (
        "a signal to the process that started it",
        Protection.PROCESSES,
        "import os\nos.kill(os.getppid(), 18)\ngot = True",
    ),
    (
        "a signal by a handle",
        Protection.PROCESSES,
        "import os, signal\nsignal.pidfd_send_signal(os.pidfd_open(there['pid']), 18)\ngot = True",
    ),
    Escape(
        "tracing",
        Protection.PROCESSES,
        _libc("libc.ptrace(0x4206, there['pid'], 0, 0)"),
        real=False,
    ),
    Escape(
        "the memory of a process",
        Protection.PROCESSES,
        "got = bool(open(f'/proc/{there[\"pid\"]}/mem', 'rb'))",
        real=False,
    ),
    Escape(
        "the pace of a process",
        Protection.PROCESSES,
        "import os\nos.setpriority(0, there['pid'], 19)\ngot = True",
        real=False,
    ),
    (
        "the limits of a process",
        Protection.PROCESSES,
        "import resource\nresource.prlimit(there['pid'], resource.RLIMIT_CORE)\ngot = True",
    ),
)

# Without a filter of calls these race with the watch, which counts processes now and then.
FORKING = _all(
    Escape(
        "fork",
        Protection.FORKING,
        "import os\nchild = os.fork()\ngot = child or os._exit(0)",
        real=False,
    ),
    Escape(
        "another program",
        Protection.FORKING,
        "import subprocess, sys\ngot = subprocess.run([sys.executable, '-S', '-c', '']).args",
        real=False,
    ),
    Escape(
        "a spawned program",
        Protection.FORKING,
        "import os, sys\ngot = os.posix_spawn(sys.executable, ['x', '-S', '-c', ''], {})",
        real=False,
    ),
    Escape(
        "a shell",
        Protection.FORKING,
        "import os\ngot = os.system('/bin/sh -c true') == 0",
        real=False,
    ),
    Escape(
        "a group of its own",
        Protection.KERNEL,
        "import os\nos.setpgid(0, 0)\ngot = True",
        real=False,
    ),
)

KERNEL = _all(
    Escape("a user namespace", Protection.KERNEL, _libc("libc.unshare(0x10000000)"), real=False),
    Escape("another's namespace", Protection.KERNEL, _libc("libc.setns(0, 0)"), real=False),
    Escape(
        "a mount",
        Protection.KERNEL,
        _libc("libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)"),
        real=False,
    ),
    Escape("another root", Protection.KERNEL, "import os\nos.chroot('.')\ngot = True", real=False),
    Escape("keys", Protection.KERNEL, _libc("libc.syscall(250, 0, -3, 0)"), real=False),
    Escape(
        "performance events",
        Protection.KERNEL,
        _libc("libc.syscall(298, 0, 0, -1, -1, 0)"),
        real=False,
    ),
    Escape("kernel programs", Protection.KERNEL, _libc("libc.syscall(321, 0, 0, 0)"), real=False),
    Escape(
        "asynchronous rings",
        Protection.KERNEL,
        _libc("libc.syscall(425, 1, bytes(120))"),
        real=False,
    ),
    ("another personality", Protection.KERNEL, _libc("libc.personality(0x0040000)")),
    ("uncounted memory in a file", Protection.KERNEL, "import os\ngot = os.memfd_create('x') > 0"),
    ("uncounted memory in segments", Protection.KERNEL, _libc("libc.shmget(0, 4096, 0o1600)")),
    Escape(
        "a call newer than the list", Protection.KERNEL, _libc("libc.syscall(463, 0)"), real=False
    ),
    Escape(
        "a call of the other width",
        Protection.KERNEL,
        _libc("libc.syscall(0x40000027)"),
        real=False,
    ),
    Escape(
        "a call as a 32-bit program",
        Protection.KERNEL,
        """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(bytes.fromhex("53" "b814000000" "cd80" "5b" "c3"))
        place = ctypes.addressof(ctypes.c_char.from_buffer(page))
        got = ctypes.CFUNCTYPE(ctypes.c_int)(place)() > 0
        """,
        real=False,
    ),
    Escape(
        "typing for the user",
        Protection.KERNEL,
        "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')\ngot = True",
        real=False,
    ),
    Escape(
        "a higher limit",
        Protection.MEMORY,
        "import resource as r\nr.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY,) * 2)\ngot = True",
    ),
)

AMOUNTS = _all(
    ("a large file", Protection.SPACE, "got = open('x', 'wb').write(bytes(8 * 2**20))"),
    (
        "many files",
        Protection.SPACE,
        """
        import time
        for number in range(64):
            with open(str(number), 'wb') as file:
                file.write(bytes(2**18))
        time.sleep(0.2)
        got = True
        """,
    ),
    ("memory", Protection.MEMORY, "got = len(bytearray(2**30))"),
    ("mapped memory", Protection.MEMORY, "import mmap\ngot = len(mmap.mmap(-1, 2**30))"),
    Escape(
        "sleep that hears no signal",
        Protection.TIME,
        """
        import signal, time
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
            signal.signal(each, signal.SIG_IGN)
        time.sleep(60)
        got = True
        """,
        limits=SHORT,
    ),
    Escape("an endless loop", Protection.TIME, "while True: pass", limits=SHORT),
    Escape(
        "a loop that Python cannot interrupt",
        Protection.TIME,
        "import re\nre.match('(a+)+b', 'a' * 64)\ngot = True",
        limits=SHORT,
    ),
    Escape(
        "sleep with every pipe closed",
        Protection.TIME,
        "import os, time\nos.closerange(0, 256)\ntime.sleep(60)",
        limits=SHORT,
    ),
    ("endless output", Protection.OUTPUT, "while True: print('x' * 4096)"),
    (
        "endless output where errors go",
        Protection.OUTPUT,
        "import os\nwhile True: os.write(2, bytes(4096))",
    ),
    (
        "endless results",
        Protection.OUTPUT,
        "import json, os, sys\nout = json.load(open(sys.argv[2]))['out']\n"
        "while True: os.write(out, bytes(4096))",
    ),
    ("a large result", Protection.OUTPUT, "got = 'x' * 2**21"),
    (
        "many threads",
        Protection.MEMORY,
        """
        import threading, time
        threading.stack_size(2**16)
        for _ in range(2000):
            threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        got = True
        """,
    ),
    Escape(
        "more processes than it may start",
        Protection.TIME,
        """
        import os, time
        for _ in range(32):
            if os.fork() == 0:
                time.sleep(3)
                os._exit(0)
        time.sleep(1)
        got = True
        """,
        limits=FOUR,
    ),
)

SURROUNDINGS = _all(
    ("a variable", Protection.ENVIRONMENT, "import os\ngot = 'secret' in str(os.environ)"),
    (
        "a variable by the kernel's file",
        Protection.ENVIRONMENT,
        "got = 'secret' in open('/proc/self/environ').read()",
    ),
    (
        "LD_PRELOAD and its like",
        Protection.ENVIRONMENT,
        "import os\ngot = [each for each in os.environ if each[:3] in ('LD_', 'DYL')]",
    ),
    ("a module in the current folder", Protection.LIBRARIES, "import planted\ngot = True"),
    ("a module on PYTHONPATH", Protection.LIBRARIES, "import planted_on_path\ngot = True"),
    ("the user's own library folder", Protection.LIBRARIES, "import planted_by_user\ngot = True"),
    (
        "a module started with every Python",
        Protection.LIBRARIES,
        "import sys\ngot = [e for e in ('usercustomize', 'sitecustomize') if e in sys.modules]",
    ),
)

SENT = """
import json, os, pickle, sys
out = json.load(open(sys.argv[2]))['out']
def send(payload, kind='json', name='got', size=None):
    head = dict(name=name, kind=kind, bytes=len(payload) if size is None else size)
    os.write(out, json.dumps(head).encode() + b'\\n' + payload)
"""
RESULTS = _all(
    *(
        (name, Protection.RESULTS, f"{SENT}\n{line}\nos._exit(0)")
        for name, line in {
            "a pickle": "send(pickle.dumps(print), 'pickle')",
            "a pickle said to be JSON": "send(pickle.dumps(print))",
            "a pickle said to be Arrow": "send(pickle.dumps(print), 'arrow')",
            "a result that was not asked for": "send(b'1', name='other')",
            "a result twice": "send(b'1'); send(b'1')",
            "a name that is a path": "send(b'1', name='../../got')",
            "a length below nothing": "send(b'1', size=-1)",
            "a length beyond the end": "send(b'1', size=2**60)",
            "a length that is no number": "send(b'1', size='1')",
            "figures that JSON has not": "send(b'NaN')",
            "JSON nested without end": "send(b'[' * 100000)",
            "a number with a million digits": "send(b'1' * 1000000)",
            "text that is no UTF-8": "send(b'\"\\xff\"')",
            "noise": "os.write(out, os.urandom(4096))",
            "nothing": "pass",
            "Arrow in a compressed file": """
import io, polars as pl
file = io.BytesIO()
pl.DataFrame({'a': [0] * 100000}).write_ipc_stream(file, compression='zstd')
send(file.getvalue(), 'arrow')""",
            "Arrow of categories": """
import io, polars as pl
file = io.BytesIO()
pl.DataFrame({'a': pl.Series(['x'], dtype=pl.Categorical)}).write_ipc_stream(file)
send(file.getvalue(), 'arrow')""",
            "Arrow of nested lists": """
import io, polars as pl
file = io.BytesIO()
pl.DataFrame({'a': [[1]]}).write_ipc_stream(file)
send(file.getvalue(), 'arrow')""",
        }.items()
    ),
)

ESCAPES = [
    *(*NETWORK, *READING, *WRITING, *PROCESSES, *FORKING),
    *(*KERNEL, *AMOUNTS, *SURROUNDINGS, *RESULTS),
]

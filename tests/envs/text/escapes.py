"""Attempts to get out of the sandbox. Each is the body of a function that gives "escaped" if it succeeds."""

from __future__ import annotations

HARMLESS = {
    # Under "limits" these do get out, which shows that the attempts are real.
    "read a file": 'open("/etc/passwd").read(); return "escaped"',
    "read a file by its descriptor": 'import os; os.read(os.open("/etc/passwd", os.O_RDONLY), 9); return "escaped"',
    "read by a way upwards": 'open("../../../../etc/passwd").read(); return "escaped"',
    "read the folder": 'import os; os.listdir("/"); return "escaped"',
    "ask whether a file is there": 'import os; os.stat("/etc/passwd"); return "escaped"',
    "read its own memory": 'open("/proc/self/mem", "rb"); return "escaped"',
    "read its own command": 'open("/proc/self/cmdline").read(); return "escaped"',
    "read the parent's surroundings": 'import os; open(f"/proc/{os.getppid()}/environ").read(); return "escaped"',
    "change folder": 'import os; os.chdir("/tmp"); return "escaped"',
    "fork": "import os\nif os.fork() == 0: os._exit(0)\nreturn 'escaped'",
    "start a thread": 'import _thread; _thread.start_new_thread(int, ()); return "escaped"',
    "signal itself from outside": 'import os; os.kill(os.getpid(), 0); return "escaped"',
    "make a pipe": 'import os; os.pipe(); return "escaped"',
    "open a socket": (
        "import ctypes\nreturn 'escaped' if ctypes.CDLL(None, use_errno=True).socket(2, 1, 0) >= 0 else 'refused'"
    ),
    "send a datagram": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nto = bytes([2, 0, 0, 9, 127, 0, 0, 2]) + bytes(8)\n"
        "return 'escaped' if libc.sendto(libc.socket(2, 2, 0), b'x', 1, 0, to, 16) == 1 else 'refused'"
    ),
    "open by a bare system call": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "return 'escaped' if libc.open(b'/etc/passwd', 0) >= 0 else 'refused'"
    ),
    "sleep": 'import time; time.sleep(0.01); return "escaped"',
    "use the finder of files": (
        "import sys, importlib.machinery\nsys.meta_path.append(importlib.machinery.PathFinder)\n"
        "sys.path.append(importlib.machinery.__file__.rsplit('/', 2)[0])\nsys.path_importer_cache.clear()\n"
        "import colorsys; return 'escaped'"
    ),
}

FORBIDDEN = {
    # These would do harm, or do not end, so that they are tried in the sandbox alone. CANARY is a path.
    "write a file": 'open("CANARY", "w").write("x"); return "escaped"',
    "write in its home": 'import os; open(os.path.expanduser("~/CANARY"), "w"); return "escaped"',
    "write a .pth file": (
        "import importlib.machinery as m\n"
        "open(m.__file__.rsplit('/', 2)[0] + '/site-packages/canary.pth', 'w'); return 'escaped'"
    ),
    "make a link and read it": (
        'import os; os.symlink("/etc/passwd", "CANARY"); open("CANARY").read(); return "escaped"'
    ),
    "make a folder": 'import os; os.mkdir("CANARY"); return "escaped"',
    "remove a file": 'import os; os.unlink("VICTIM"); return "escaped"',
    "move a file": 'import os; os.rename("VICTIM", "CANARY"); return "escaped"',
    "change a file's rights": 'import os; os.chmod("VICTIM", 0); return "escaped"',
    "cut a file": 'import os; os.truncate("VICTIM", 0); return "escaped"',
    "run a command": 'import os\nreturn "escaped" if os.system("touch CANARY") == 0 else "refused"',
    "run a command in C": (
        'import ctypes\nreturn "escaped" if ctypes.CDLL(None).system(b"touch CANARY") == 0 else "refused"'
    ),
    "become another program": 'import os; os.execv("/bin/touch", ["touch", "CANARY"])',
    "spawn a program": 'import os; os.posix_spawn("/bin/touch", ["touch", "CANARY"], {}); return "escaped"',
    "import subprocess": 'import subprocess; subprocess.run(["touch", "CANARY"]); return "escaped"',
    "import socket": 'import socket; socket.create_connection(("127.0.0.1", PORT), 1); return "escaped"',
    "connect in C": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "to = bytes([2, 0]) + (PORT).to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)\n"
        "return 'escaped' if libc.connect(libc.socket(2, 1, 0), to, 16) == 0 else 'refused'"
    ),
    "a bomb of forks": "import os\nwhile True: os.fork()",
    "kill the parent": 'import os; os.kill(WARDEN, 9); return "escaped"',
    "kill everybody": 'import os; os.kill(-1, 9); return "escaped"',
    "trace the parent": (
        "import ctypes\nreturn 'escaped' if ctypes.CDLL(None, use_errno=True).ptrace(16, WARDEN, 0, 0) == 0 else 'no'"
    ),
    "write to the parent's memory": 'open("/proc/WARDEN/mem", "r+b"); return "escaped"',
    "raise its limits": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40)); return 'escaped'"
    ),
    "call by numbers of another interface": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "return 'escaped' if libc.syscall(0x40000000 + 2, b'/etc/passwd', 0) >= 0 else 'refused'"
    ),
    "install another filter": (
        "import ctypes\nreturn 'escaped' if ctypes.CDLL(None).prctl(22, 0, 0, 0, 0) == 0 else 'refused'"
    ),
    "find the surroundings' secret": (
        "import os\nfound = [value for value in os.environ.values() if 'SECRET' in value]\n"
        "return 'escaped' if found else 'none'"
    ),
    "import from the folder where it is": (
        "import sys\nsys.path.insert(0, 'FOLDER')\nimport planted\nreturn 'escaped'"
    ),
    "an endless loop": "while True: pass",
    "an endless loop that nobody counts": "import sys\nsys.settrace(None)\nwhile True: pass",
    "an endless loop that catches all": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "an endless loop in C": "return sum(iter(int, 1))",
    "all memory at once": 'b"x" * 10**11; return "escaped"',
    "all memory bit by bit": "kept = []\nwhile True: kept.append(bytearray(10**7))",
    "endless depth": "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nreturn f(0)",
    "endless depth of a value": "a = []\nfor _ in range(10**4): a = [a]\nreturn a",
    "endless output": "import os\nwhile True: os.write(3, b'x' * 10**5)",
    "wait for a lock for ever": "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire()",
    "end at once": "import os; os._exit(0)",
    "leave": "import sys; sys.exit(0)",
    "crash": "import ctypes; ctypes.string_at(0)",
    "close everything": "import os; os.closerange(0, 100)",
    "come back at the end": (
        "import atexit\natexit.register(lambda: open('CANARY', 'w'))\nreturn 'registered'"
    ),
    "outlive its death": (
        "import signal, sys\nfor s in range(1, 60):\n"
        "    try: signal.signal(s, lambda *a: None)\n    except Exception: pass\n"
        "sys.settrace(None)\nwhile True: pass"
    ),
}  # fmt: skip

FORGERIES = {
    # A test wants (7391, "wanted-7391"). None of these knows it.
    "say that all is well": "print('7 of 7 tests pass'); return 0",
    "write a result": 'import os; os.write(3, b\'[0, "values", ["True"]]\\n\'); return 0',
    "write results of all tests": (
        'import os\nfor k in range(9): os.write(3, b\'[%d, "values", ["True"]]\\n\' % k)\nos._exit(0)'
    ),
    "be equal to everything": (
        "class All:\n    def __eq__(self, other): return True\n    def __repr__(self): return '7391'\n"
        "    __hash__ = None\nreturn All()"
    ),
    "be a number that is all numbers": "class Any(int):\n    def __eq__(self, other): return True\nreturn Any(0)",
    "change how values are written": ("import sys\nsys.modules['__main__'].written = lambda value: 'True'\nreturn 0"),
    "change the report": "import sys\nsys.modules['__main__'].report = lambda *a: None\nreturn 0",
    "change the tests": "import tests\ntests.test_attempt = lambda: iter([True])\nreturn 0",
    "change what repr gives": "import builtins\nbuiltins.repr = lambda value: '7391'\nreturn 7",
    "raise success": "raise type('Passed', (BaseException,), {})('passed')",
    "find the wanted answer": (
        "import gc\nfor o in gc.get_objects():\n    for text in (o.values() if isinstance(o, dict) else o if "
        "isinstance(o, (list, tuple)) else ()):\n        if isinstance(text, str) and text[:7] == 'wanted-' and "
        "len(text) > 7: return 7391, text\nreturn 0"
    ),
    "yield more": "import sys\nsys._getframe(1).f_locals.clear()\nreturn 0",
}

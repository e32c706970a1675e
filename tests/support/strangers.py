"""Peers without the key: what they can send to a kernel's sockets."""

import itertools
import socket
import struct
import threading


def greeting(mechanism=b"NULL", major=3):
    return b"\xff" + bytes(8) + b"\x7f" + bytes([major, 0]) + mechanism.ljust(20, b"\0") + bytes(32)


def frame(body, flags=0):
    if len(body) < 256 and not flags & 2:
        return bytes([flags, len(body)]) + body
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


def ready(kind, identity=b""):
    body = b"\x05READY"
    for name, value in [(b"Socket-Type", kind), (b"Identity", identity)]:
        body += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return frame(body, 4)


def kinds(identity):
    """Everything that may be sent, for each kind of socket."""
    terabyte = b"\x02" + struct.pack(">Q", 1 << 40)
    parts = [b"<IDS|MSG>", b"0" * 64, b'{"msg_type": "shutdown_request", "msg_id": "x"}', b"{}", b"{}", b"{}"]
    message = lambda parts: b"".join(frame(part, 1) for part in parts[:-1]) + frame(parts[-1])
    says = [
        terabyte,
        b"\x02" + b"\xff" * 8,
        b"\x01\x00" * 3000,
        b"\xff" * 100,
        frame(b"x"),
        frame(b""),
        message([b"", b"ping"]),
        message(parts),
        message(parts[:3]),
        message([b"x" * 2000] * 3),
        frame(b"x" * 900_000)[:9000],
        frame(b"\x01") * 30,
        frame(b"\x01topic") + frame(b"\x00topic"),
        frame(b"\x04PING\0\0", 4),
        frame(b"\x05ERROR\x00", 4),
        b"",
    ]
    for socket_kind in [b"DEALER", b"REQ", b"SUB", b"ROUTER", b"PUB", b""]:
        for said in says:
            yield greeting() + ready(socket_kind) + said
        yield greeting() + ready(socket_kind, identity) + message(parts)
    yield from [
        b"",
        b"\xff",
        greeting()[:40],
        greeting(b"CURVE"),
        greeting(major=1),
        b"GET / HTTP/1.1\r\n\r\n" * 5,
        bytes(200),
        greeting() + terabyte,
        greeting() + frame(b"\x05READY\xff", 4),
        greeting() + frame(b"\x05READY\x0bSocket-Type\xff\xff\xff\xff", 4),
    ]


def crowd(addresses, count, identity, held=100):
    """Opens this many connections, of which the last ones are kept open."""
    said = itertools.cycle(list(kinds(identity)))
    where = itertools.cycle(addresses)
    open_ones = []
    for number in range(count):
        family, address = next(where)
        stranger = socket.socket(family)
        stranger.settimeout(1)
        try:
            stranger.connect(address)
            stranger.sendall(next(said))
        except OSError:
            pass
        open_ones.append(stranger)
        if len(open_ones) > held:
            open_ones.pop(0).close()
        if number % len(addresses) == 0:
            next(where)
    return open_ones


def addresses(manager):
    """The addresses on which a kernel listens."""
    ports = [getattr(manager, f"{name}_port") for name in ["shell", "control", "iopub", "stdin", "hb"]]
    if manager.transport == "ipc":
        return [(socket.AF_UNIX, f"{manager.ip}-{port}") for port in ports]
    return [(socket.AF_INET, (manager.ip, port)) for port in ports]


def memory(process):
    """The memory of a process, in kB."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def attacked(kernel, count):
    """Runs cells while strangers connect. Returns how many cells failed, how many ran, and the
    growth of the kernel's own process in kB."""
    cells = lambda: [kernel.run(f"{number} + 1") for number in range(3)]
    cells()
    before = memory(kernel.pid)
    identity = kernel.client.session.bsession
    strangers = []
    attack = threading.Thread(
        target=lambda: strangers.extend(crowd(addresses(kernel.manager), count, identity))
    )
    attack.start()
    done = []
    while attack.is_alive():
        done += cells()
    done += cells()
    texts = [reply["outputs"][-1]["data"]["text/plain"] for reply in done]
    failed = sum(text != str(number % 3 + 1) for number, text in enumerate(texts))
    return {"failed": failed, "ran": len(done), "growth": memory(kernel.pid) - before}


def newcomer(kernel):
    """Another client of the kernel that knows the key, with its own identity."""
    client = type(kernel.client)()
    client.load_connection_file(kernel.manager.connection_file)
    client.start_channels()
    client.wait_for_ready(timeout=TIMEOUT)
    client.stop_channels()

"""System calls that this process may not make from now on (Linux, seccomp(2)).

The filter is a program of the kernel's classic BPF. It looks at numbers only, never at memory that
an argument points to, so there is nothing that can change between the check and the call.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from connector.keys.handover import system_calls as calls

_SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 1, 2
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_DENY = _ERRNO | errno.EPERM
_MISSING = _ERRNO | errno.ENOSYS

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER, _IF_BITS = 0x15, 0x25, 0x45
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16

_THREAD = 0x00010000
"""``CLONE_THREAD``: more of this process, not another one."""
_FAST_OPEN = 0x20000000
"""``MSG_FASTOPEN`` connects without being asked by Landlock."""
_TYPE = 0xF
_FORBIDDEN_ATTRIBUTES = (1, 4, 35, 0x59616D61)
"""``PR_SET_PDEATHSIG``, ``PR_SET_DUMPABLE``, ``PR_SET_MM``, ``PR_SET_PTRACER``."""

_STEP = struct.Struct("=HBBI")
"""``struct sock_filter``."""
_PROGRAM = struct.Struct("@HP")
"""``struct sock_fprog``: how many, and where they are."""

_libc = ctypes.CDLL(None, use_errno=True)


class Step(NamedTuple):
    """One instruction: ``then`` and ``otherwise`` say how many to skip."""

    code: int
    value: int
    then: int = 0
    otherwise: int = 0


_PASS = Step(_RETURN, _ALLOW)


class Sockets(NamedTuple):
    """What sockets may be made besides TCP: ``datagrams`` to look names up, ``local`` Unix ones."""

    datagrams: bool
    local: bool


def available() -> bool:
    """Whether this kernel takes filters, and the numbers of this machine are known."""
    machine = calls.MACHINES.get(platform.machine())
    if machine is None:
        return False
    wanted = ctypes.byref(ctypes.c_uint32(_ERRNO))
    number = calls.SECCOMP[machine.column]
    return bool(_libc.syscall(number, _GET_ACTION_AVAILABLE, 0, wanted) == 0)


def prepare() -> None:
    """Make once what is the same in each filter."""
    _always_denied(calls.MACHINES[platform.machine()])


def restrict(sockets: Sockets) -> None:
    """Deny what a hand-over never needs. It cannot be undone, and holds for threads as well.

    Raises:
        OSError: the kernel refuses.
    """
    machine = calls.MACHINES[platform.machine()]
    install(packed(_with_arguments(machine, sockets, os.getpid())) + _always_denied(machine))


def install(program: bytes) -> None:
    """Have the kernel run a filter at every system call of this process.

    Raises:
        OSError: the kernel refuses.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = _PROGRAM.pack(len(program) // _STEP.size, ctypes.addressof(buffer))
    number = calls.SECCOMP[calls.MACHINES[platform.machine()].column]
    if _libc.syscall(number, _SET_MODE_FILTER, 0, filter_) != 0:
        raise OSError(ctypes.get_errno(), "filtering system calls")


def packed(steps: Sequence[Step]) -> bytes:
    """Instructions as the kernel takes them."""
    return b"".join(_STEP.pack(one.code, one.then, one.otherwise, one.value) for one in steps)


@cache
def _always_denied(machine: calls.Machine) -> bytes:
    """The end of the filter, which is the same for all."""
    steps: list[Step] = []
    for denied in calls.DENIED.values():
        if denied[machine.column] != calls.ABSENT:
            steps += _block(denied[machine.column], [Step(_RETURN, _DENY)])
    return packed([*steps, _PASS])


def _with_arguments(machine: calls.Machine, sockets: Sockets, own: int) -> list[Step]:
    """The beginning of the filter of a process with the id ``own``."""
    column = machine.column
    steps = [*_of_this_machine(machine), Step(_IF_GREATER, calls.NEWEST, 0, 1)]
    steps.append(Step(_RETURN, _MISSING))
    steps += _block(calls.CLONE3[column], [Step(_RETURN, _MISSING)])
    steps += _block(calls.CLONE[column], _with_bits(0, _THREAD))
    for number in (calls.KILL, calls.TGKILL):
        steps += _block(number[column], _one_of(0, (own,)))
    steps += _block(calls.PRLIMIT64[column], _one_of(0, (0, own)))
    steps += _block(calls.PRCTL[column], _none_of(0, _FORBIDDEN_ATTRIBUTES))
    steps += _block(calls.SOCKET[column], _kinds(sockets))
    for number, flags_at in ((calls.SENDTO, 3), (calls.SENDMSG, 2), (calls.SENDMMSG, 3)):
        steps += _block(number[column], _without_bits(flags_at, _FAST_OPEN))
    return steps


def _of_this_machine(machine: calls.Machine) -> list[Step]:
    """Numbers mean something else in the 32-bit mode of a 64-bit machine."""
    return [
        Step(_LOAD, _MACHINE_AT),
        Step(_IF_EQUAL, machine.audit, 1, 0),
        Step(_RETURN, _KILL_PROCESS),
        Step(_LOAD, _NUMBER_AT),
    ]


def _block(number: int, steps: list[Step]) -> list[Step]:
    """What is decided about one call; all others go on behind it."""
    return [Step(_IF_EQUAL, number, 0, len(steps)), *steps]


def _load(argument: int) -> Step:
    """The lower half of an argument (little-endian): those that are looked at are ``int``."""
    return Step(_LOAD, _ARGUMENTS_AT + 8 * argument)


def _one_of(argument: int, values: Sequence[int]) -> list[Step]:
    return [_load(argument), *_matching(values), _PASS]


def _matching(values: Sequence[int]) -> list[Step]:
    """Deny unless the loaded value is one of these; then go on."""
    count = len(values)
    checks = [Step(_IF_EQUAL, value, count - place, 0) for place, value in enumerate(values)]
    return [*checks, Step(_RETURN, _DENY)]


def _none_of(argument: int, values: Sequence[int]) -> list[Step]:
    count = len(values)
    checks = [Step(_IF_EQUAL, value, count - place, 0) for place, value in enumerate(values)]
    return [_load(argument), *checks, _PASS, Step(_RETURN, _DENY)]


def _with_bits(argument: int, bits: int) -> list[Step]:
    return [_load(argument), Step(_IF_BITS, bits, 1, 0), Step(_RETURN, _DENY), _PASS]


def _without_bits(argument: int, bits: int) -> list[Step]:
    return [_load(argument), Step(_IF_BITS, bits, 0, 1), Step(_RETURN, _DENY), _PASS]


def _kinds(sockets: Sockets) -> list[Step]:
    """Family, type and protocol of a new socket (MPTCP and SCTP would get around Landlock)."""
    families = [socket.AF_INET, socket.AF_INET6] + [socket.AF_UNIX] * sockets.local
    types = [socket.SOCK_STREAM] + [socket.SOCK_DGRAM] * sockets.datagrams
    protocols = [0, socket.IPPROTO_TCP] + [socket.IPPROTO_UDP] * sockets.datagrams
    return [
        *(_load(0), *_matching(families)),
        *(_load(1), Step(_AND, _TYPE), *_matching(types)),
        *(_load(2), *_matching(protocols)),
        _PASS,
    ]

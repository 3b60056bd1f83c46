"""An independent client of a Holdfast cluster, on smbprotocol: persistent opens, leases, locks.

It offers the capabilities that a Windows client offers; a server must not grant what a client did
not offer.
"""
import collections
import contextlib
import logging
import queue
import struct
import threading
import time
import uuid

from smbprotocol import exceptions
from smbprotocol.connection import Capabilities, Connection, Dialects
from smbprotocol.create_contexts import (
    CreateContextName,
    DurableHandleFlags,
    LeaseState,
    SMB2CreateContextRequest,
    SMB2CreateDurableHandleReconnectV2,
    SMB2CreateDurableHandleRequestV2,
    SMB2CreateRequestLeaseV2,
)
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    ImpersonationLevel,
    LockFlags,
    Open,
    RequestedOplockLevel,
    ShareAccess,
    SMB2LockElement,
)
from smbprotocol.header import Commands
from smbprotocol.session import Session
from smbprotocol.structure import BytesField, IntField, Structure
from smbprotocol.tree import TreeConnect

logging.getLogger("smbprotocol").setLevel(logging.CRITICAL)

READ_WRITE_DELETE = 0x0012019F | 0x00010000
SHARE_ALL = (
    ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
)
RWH = (
    LeaseState.SMB2_LEASE_READ_CACHING
    | LeaseState.SMB2_LEASE_HANDLE_CACHING
    | LeaseState.SMB2_LEASE_WRITE_CACHING
)
RH = LeaseState.SMB2_LEASE_READ_CACHING | LeaseState.SMB2_LEASE_HANDLE_CACHING
ALL_CAPABILITIES = (
    Capabilities.SMB2_GLOBAL_CAP_LARGE_MTU
    | Capabilities.SMB2_GLOBAL_CAP_ENCRYPTION
    | Capabilities.SMB2_GLOBAL_CAP_LEASING
    | Capabilities.SMB2_GLOBAL_CAP_PERSISTENT_HANDLES
)

STATUS_LOCK_NOT_GRANTED = 0xC0000055
STATUS_FILE_LOCK_CONFLICT = 0xC0000054
STATUS_SHARING_VIOLATION = 0xC0000043


def status_of(error):
    """The NT status of an exception, or None if it is not one of the protocol's."""
    return getattr(error, "status", None)


UNSOLICITED = 0xFFFFFFFFFFFFFFFF


class LeaseBreakAck(Structure):
    """[MS-SMB2] 2.2.24.2, which smbprotocol has no type for."""

    COMMAND = Commands.SMB2_OPLOCK_BREAK

    def __init__(self):
        self.fields = collections.OrderedDict(
            [
                ("structure_size", IntField(size=2, default=36)),
                ("reserved", IntField(size=2)),
                ("flags", IntField(size=4)),
                ("lease_key", BytesField(size=16)),
                ("lease_state", IntField(size=4)),
                ("lease_duration", IntField(size=8)),
            ]
        )
        super().__init__()


class _Reserved:
    def get_value(self):
        return 0


class _Notification:
    """Stands where smbprotocol looks for the request that a message answers: a break answers
    none."""

    def __init__(self, heard):
        self.heard, self.session_id, self.async_id, self.response = heard, 0, None, None
        self.message = {"reserved": _Reserved()}
        self.response_event_lock = threading.Lock()
        self.response_event = self

    def set(self):
        self.heard(self.response)


class _Outstanding(dict):
    def __init__(self, heard):
        super().__init__()
        self.heard = heard

    def __missing__(self, message_id):
        if message_id == UNSOLICITED:
            return _Notification(self.heard)
        raise KeyError(message_id)


class _Listening(Connection):
    """A connection that hears lease breaks, which are not signed."""

    def listen(self, heard):
        self.outstanding_requests = _Outstanding(heard)
        return self

    def verify_signature(self, header, session_id, force=False):
        if header["message_id"].get_value() != UNSOLICITED:
            super().verify_signature(header, session_id, force=force)


class Client:
    """One client machine: a ClientGuid that stays, connections that come and go."""

    def __init__(self, user, password, share, port, guid=None, capabilities=ALL_CAPABILITIES):
        self.user, self.password, self.share, self.port = user, password, share, port
        self.guid = guid or uuid.uuid4()
        self.capabilities = capabilities
        self.connection = self.session = self.tree = None
        # Breaks as (lease key, current state, new state, ack wanted), in order of arrival.
        self.breaks = queue.Queue()

    def connect(self, host, timeout=5, encrypt=False, previous_session=None):
        self.drop()
        self.host = host
        self.connection = _Listening(self.guid, host, self.port, require_signing=True)
        self.connection.listen(self._heard)
        self.connection.client_capabilities = self.capabilities
        try:
            self.connection.connect(Dialects.SMB_3_1_1, timeout=timeout)
            self.session = Session(
                self.connection, self.user, self.password, require_encryption=encrypt
            )
            self.session.connect()
            self.tree = TreeConnect(self.session, rf"\\{host}\{self.share}")
            self.tree.connect(require_secure_negotiate=False)
        except BaseException:
            self.drop()
            raise
        return self

    def connect_any(self, cluster, nodes, timeout=60):
        """Connects to the first of the nodes that serves, as often as it takes."""
        deadline = time.monotonic() + timeout
        while True:
            for node in nodes:
                try:
                    return self.connect(cluster.address(node))
                except Exception:  # noqa: BLE001 - another node, or the same one again
                    if time.monotonic() > deadline:
                        raise
            time.sleep(0.01)

    def _heard(self, header):
        data = header["data"].get_value()
        _size, _epoch, flags = struct.unpack_from("<HHI", data)
        current, new = struct.unpack_from("<II", data, 24)
        self.breaks.put((data[8:24], current, new, bool(flags & 1)))

    def acknowledge(self, key, state):
        """Acknowledges a lease break."""
        ack = LeaseBreakAck()
        ack["lease_key"], ack["lease_state"] = key, state
        request = self.connection.send(ack, self.session.session_id, self.tree.tree_connect_id)
        self.connection.receive(request)

    def drop(self):
        """Cuts the connection without a word, as a dead client would."""
        if self.connection is not None:
            with contextlib.suppress(Exception):
                self.connection.disconnect(close=False)
        self.connection = self.session = self.tree = None

    def open(self, name, **how):
        handle = Handle(self, name, **how)
        handle.create()
        return handle


def _context(name, data):
    context = SMB2CreateContextRequest()
    context["buffer_name"] = name
    context["buffer_data"] = data
    return context


class Handle:
    """An open that can be asked for again after its connection, or its node, is gone."""

    def __init__(
        self,
        client,
        name,
        disposition=CreateDisposition.FILE_OPEN_IF,
        access=READ_WRITE_DELETE,
        share=SHARE_ALL,
        persistent=True,
        durable=True,
        lease=RWH,
        lease_key=None,
        timeout_ms=0,
    ):
        self.client, self.name = client, name
        self.disposition, self.access, self.share = disposition, access, share
        self.persistent, self.durable, self.timeout_ms = persistent, durable, timeout_ms
        self.lease, self.lease_key = lease, lease_key or uuid.uuid4().bytes
        self.create_guid = uuid.uuid4()
        self.granted = {}
        self.open = None

    def _lease(self):
        lease = SMB2CreateRequestLeaseV2()
        lease["lease_key"] = self.lease_key
        lease["lease_state"] = self.lease
        lease["parent_lease_key"] = b"\0" * 16
        lease["epoch"] = b"\0\0"
        return _context(CreateContextName.SMB2_CREATE_REQUEST_LEASE_V2, lease)

    def _run(self, contexts, disposition):
        self.open = Open(self.client.tree, self.name)
        level = (
            RequestedOplockLevel.SMB2_OPLOCK_LEVEL_LEASE
            if self.lease
            else RequestedOplockLevel.SMB2_OPLOCK_LEVEL_NONE
        )
        if self.lease:
            contexts = contexts + [self._lease()]
        answers = self.open.create(
            ImpersonationLevel.Impersonation,
            self.access,
            0x80,
            self.share,
            disposition,
            CreateOptions.FILE_NON_DIRECTORY_FILE,
            create_contexts=contexts,
            oplock_level=level,
        )
        self.granted = {type(answer).__name__: answer for answer in answers or []}
        return self

    def create(self):
        contexts = []
        if self.durable or self.persistent:
            request = SMB2CreateDurableHandleRequestV2()
            request["timeout"] = self.timeout_ms
            if self.persistent:
                request["flags"] = DurableHandleFlags.SMB2_DHANDLE_FLAG_PERSISTENT
            request["create_guid"] = self.create_guid
            contexts.append(
                _context(CreateContextName.SMB2_CREATE_DURABLE_HANDLE_REQUEST_V2, request)
            )
        self._run(contexts, self.disposition)
        self.file_id = self.open.file_id
        return self

    def is_persistent(self):
        answer = self.granted.get("SMB2CreateDurableHandleResponseV2")
        return answer is not None and answer["flags"].has_flag(
            DurableHandleFlags.SMB2_DHANDLE_FLAG_PERSISTENT
        )

    def is_durable(self):
        return "SMB2CreateDurableHandleResponseV2" in self.granted

    def lease_state(self):
        answer = self.granted.get("SMB2CreateResponseLeaseV2")
        return None if answer is None else answer["lease_state"].get_value()

    def reconnect(self, client=None):
        """Asks for the same open through whatever node the client is connected to now."""
        self.client = client or self.client
        request = SMB2CreateDurableHandleReconnectV2()
        request["file_id"] = self.file_id
        request["create_guid"] = self.create_guid
        if self.persistent:
            request["flags"] = DurableHandleFlags.SMB2_DHANDLE_FLAG_PERSISTENT
        before = self.file_id[:8]
        self._run(
            [_context(CreateContextName.SMB2_CREATE_DURABLE_HANDLE_RECONNECT_V2, request)],
            CreateDisposition.FILE_OPEN,
        )
        self.file_id = self.open.file_id
        if self.file_id[:8] != before:
            raise AssertionError("the reconnect gave another open")
        return self

    def write(self, offset, data):
        written = self.open.write(data, offset)
        if written != len(data):
            raise AssertionError(f"wrote {written} of {len(data)} bytes")

    def read(self, offset, length):
        return self.open.read(offset, length)

    def lock(self, offset, length, exclusive=True, number=0, index=0):
        element = SMB2LockElement()
        element["offset"], element["length"] = offset, length
        element["flags"] = (
            LockFlags.SMB2_LOCKFLAG_EXCLUSIVE_LOCK if exclusive else LockFlags.SMB2_LOCKFLAG_SHARED_LOCK
        ) | LockFlags.SMB2_LOCKFLAG_FAIL_IMMEDIATELY
        self.open.lock([element], lsn=number, lsi=index)

    def unlock(self, offset, length):
        element = SMB2LockElement()
        element["offset"], element["length"] = offset, length
        element["flags"] = LockFlags.SMB2_LOCKFLAG_UNLOCK
        self.open.lock([element])

    def close(self):
        self.open.close()


def refused(call, *statuses):
    """Runs `call`, which must be refused with one of `statuses`."""
    try:
        call()
    except exceptions.SMBResponseException as error:
        if error.status in statuses:
            return error.status
        raise
    raise AssertionError("was granted, but must be refused")

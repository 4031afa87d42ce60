"""Which files lie on a network file system, by what is mounted."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

#: File systems whose files several machines may have open.
_NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3"}
    | {"smbfs", "fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)


def on_network(path: Path) -> bool:
    """Whether other machines may have the file open: shared memory ends at each machine."""
    inside = [
        (len(Path(each.mountpoint).parts), each.fstype)
        for each in psutil.disk_partitions(all=True)
        if path.resolve().is_relative_to(each.mountpoint)
    ]
    return max(inside, default=(0, ""))[1] in _NETWORK_FILE_SYSTEMS

"""A notice: what became of an entry after it was posted. Entries themselves never change.

    Notice("quiet-heron", "20260304T101530Z-3f2a91c.json", "withdraw", None, "on request", at)

`withdraw` takes an entry out of the ranking, `flag` does so and names the rule that it breaks, `restore` ends
both. The newest notice about an entry counts; all of them stay, and the entry's page shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from leaderboard.documents import check, json_text, real_time, utc_text
from leaderboard.entry import check_handle
from leaderboard.signing import Key, sign

NOTICE_SCHEMA = "featherweight/notice/v1"


@dataclass(frozen=True)
class Notice:
    """One notice; `entry` is the file name of the entry that it is about."""

    handle: str
    entry: str
    action: str  # "withdraw", "flag" or "restore"
    rule: str | None  # where it flags
    reason: str
    at: datetime
    signature: tuple[str, str] | None = None

    @classmethod
    def from_document(cls, document: object) -> Notice:
        """Check a parsed notice and make one of it. Raises EntryError."""
        check(document, "notice")
        assert isinstance(document, dict)
        check_handle(document["handle"])
        signature = document["signature"]
        return cls(
            handle=document["handle"],
            entry=document["entry"],
            action=document["action"],
            rule=document["rule"],
            reason=document["reason"],
            at=real_time(document["at"], "at"),
            signature=None if signature is None else (signature["key"], signature["value"]),
        )

    def to_document(self) -> dict[str, Any]:
        """The notice as its file holds it."""
        return {
            "schema": NOTICE_SCHEMA,
            "handle": self.handle,
            "entry": self.entry,
            "action": self.action,
            "rule": self.rule,
            "reason": self.reason,
            "at": utc_text(self.at),
            "signature": self.signature and dict(zip(("key", "value"), self.signature, strict=True)),
        }

    def to_json(self) -> str:
        """The notice's file: the same notice always gives the same bytes."""
        return json_text(self.to_document())

    def signed(self, key: Key) -> Notice:
        """This notice, signed with that key."""
        return replace(self, signature=sign(self.to_document(), key))

    @property
    def file_name(self) -> str:
        """`<time>-<the entry's seven digits>-<action>.json`."""
        return f"{self.at:%Y%m%dT%H%M%S}{self.at.microsecond:06}Z-{self.entry[17:24]}-{self.action}.json"

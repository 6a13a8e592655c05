"""Handles: the names people compete under.

A handle is chosen, or made from the hash of what was submitted, so that it says nothing about who sent it.
What a handle may look like is written in `entry.schema.json`; here is the sentence for people.
"""

from __future__ import annotations

RULE = "3 to 32 lower-case letters a-z and digits, in words joined by single hyphens, such as quiet-heron"

_ADJECTIVES = """
    airy amber brisk bright calm candid clever cool crisp deft eager early exact fair fleet gentle
    glad golden keen kind lean light lithe lively lucid mellow mild neat nimble noble patient plain
    polite prompt proud quick quiet rapid ready serene sharp silver sleek slender slight smooth snug
    soft spare spry steady still subtle sunny swift tidy trim true vivid warm wild wise witty young
"""
_NOUNS = """
    avocet bittern bunting chough condor coot crane curlew dipper dotterel dove dunlin eagle egret
    eider falcon finch fulmar gannet godwit goose grebe grouse gull harrier heron hobby hoopoe ibis
    jackdaw jay kestrel kite knot lapwing lark linnet magpie martin merlin nightjar oriole osprey
    ouzel owl petrel pipit plover puffin quail raven redwing robin rook ruff sandpiper siskin
    skylark snipe sparrow starling stork swallow swan
"""
ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())


def neutral_handle(sha256: str) -> str:
    """Return the handle that belongs to a hash, such as `quiet-heron-3f2a`.

    Args:
        sha256: 64 hexadecimal digits. The first four choose the words; the next four keep two submissions
            with the same words apart.
    """
    adjective = ADJECTIVES[int(sha256[0:2], 16) % len(ADJECTIVES)]
    noun = NOUNS[int(sha256[2:4], 16) % len(NOUNS)]
    return f"{adjective}-{noun}-{sha256[4:8]}"

"""Where the bytes of an artifact went, as a table of text."""

from __future__ import annotations

from .artifact import LedgerRow


def ledger_table(rows: list[LedgerRow]) -> str:
    """Array by array: what it takes in the file, and what its symbols would take if they came at random."""
    total = sum(row.size_bytes for row in rows)
    table = [("layer", "array", "shape", "bytes", "share", "entropy", "coding")]
    for row in rows:
        index = "" if row.layer_index is None else f"{row.layer_index} {row.layer}"
        shape = " x ".join(map(str, row.shape))
        entropy = f"{row.entropy_bytes:,.1f}" if row.shape else ""
        share = f"{100 * row.size_bytes / total:.1f} %"
        table.append((index, row.array, shape, f"{row.size_bytes:,.1f}", share, entropy, row.coding))
    table.append(("", "total", "", f"{total:,.1f}", "", "", ""))
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    numbers = (3, 4, 5)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )

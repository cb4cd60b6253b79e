"""Whole numbers in given proportions, over strata and splits at once."""

from __future__ import annotations

from fractions import Fraction

Table = list[list[int]]


def largest_remainder(total: int, shares: list[Fraction]) -> list[int]:
    """Whole numbers that sum to ``total`` and lie within one of ``total * share`` (Hare's quota, largest remainders first)."""
    quotas = [total * share for share in shares]
    counts = [int(quota) for quota in quotas]
    order = sorted(range(len(shares)), key=lambda index: (counts[index] - quotas[index], index))
    for index in order[: total - sum(counts)]:
        counts[index] += 1
    return counts


def apportion(sizes: list[int], shares: list[Fraction]) -> Table:
    """How many of each stratum go to each split: ``[len(sizes)][len(shares)]``.

    Rows sum to ``sizes`` exactly and columns to the largest-remainder split of the whole exactly; each cell is the quota
    ``size * share`` rounded down or up, with the seats left over going to the largest remainders that the sums allow. (Where two large
    remainders compete, a cell can in rare cases be one further off.)

    Shares are fractions that sum to one, so that no rounding of binary numbers decides a tie.
    """
    table = [[int(size * share) for share in shares] for size in sizes]
    room = [total - sum(column) for total, column in zip(largest_remainder(sum(sizes), shares), zip(*table, strict=True), strict=True)]
    left = [size - sum(row) for size, row in zip(sizes, table, strict=True)]
    cells = [(row, column) for row in range(len(sizes)) for column in range(len(shares))]
    cells.sort(key=lambda cell: (table[cell[0]][cell[1]] - sizes[cell[0]] * shares[cell[1]], cell))
    # A second pass places what the first could not without giving a cell two seats.
    for row, column in [*cells, *cells]:
        if left[row] and room[column]:
            table[row][column] += 1
            left[row] -= 1
            room[column] -= 1
    return table

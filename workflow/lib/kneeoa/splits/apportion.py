"""Controlled rounding: whole numbers in given proportions, over strata and splits at once."""

from __future__ import annotations

from fractions import Fraction

Table = list[list[int]]


def largest_remainder(total: int, shares: list[Fraction]) -> list[int]:
    """Apportion ``total`` by shares: whole numbers that sum to ``total`` and lie within one of
    ``total * share`` (Hare's quota, largest remainders first).
    """
    quotas = [total * share for share in shares]
    counts = [int(quota) for quota in quotas]
    order = sorted(range(len(shares)), key=lambda index: (counts[index] - quotas[index], index))
    for index in order[: total - sum(counts)]:
        counts[index] += 1
    return counts


def apportion(sizes: list[int], shares: list[Fraction]) -> Table:
    """Apportion strata to splits: the number of each stratum that goes to each split,
    ``[len(sizes)][len(shares)]``.

    Rows sum to ``sizes`` and columns to :func:`largest_remainder` of the whole, both exactly; each
    cell is its quota ``size * share`` rounded down or up (controlled rounding, Cox 1987), up where
    the remainder is large as far as the sums allow.

    Shares are fractions that sum to one, so that no rounding of binary numbers decides a tie.
    """
    table = [[int(size * share) for share in shares] for size in sizes]
    totals = largest_remainder(sum(sizes), shares)
    leftovers = _LeftoverAssignment(
        [[size * share - cell for share, cell in zip(shares, row, strict=True)] for size, row in zip(sizes, table, strict=True)],
        [total - sum(row[column] for row in table) for column, total in enumerate(totals)],
    )
    for row, size in enumerate(sizes):
        for _ in range(size - sum(table[row])):
            leftovers.add(row)
    for row, column in leftovers.seats:
        table[row][column] += 1
    return table


class _LeftoverAssignment:
    """Assignment of the units that rounding down leaves over to cells: at most one a cell, none
    where its remainder is 0, by augmenting paths.
    """

    def __init__(self, remainders: list[list[Fraction]], room: list[int]) -> None:
        self.remainders = remainders
        self.room = room
        self.seats: list[tuple[int, int]] = []

    def add(self, row: int) -> None:
        """Assign one more unit of ``row``: to a cell with a remainder, else to any column with room
        (the column sums are prescribed).
        """
        if not self._seat(row, set()):
            column = next(column for column, room in enumerate(self.room) if room)
            self._take(row, column)

    def _seat(self, row: int, visited: set[int]) -> bool:
        columns = [column for column, remainder in enumerate(self.remainders[row]) if remainder and (row, column) not in self.seats]
        for column in sorted(columns, key=lambda column: (-self.remainders[row][column], column)):
            if column in visited:
                continue
            visited.add(column)
            if self.room[column]:
                self._take(row, column)
                return True
            holders = sorted(
                (other for other, taken in self.seats if taken == column), key=lambda other: (self.remainders[other][column], other)
            )
            for other in holders:
                if self._seat(other, visited):
                    self.seats[self.seats.index((other, column))] = (row, column)
                    return True
        return False

    def _take(self, row: int, column: int) -> None:
        self.seats.append((row, column))
        self.room[column] -= 1

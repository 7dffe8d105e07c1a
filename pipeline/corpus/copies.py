"""Copies among the rows of a corpus, equal and near: what a split keeps together, and what it could not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .equality import contents, group_numbers
from .near_copies import NearTexts, Numbers

# Up to this share of rows with a near copy, a split by chance is left as it is, and the result is also given
# without them: keeping them together would change the test part for the sake of a few.
FEW_NEAR = 0.05
# Of all rows, in one unit. More would fill a part with one template, or with what is alike by a chain of
# others alone: such are left to chance.
LARGEST_UNIT = 0.1
# Rows that groups of equal texts may make together in a corpus so small that a tenth of it is less.
LARGEST_OF_SMALL = 10


@dataclass(frozen=True)
class NearCounts:
    """The rows that are split, those with a near copy among them, and those that a part holds together.

    `groups` is the number of groups that near copies make, `largest` the rows of the largest.
    """

    of_rows: int
    rows: int
    groups: int
    largest: int
    kept_together: int

    def to_json(self) -> dict[str, int]:
        return asdict(self)


class Copies:
    """The rows of a corpus by their content: `number` int64 [rows] is that of their text, or image.

    Near copies are searched for within `memory` bytes, by default what the machine has.
    """

    def __init__(self, rows: pd.DataFrame, memory: int | None = None) -> None:
        self.number = group_numbers(contents(rows))
        self._of_images = "content" in rows
        self._contents = contents(rows)
        self._memory = memory

    @cached_property
    def near(self) -> NearTexts:
        """The different texts, by their number; of more than the memory has room for, some are left out."""
        _, first = np.unique(self.number, return_index=True)
        return NearTexts(self._contents.iloc[first], self._memory)

    def near_training(self, training: NDArray[np.bool_]) -> dict[int, tuple[int, float]]:
        """Return the numbers of texts that no training row has, each with a near copy that one has.

        `training` is bool [rows]. With the similarity of the two. Of images near copies are not searched for.
        """
        if self._of_images:
            return {}
        return self.near.copies_of(np.bincount(self.number[training], minlength=self.different) > 0)

    def beside_learned(self, learned: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which rows, bool [rows], are not learned and have an equal or near copy that is."""
        copied = [*self.near_training(learned), *self.number[learned].tolist()]
        return ~learned & np.isin(self.number, copied)

    def units(
        self,
        selected: NDArray[np.bool_],
        groups: NDArray[np.object_] | None = None,
        near_together: bool = True,
    ) -> tuple[Numbers, NearCounts | None]:
        """Return units that a split keeps in one part, int64 [rows], -1 for rows that are not `selected`.

        Without groups, rows of equal texts share a unit. With them, rows of one group do, and a row whose
        group is "" has one of its own; groups with a text in common share a unit unless these are so many
        that it had more than LARGEST_UNIT of the rows, or in a small corpus LARGEST_OF_SMALL rows or half of
        all: the equal texts of these may then come into different parts. With `near_together`, near copies
        share a unit where more than FEW_NEAR of the rows have one, unless it had more than LARGEST_UNIT of
        the rows.

        Units are counted from 0 as they appear. None instead of counts for images.
        """
        number = self.number[selected]
        unit, counts = number, None
        if groups is not None:
            largest = max(LARGEST_UNIT * len(number), min(LARGEST_OF_SMALL, len(number) / 2))
            unit = _united(_group_units(groups[selected]), number, largest)
        if not self._of_images:
            unit, counts = self._with_near_copies(unit, number, near_together)
        units = np.full(len(self.number), -1, np.int64)
        units[selected] = pd.factorize(unit)[0]
        return units, counts

    def apart(self, units: Numbers) -> int:
        """Return the number of rows with an equal text in another of the units that `units` returned."""
        selected = units >= 0
        rows = pd.DataFrame({"number": self.number[selected], "unit": units[selected]})
        return int((rows.groupby("number")["unit"].transform("nunique") > 1).sum())

    @property
    def different(self) -> int:
        """The number of different texts, or images."""
        return int(self.number.max(initial=-1)) + 1

    def _with_near_copies(self, unit: Numbers, number: Numbers, together: bool) -> tuple[Numbers, NearCounts]:
        """Return the units of rows with these numbers; `together` unites near copies if they are many."""
        pairs = self.near.pairs()
        present = np.bincount(number, minlength=self.different)
        both = (present[pairs.first] > 0) & (present[pairs.second] > 0)
        first, second = pairs.first[both], pairs.second[both]
        group = _components(self.different, first, second)[number]
        sizes = np.bincount(group)
        is_near = np.isin(number, [first, second])
        # Of a row and its copy in a corpus of which a share was searched, both are found by its square.
        searched = self.near.searched / max(1, self.different)
        if together and is_near.sum() > FEW_NEAR * searched**2 * len(number):
            unit = _united(unit, group, LARGEST_UNIT * len(number))
        of_text = np.zeros(self.different, np.int64)
        of_text[number] = unit
        apart = of_text[first] != of_text[second]
        kept = is_near & ~np.isin(number, [first[apart], second[apart]])
        groups = np.unique(group[is_near])
        largest = int(sizes[groups].max(initial=0))
        return unit, NearCounts(len(number), int(is_near.sum()), len(groups), largest, int(kept.sum()))


def _group_units(groups: NDArray[np.object_]) -> Numbers:
    """Return a number for each group, and one for each row that has none."""
    named = pd.factorize(groups)[0].astype(np.int64)
    return np.where(groups == "", len(groups) + np.arange(len(groups)), named)


def _united(unit: Numbers, alike: Numbers, largest: float) -> Numbers:
    """Return the units of rows after those with rows that are alike were united, int64 [rows].

    `unit` and `alike` are int64 [rows]. All units that have rows of one number in `alike` become one, unless
    it would have more than `largest` rows: these then stay apart. Numbers that few units share come first.
    """
    from scipy.cluster.hierarchy import DisjointSet  # imported late: most stages have no use for it

    unit = np.unique(unit, return_inverse=True)[1]
    pairs = pd.DataFrame({"alike": alike, "unit": unit}).drop_duplicates()
    pairs["shared_by"] = pairs.groupby("alike")["unit"].transform("size")
    pairs = pairs[pairs["shared_by"] > 1].sort_values(["shared_by", "alike"], kind="stable")
    starts = np.flatnonzero(np.diff(pairs["alike"], prepend=-1)).tolist()
    shared, sizes = pairs["unit"].tolist(), np.bincount(unit).tolist()
    sets = DisjointSet(shared)
    for start, end in pairwise([*starts, len(shared)]):
        first, *others = {sets[member] for member in shared[start:end]}
        if others and (size := sizes[first] + sum(sizes[root] for root in others)) <= largest:
            for root in others:
                sets.merge(first, root)
            sizes[sets[first]] = size
    united = np.arange(len(sizes))
    united[shared] = [sets[member] for member in shared]
    return united[unit]


def _components(count: int, first: Numbers, second: Numbers) -> Numbers:
    """Return the connected component of each of `count` nodes, int64 [count]."""
    from scipy.sparse import coo_matrix  # imported late: most stages have no use for them
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(first), np.int8), (first, second)), (count, count))
    components: Numbers = connected_components(edges, directed=False)[1].astype(np.int64)
    return components

"""What is known of an export once it is written and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .check import TOLERANCE, Agreement


@dataclass(frozen=True)
class Exported:
    """How an export agrees with the classifier on the validation rows, and what it does not hold.

    `agreement` is of images, or of ids with the classifier on the same ids. `unseen` is of ids with the
    classifier on the texts, where it reads the characters of unseen words, which `unseen_rows` rows have.
    `inputs` describes the model's inputs for `vocabulary.json`, and `example` is the script beside it.
    """

    inputs: dict[str, Any]
    example: str
    agreement: Agreement
    not_held: list[str] = field(default_factory=list)
    unseen_rows: int = 0
    unseen: Agreement | None = None
    from_text: Agreement | None = None

    @property
    def lines(self) -> list[str]:
        """Lines to print."""
        whole, unseen, from_text = self.agreement, self.unseen, self.from_text
        lines = [f"{whole.rows:,} validation rows: logits within {whole.largest:.1g} of the classifier's"]
        if unseen and self.unseen_rows:
            lines.append(
                f"{self.unseen_rows:,} of them have words outside the vocabulary: by their ids alone logits "
                f"are off by up to {unseen.largest:.2g}, and {unseen.same_labels:.1%} of all labels the same"
            )
        if from_text:
            lines.append(
                f"from text: {from_text.within:.1%} of the rows have logits within {TOLERANCE:g}, "
                f"{from_text.same_labels:.1%} the same label"
            )
        return [*lines, *(f"not held: {line}" for line in self.not_held)]

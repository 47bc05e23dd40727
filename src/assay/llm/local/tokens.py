"""Text to tokens and back, and the chat layout. Row text can never become a control token."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps, loads
from pathlib import Path

from assay.llm.prompt import Prompt

START, END = "<|im_start|>", "<|im_end|>"
_CONTROL_COUNT = 17
"""The vocabulary's first entries are control tokens; none is reachable from text."""


def tokenizer_json(tokens: Sequence[str], merges: Sequence[str]) -> str:
    """Return a ``tokenizers`` description of the byte-level BPE that a GGUF file holds.

    No control token is registered with it, so its encoder spells ``<|im_end|>`` in a text
    as the ordinary characters that they are.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {token: index for index, token in enumerate(tokens)}
    pairs = [(left, right) for left, right in (merge.split(" ", 1) for merge in merges)]
    built = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    built.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    built.decoder = decoders.ByteLevel()
    return str(built.to_str())


class ChatTokenizer:
    """Encodes prompts in the ChatML layout that the model was tuned on.

    Parameters
    ----------
    path
        A description made by :func:`tokenizer_json`.
    """

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(path))
        self.start: int = self._tokenizer.token_to_id(START) or 0
        self.end: int = self._tokenizer.token_to_id(END) or 0
        (self.newline,) = self.encode("\n")
        self._roles = {each: self.encode(each) for each in ("system", "user", "assistant")}

    def encode(self, text: str) -> list[int]:
        """Return the tokens of plain text; never a control token."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of many plain texts, on all cores."""
        batch = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [list(each.ids) for each in batch]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens; control tokens are left out."""
        return str(self._tokenizer.decode([each for each in tokens if each >= _CONTROL_COUNT]))

    def head(self, prompt: Prompt) -> list[int]:
        """Return all that comes before the row's text: instructions and examples."""
        if prompt.cue:
            return self.encode(_document_head(prompt))
        tokens = self._turn("system", prompt.instructions) if prompt.instructions else []
        for example in prompt.examples:
            tokens += self._turn("user", example.text) + self._turn("assistant", example.answer)
        return tokens + self._opening("user")

    def tail(self, cue: str = "") -> list[int]:
        """Return all that comes between the row's text and the answer."""
        if cue:
            return self.encode(f"\n{cue}:")
        return [self.end, self.newline, *self._opening("assistant")]

    def texts(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Return the tokens of the rows' texts.

        Within a document the text is one line, so that no row can begin a line of its own.
        """
        return self.encode_many(
            [one_line(each.text) if each.cue else each.text for each in prompts]
        )

    def option(self, words: str, cue: str = "") -> list[int]:
        """Return the tokens of an answer."""
        return self.encode(f" {words}" if cue else words)

    def _opening(self, role: str) -> list[int]:
        return [self.start, *self._roles[role], self.newline]

    def _turn(self, role: str, text: str) -> list[int]:
        return [*self._opening(role), *self.encode(text), self.end, self.newline]

    def for_grammar(self) -> str:
        """Return this tokenizer's description with its control tokens named as such.

        A grammar engine must know them to forbid them; it never encodes row text.
        """
        description = loads(self._tokenizer.to_str())
        description["added_tokens"] = [
            {
                "id": index,
                "content": self._tokenizer.id_to_token(index),
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for index in range(_CONTROL_COUNT)
        ]
        return dumps(description)


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one blank."""
    return " ".join(text.split())


def _document_head(prompt: Prompt) -> str:
    told = f"{prompt.instructions}\n\n" if prompt.instructions else ""
    worked = "".join(
        f"Text: {one_line(each.text)}\n{prompt.cue}: {each.answer}\n\n" for each in prompt.examples
    )
    return f"{told}{worked}Text: "

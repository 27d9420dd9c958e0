"""An exchange as the encoder reads it. `src/dsat/encoder/encoder-tokens.ts` does the same when it is used."""

from tokenizers import Tokenizer

CLS, SEP = 101, 102
#: Without the four special tokens.
BUDGET = 124
#: Of a longer text only so many UTF-16 units at either end are read.
READ = 1_000


class EncoderInput:
    def __init__(self, tokenizer_file: str):
        self.tokenizer = Tokenizer.from_file(tokenizer_file)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def __call__(self, exchange: dict) -> tuple[list[int], list[int]]:
        """Ids and segments (0 for the turn, 1 for what it answers), at most 128 each."""
        turn, prompt, reply = (self._ids(exchange[key]) for key in ("userTurn", "prompt", "reply"))
        turn = ends(turn, max(BUDGET // 2, BUDGET - len(prompt) - len(reply)), 0.7)
        rest = BUDGET - len(turn)
        prompt = ends(prompt, max(rest * 2 // 5, rest - len(reply)), 0.6)
        reply = ends(reply, rest - len(prompt), 0.5)
        ids = [CLS, *turn, SEP, *prompt, SEP, *reply, SEP]
        return ids, [0] * (len(turn) + 2) + [1] * (len(prompt) + len(reply) + 2)

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(ends_of(text), add_special_tokens=False).ids


def ends_of(text: str) -> str:
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 4 * READ:
        return text
    head, tail = units[: 2 * READ], units[-2 * READ :]
    return head.decode("utf-16-le", "ignore") + " " + tail.decode("utf-16-le", "ignore")


def ends(ids: list[int], most: int, head: float) -> list[int]:
    if len(ids) <= most:
        return ids
    first = int(most * head)
    return ids[:first] + ids[len(ids) - (most - first) :]

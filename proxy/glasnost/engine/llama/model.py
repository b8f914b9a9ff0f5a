"""The weights and the vocabulary of one GGUF."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from glasnost.engine import reasoning
from glasnost.engine.llama.adapting import check_loras, load_loras
from glasnost.engine.llama.lib import last_words, lib, start
from glasnost.engine.llama.steering import read_steering
from glasnost.engine.loading import DoesNotFit
from glasnost.engine.settings import EngineSettings
from glasnost.engine.tools import formats
from glasnost.errors import ModelFileError

# Control tokens that are read as text: the tags of thinking, and what frames calls of tools.
_READ = frozenset(text.encode() for text in (*reasoning.MARKERS, *formats.MARKERS))


class Model:
    """A loaded GGUF, for any thread; ModelFileError when it cannot be loaded, DoesNotFit when with less it might."""

    def __init__(self, settings: EngineSettings) -> None:
        _check_magic(settings.path)
        check_loras(settings)
        #: What is added to what the layers give, in every context.
        self.steering = read_steering(settings)
        start()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers(settings)
        split = _tensor_split(settings.tensor_split)
        params.tensor_split = split
        self._model = lib.llama_model_load_from_file(str(settings.path).encode(), params)
        if not self._model:
            raise DoesNotFit(f"{settings.path.name} cannot be loaded: {last_words()}")
        try:
            #: The adapters, as llama.cpp's own functions take them; they are freed with the model.
            self.loras = load_loras(self._model, settings)
        except DoesNotFit:
            self.close()
            raise
        self._vocab = lib.llama_model_get_vocab(self._model)
        self._pieces: dict[int, bytes] = {}
        self.vocabulary: int = lib.llama_vocab_n_tokens(self._vocab)
        if not lib.llama_model_has_decoder(self._model) or not self.vocabulary:
            raise ModelFileError(f"{settings.path.name} is not a model that generates text")

    @property
    def handle(self) -> Any:
        """The model as llama.cpp's own functions take it."""
        return self._model

    @property
    def vocab(self) -> Any:
        """The vocabulary as llama.cpp's own functions take it."""
        return self._vocab

    @property
    def trained_context(self) -> int:
        """The context that the model was trained with, in tokens."""
        return int(lib.llama_model_n_ctx_train(self._model))

    @property
    def description(self) -> str:
        """Family, size and quantisation, as llama.cpp puts it."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    @property
    def partial_cache(self) -> bool:
        """True when a part of a sequence's cache can be dropped or copied; a recurrent state is all or nothing."""
        return not (lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))

    @property
    def template(self) -> str | None:
        """The chat template in the file, if there is one."""
        text = lib.llama_model_chat_template(self._model, None)
        return None if text is None else text.decode("utf-8", "replace")

    def special(self, name: str) -> str:
        """Give the text of the `bos` or `eos` token, empty when there is none."""
        token = {"bos": lib.llama_vocab_bos, "eos": lib.llama_vocab_eos}[name](self._vocab)
        return "" if token < 0 else self._render(token, special=True).decode("utf-8", "replace")

    def tokenize(self, text: str) -> list[int]:
        """Give the tokens of a rendered prompt: special tokens in it count, BOS is added where the model wants it."""
        bos = self.special("bos")
        return self.tokens(text, add_special=not (bos and text.startswith(bos)), parse_special=True)

    def tokens(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Give the tokens of a text.

        `add_special` puts those around it that the model wants there, `parse_special` lets special tokens in it count.
        """
        data = text.encode("utf-8")
        size = len(data) + 8
        buffer = (lib.llama_token * size)()
        number = lib.llama_tokenize(self._vocab, data, len(data), buffer, size, add_special, parse_special)
        if number < 0:
            raise ModelFileError("the vocabulary gives more tokens than the text has bytes")
        return list(buffer[:number])

    def written(self, token: int) -> bytes:
        """Give the bytes of a token as they stand in a prompt: those of special tokens too."""
        return self._render(token, special=True)

    def infill(self) -> tuple[int, int, int] | None:
        """Give the tokens before a prefix, a suffix and the middle between them; None where the model has none."""
        names = (lib.llama_vocab_fim_pre, lib.llama_vocab_fim_suf, lib.llama_vocab_fim_mid)
        before, suffix, middle = (int(name(self._vocab)) for name in names)
        return None if min(before, suffix, middle) < 0 else (before, suffix, middle)

    @property
    def byte_tokens(self) -> dict[int, int]:
        """The token of every byte that has one of its own."""
        return self._scanned[1]

    def longest_piece(self) -> int:
        """Give the bytes of the longest token."""
        return self._scanned[0]

    @cached_property
    def _scanned(self) -> tuple[int, dict[int, int]]:
        longest, byte_tokens = 0, {}
        for token in range(self.vocabulary):
            written = self._render(token, special=True)
            longest = max(longest, len(written))
            if len(written) == 1:
                byte_tokens[written[0]] = token
        return longest, byte_tokens

    def piece(self, token: int) -> bytes:
        """Give the bytes that a token stands for; control tokens have none, but for those that are read as text."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._render(token, special=False)
            if not piece and self._render(token, special=True) in _READ:
                piece = self._render(token, special=True)
            self._pieces[token] = piece
        return piece

    def pieces(self) -> Iterator[bytes]:
        """Go through the bytes of all tokens; control tokens have none."""
        return (self._render(token, special=False) for token in range(self.vocabulary))

    @property
    def end(self) -> int:
        """The token that ends an answer, -1 where there is none."""
        token = lib.llama_vocab_eot(self._vocab)
        return int(lib.llama_vocab_eos(self._vocab) if token < 0 else token)

    def ends(self, token: int) -> bool:
        """Say whether the token ends the answer."""
        return bool(lib.llama_vocab_is_eog(self._vocab, token))

    def close(self) -> None:
        """Free the weights; no context may be in use."""
        lib.llama_model_free(self._model)

    def _render(self, token: int, *, special: bool) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length


def gpu_layers(settings: EngineSettings) -> int:
    """Give the layers to put on GPUs, -1 for all; none where llama.cpp was built without them."""
    if not lib.llama_supports_gpu_offload():
        return 0
    return -1 if settings.gpu_layers is None else settings.gpu_layers


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from error
    if magic != b"GGUF":
        raise ModelFileError(f"{path.name} is not a GGUF file")


def _tensor_split(shares: tuple[float, ...]) -> Any:
    if not shares:
        return None
    most = int(lib.llama_max_devices())
    if len(shares) > most:
        raise ModelFileError(f"tensor-split names {len(shares)} devices, llama.cpp knows at most {most}")
    return (ctypes.c_float * most)(*shares)

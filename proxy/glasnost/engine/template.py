"""The chat template of a GGUF: compiled once, rendered for every request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import meta

from glasnost.engine.reasoning import tags_in
from glasnost.engine.templating.budget import Budget, Exceeded, budget, counted
from glasnost.engine.templating.environment import Sandbox
from glasnost.engine.templating.filters import Refused
from glasnost.engine.templating.tree import metered
from glasnost.errors import InvalidRequest, ModelFileError

#: For a file without a template: the most common format, which llama.cpp takes in that case as well.
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
MAX_SOURCE = 256 << 10


class ChatTemplate:
    """A compiled template; ModelFileError when it is none. `model` names the file, for messages."""

    def __init__(
        self,
        source: str,
        *,
        model: str = "the model",
        bos: str = "",
        eos: str = "",
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._model = model
        self.source = source
        self.sha256 = hashlib.sha256(source.encode("utf-8")).hexdigest()
        self.tags = tags_in(source)
        self._known = {"bos_token": bos, "eos_token": eos}
        environment = Sandbox()
        environment.globals["strftime_now"] = lambda form: _strftime(now(), form)
        self._ours = frozenset(environment.globals)
        if len(source) > MAX_SOURCE:
            raise ModelFileError(f"the chat template of {model} is longer than {MAX_SOURCE} characters")
        # To compile is to compute what is constant.
        token = budget.set(Budget())
        try:
            tree = environment.parse(source)
            #: The variables that it reads.
            self.variables = frozenset(meta.find_undeclared_variables(tree))
            self._template = environment.from_string(metered(tree))
        except Exception as error:
            raise ModelFileError(f"the chat template of {model} cannot be used: {error}") from error
        finally:
            budget.reset(token)

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        extra: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> str:
        """Give the prompt for an answer to the messages, whose contents are strings.

        `extra` are variables like `enable_thinking`, `tools` what the model may call. InvalidRequest when the
        template refuses the messages, ModelFileError when it fails or does what it must not. It takes at most
        seconds, of a thread that does not serve: do not call it on the event loop.
        """
        variables: dict[str, Any] = {name: each for name, each in (extra or {}).items() if name not in self._ours}
        variables |= {**self._known, "messages": messages, "add_generation_prompt": True}
        if tools is not None:
            variables["tools"] = tools
        token = budget.set(Budget())
        try:
            return "".join(counted(self._template.generate(variables)))
        except Refused as error:
            raise InvalidRequest(f"The model's chat template refuses: {error}", param="messages") from error
        except Exception as error:
            # Whatever an operation on unexpected values may raise.
            raise ModelFileError(f"the chat template of {self._model} fails: {error}") from error
        finally:
            budget.reset(token)


def _strftime(moment: datetime, form: str) -> str:
    if len(form) > 64 or any(character.isdigit() for character in form):
        raise Exceeded("a format of a date is letters and signs")
    return moment.strftime(form)

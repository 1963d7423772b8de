"""Parts of a definition that stay as they were defined: flows are compiled of them, and written by them."""

from typing import ClassVar

from routilux.errors import DefinitionError
from serilux import Serializable


class Fixed(Serializable):
    """Refuses to have an attribute that it was made with set again: what runs would not be what is written."""

    _fixed: ClassVar[frozenset[str]]

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._fixed and name in self.__dict__:
            raise DefinitionError(
                f"{name!r} of {self!r} cannot be changed, as flows are compiled of it; define another"
            )
        super().__setattr__(name, value)

    def _become(self, **attributes: object) -> None:
        """Be as a document says, which is read into a part that is new."""
        self.__dict__.update(attributes)

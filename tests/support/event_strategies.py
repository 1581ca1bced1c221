"""Any event there can be, for laws that hold for all of them."""

import string
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from annotated_types import Ge, Le, Lt
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.events import Event

_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
_NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=5,
)
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXT,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    date: st.dates(),
    datetime: st.datetimes(),
    Decimal: st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=2),
    type(None): st.none(),
    Any: _JSON,
}


def events(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Events of a kind, with and without the fields that may be missing."""
    return models(kind)


@cache  # made once: building takes longer than drawing
def models(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of a model; fields with a default are sometimes left to it."""
    fields = {n: _of(f.annotation, f.metadata) for n, f in kind.model_fields.items()}
    required = {n: s for n, s in fields.items() if kind.model_fields[n].is_required()}
    optional = {n: s for n, s in fields.items() if n not in required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda given: kind(**given))


def _of(annotation: Any, said: Sequence[Any] = ()) -> st.SearchStrategy[Any]:
    """Values of a type; `said` is what stands beside it, the bounds of an integer among it."""
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if annotation is int:
        found: st.SearchStrategy[Any] = _integers(said)
    elif annotation in _SCALARS:
        found = _SCALARS[annotation]
    elif origin is Annotated:
        found = _of(arguments[0], [m for each in arguments[1:] for m in _metadata(each)])
    elif origin in (Union, UnionType):
        found = st.one_of([_of(each, said) for each in arguments])
    elif origin is tuple:
        found = st.lists(_of(arguments[0]), max_size=2).map(tuple)
    elif origin is dict:
        found = st.dictionaries(_NAMES, _of(arguments[1]), max_size=3)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found = models(annotation)
    else:
        found = st.sampled_from(arguments if origin is Literal else list(annotation))
    return found


def _integers(said: Sequence[Any]) -> st.SearchStrategy[int]:
    least = [cast("int", m.ge) for m in said if isinstance(m, Ge)]
    most = [cast("int", m.le) for m in said if isinstance(m, Le)]
    most += [cast("int", m.lt) - 1 for m in said if isinstance(m, Lt)]
    return st.integers(max(least, default=-(2**53)), min(most, default=2**53))


def _metadata(beside: Any) -> list[Any]:
    return beside.metadata if isinstance(beside, FieldInfo) else [beside]

"""Lays a tenant's document over the defaults, and knows which keys the rules allow where."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from shared.rules.document import Path
from shared.rules.model import Rules


def _bare(annotation: Any) -> Any:
    """An annotation without Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(arg for arg in get_args(annotation) if arg is not NoneType))
    return annotation


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_table(annotation: Any) -> bool:
    return get_origin(annotation) is dict


def _below(annotation: Any, key: str | int) -> Any:
    """The annotation of an entry, or None where the rules know no such entry."""
    if _is_section(annotation):
        fields = {field.alias or name: field for name, field in annotation.model_fields.items()}
        known = fields.get(str(key))
        return _bare(known.annotation) if known else None
    arguments = get_args(annotation)
    if _is_table(annotation):
        return _bare(arguments[1])
    return _bare(arguments[0]) if get_origin(annotation) is tuple else None


def known_keys(path: Path, model: type[BaseModel] = Rules) -> tuple[str, ...]:
    """The keys that may stand at `path` of a model; empty where any name may, or none."""
    annotation: Any = model
    for part in path:
        annotation = _below(annotation, part)
    if not _is_section(annotation):
        return ()
    return tuple(field.alias or name for name, field in annotation.model_fields.items())


def overlay(base: Any, over: Any, *, merge_tables: bool, annotation: Any = Rules) -> Any:
    """`over` laid on `base`: sections key by key, lists and single values replaced.

    A table of names is merged entry by entry, null taking one away; without `merge_tables` it is
    replaced as a whole. A section or table that is null says nothing and changes nothing.
    """
    table = _is_table(annotation)
    if over is None and (table or _is_section(annotation)):
        return base
    both = isinstance(base, dict) and isinstance(over, dict)
    if not both or (table and not merge_tables):
        return over
    merged = dict(base)
    for key, value in over.items():
        if table and value is None:
            merged.pop(key, None)
        else:
            merged[key] = overlay(
                base.get(key), value, merge_tables=merge_tables, annotation=_below(annotation, key)
            )
    return merged

"""Documents that were made to hold an event loop, each by name."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import get_introspection_query

Attack = tuple[str, str]


def all_attacks() -> dict[str, str]:
    """Every document, by the name of its idea."""
    attacks = dict(_fragments())
    attacks |= dict(_repetitions())
    attacks |= dict(_texts())
    attacks |= dict(_literals())
    attacks |= dict(_prices())
    return attacks


def _fragments() -> Iterator[Attack]:
    for levels in (5, 12, 25, 90):
        chain = " ".join(
            f"fragment F{n} on Due {{ a{n}: payment {{ due {{ ...F{n + 1} }} }}"
            f" b{n}: payment {{ due {{ ...F{n + 1} }} }} }}"
            for n in range(levels)
        )
        yield (
            f"fragments that double on {levels} levels",
            f'{{ nodes(ids: ["1"]) {{ due {{ ...F0 }} }} }} {chain} fragment F{levels} on Due {{ id }}',
        )
        flat = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
        yield (
            f"fragments that spread twice on {levels} levels",
            f"{{ ...F0 }} {flat} fragment F{levels} on Query {{ hello }}",
        )
        empty = f"{{ ...F0 }} {flat} fragment F{levels} on Query {{ }}"
        yield f"fragments that expand to nothing on {levels} levels", empty
    names = [f"F{n}" for n in range(12)]
    mutual = " ".join(
        f"fragment {name} on Query {{ hello {' '.join('...' + other for other in names)} }}" for name in names
    )
    yield "fragments that all spread each other", f"{{ ...F0 }} {mutual}"
    many = [f"F{n}" for n in range(45)]
    woven = " ".join(
        f"fragment {name} on Query {{ {' '.join('...' + other for other in many[n + 1 : n + 10])} hello }}"
        for n, name in enumerate(many)
    )
    yield "fragments that each spread the next ten", f"{{ ...F0 }} {woven}"
    yield (
        "fragments that nobody uses",
        "{ hello } " + " ".join(f"fragment F{n} on Query {{ hello }}" for n in range(90)),
    )
    yield (
        "more fragments than allowed",
        "{ hello } " + " ".join(f"fragment F{n} on Query {{a}}" for n in range(200)),
    )
    yield "one fragment spread many times", "{ " + "...F " * 600 + "} fragment F on Query { hello language }"
    same = "fragment F on Due { payment { due { id title payment { id } } } }"
    yield "a fragment under every alias", '{ nodes(ids: ["1"]) { due { ' + "...F " * 90 + f"}} }} }} {same}"


def _repetitions() -> Iterator[Attack]:
    for count in (50, 400, 1_000, 1_900):
        yield f"{count} times the same field", "{ " + "hello " * count + "}"
        yield f"{count} aliases", "{ " + " ".join(f"a{n}: hello" for n in range(count)) + " }"
        yield (
            f"{count} times the same alias for two fields",
            "{ " + "a: hello a: language " * (count // 2) + "}",
        )
        yield f"{count} directives on one field", "{ hello " + "@skip(if: true) " * count + "}"
        yield f"{count} unknown directives", "{ hello " + "@nothing " * count + "}"
        yield f"{count} unknown fields", "{ " + " ".join(f"nothing{n}" for n in range(count)) + " }"
        yield f"{count} variables", "query(" + " ".join(f"$v{n}: Int" for n in range(count)) + ") { hello }"
        yield f"{count} operations", " ".join(f"query Q{n} {{ hello }}" for n in range(count))
        yield f"{count} times the same operation", "query Q { hello } " * count
        yield f"{count} arguments", "{ payments(" + "first: 1 " * count + ") { nodes { id } } }"
        yield f"{count} unknown arguments", "{ hello(" + " ".join(f"a{n}: 1" for n in range(count)) + ") }"
        yield f"{count} inline fragments", "{ " + "... on Query { hello } " * count + "}"
    pages = "nodes { id due { id } } " * 40
    yield "the same objects many times", f"{{ {'payments(first: 1) { ' + pages + '} ' * 1} }}"
    yield (
        "same names on every level",
        "{ " + "payments(first: 1) { nodes { due { payment { id status } } } } " * 49 + "}",
    )
    conflicts = " ".join(f"payments(first: {n}) {{ nodes {{ id: status amount }} }}" for n in range(49))
    yield "conflicting arguments", f"{{ {conflicts} }}"


def _texts() -> Iterator[Attack]:
    yield "megabytes of comments", "{ hello } " + "# comment\n" * 300_000
    yield "comments within the characters", "{ hello " + "#\n" * 9_900 + "}"
    yield "one long comment", "{ hello # " + "x" * 19_900 + "\n}"
    yield "commas", "{ hello " + "," * 19_900 + "}"
    yield "blanks", "{ hello " + " \n" * 9_900 + "}"
    yield "a long name", "{ " + "a" * 19_900 + " }"
    yield "a long string", '{ person(idNumber: "' + "x" * 19_900 + '") }'
    yield "a string of escapes", '{ person(idNumber: "' + "\\u0041" * 3_300 + '") }'
    yield "a block string", '{ person(idNumber: """' + "  a\n" * 4_900 + '""") }'
    yield "a long integer", "{ years(year: " + "9" * 19_900 + ") }"
    yield "a long float", "{ years(year: 1, ratio: 1." + "9" * 19_900 + ") }"
    yield "a large exponent", "{ years(year: 1, ratio: 1e999999999) }"
    yield "a string that never ends", '{ person(idNumber: "' + "x" * 19_900
    yield "no GraphQL", "}" * 10_000
    yield "only braces", "{" * 19_000
    yield "a null byte", "{ hello \x00 }"
    yield "a surrogate", '{ person(idNumber: "\\uD800") }'
    yield "nothing", " "


def _literals() -> Iterator[Attack]:
    for depth in (30, 150, 199, 900):
        yield f"objects {depth} deep", "{ nest(value: " + "{child: " * depth + "{}" + "}" * depth + ") }"
        yield f"lists {depth} deep", "{ nest(value: {children: " + "[" * depth + "]" * depth + "}) }"
        yield (
            f"a default {depth} deep",
            "query($v: Nested = " + "{child: " * depth + "{}" + "}" * depth + ") { nest(value: $v) }",
        )
        yield f"selections {depth} deep", "{ " + "nodes { " * depth + "id" + " }" * depth + " }"
        yield f"inline fragments {depth} deep", "{ " + "... { " * depth + "hello" + " }" * depth + " }"
        yield f"list types {depth} deep", "query($v: " + "[" * depth + "Int" + "]" * depth + ") { hello }"
    yield "a long list of ids", "{ nodes(ids: [" + '"1" ' * 1_500 + "]) { id } }"
    yield "a long list of wrong ids", "{ nodes(ids: [" + "1.5 " * 1_900 + "]) { id } }"
    yield "a wide object", "{ nest(value: {" + " ".join(f"field{n}: 1" for n in range(600)) + "}) }"
    yield "one field of an object many times", "{ nest(value: {" + "number: 1 " * 600 + "}) }"


def _prices() -> Iterator[Attack]:
    yield "a page that is too large", "{ payments(first: 1000000) { nodes { id } } }"
    yield "a page without a size", "{ payments(first: -5) { nodes { id } } }"
    deep = "payments(first: 100) { nodes { " * 6 + "id" + " } }" * 6
    yield "pages in pages", f"{{ {deep} }}"
    wide = " ".join(
        f"p{n}: payments(first: 100) {{ nodes {{ id amount status channel }} }}" for n in range(60)
    )
    yield "pages beside pages", f"{{ {wide} }}"
    yield (
        "introspection of introspection",
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    )
    types = "fields { name args { name type { name ofType { name ofType { name } } } } }"
    yield (
        "introspection by alias",
        "{ " + " ".join(f'a{n}: __type(name: "Query") {{ {types} }}' for n in range(60)) + " }",
    )
    schemas = "types { name fields { name args { name } } inputFields { name } possibleTypes { name } }"
    yield (
        "whole schemas by alias",
        "{ " + " ".join(f"a{n}: __schema {{ {schemas} }}" for n in range(40)) + " }",
    )
    nested = (
        "fields { name type { fields { name args { name type { name } } type { name ofType { name } } } } }"
    )
    yield (
        "types in types by alias",
        "{ " + " ".join(f'a{n}: __type(name: "Query") {{ {nested} }}' for n in range(5)) + " }",
    )
    yield "five whole schemas", "{ " + " ".join(f"a{n}: __schema {{ {schemas} }}" for n in range(5)) + " }"
    yield "introspection as tools ask it", get_introspection_query()
    yield "typenames", "{ " + " ".join(f"t{n}: __typename" for n in range(99)) + " }"

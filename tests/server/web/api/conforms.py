"""Whether an answer is as the OpenAPI document describes it."""


def resolve(schema: dict, document: dict) -> dict:
    if "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def conforms(value: object, schema: dict, document: dict) -> None:
    """A small reading of JSON Schema 2020-12: as much of it as the document uses."""
    schema = resolve(schema, document)
    if "anyOf" in schema:
        assert any(fits(value, one, document) for one in schema["anyOf"]), (value, schema)
        return
    if "enum" in schema:
        assert value in schema["enum"]
        return
    wanted = schema["type"]
    names = [wanted] if isinstance(wanted, str) else wanted
    assert any(isinstance(value, KINDS[name]) for name in names), (value, schema)
    if isinstance(value, dict):
        assert set(schema["required"]) <= set(value)
        assert schema["additionalProperties"] or set(value) <= set(schema["properties"])
        for name in set(value) & set(schema["properties"]):
            conforms(value[name], schema["properties"][name], document)
    if isinstance(value, list):
        for part in value:
            conforms(part, schema["items"], document)


def fits(value: object, schema: dict, document: dict) -> bool:
    try:
        conforms(value, schema, document)
    except AssertionError:
        return False
    return True

"""Reads bodies as a server in Python does: json.loads of the bytes, and the members by their names."""

import base64
import json
import json.decoder
import json.scanner
import sys

NAMED = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "resources/subscribe": "uri",
    "resources/unsubscribe": "uri",
}


class Number(str):
    """A number as it stands."""


class Text(str):
    """A string that knows how it stands."""

    token = ""


class Decoder(json.JSONDecoder):
    """The standard decoder, which keeps the text of numbers and strings beside what they say."""

    def __init__(self):
        super().__init__(parse_int=Number, parse_float=Number)
        self.parse_string = self.keep
        self.scan_once = json.scanner.py_make_scanner(self)

    @staticmethod
    def keep(text, end, strict=True):
        said, after = json.decoder.scanstring(text, end, strict)
        kept = Text(said)
        kept.token = text[end - 1 : after]
        return kept, after


def token(message):
    if "id" not in message:
        return ""
    value = message["id"]
    if isinstance(value, Text):
        return value.token
    if isinstance(value, Number):
        return str(value)
    return json.dumps(value)


def name(message):
    key, params = NAMED.get(message.get("method")), message.get("params")
    value = params.get(key, "") if key and isinstance(params, dict) else ""
    return value if isinstance(value, str) else json.dumps(value)


def read(body):
    json.loads(body)  # as servers do; what it refuses is refused
    parsed = Decoder().decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    messages = parsed if isinstance(parsed, list) else [parsed]
    return [
        {"id": token(m), "method": str(m.get("method", "")), "name": name(m)} for m in messages
    ]


def answer(body):
    try:
        return {"messages": read(body)}
    except Exception as error:  # whatever it is, the body is refused
        return {"refused": repr(error)}


json.dump([answer(base64.b64decode(text or "")) for text in json.load(sys.stdin)], sys.stdout)

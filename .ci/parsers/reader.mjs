// Reads bodies as a server in Node does: UTF-8 as fetch has it, JSON.parse, and the members by their names.
import { readFileSync } from "node:fs";

const named = { "tools/call": "name", "prompts/get": "name", "resources/read": "uri", "resources/subscribe": "uri", "resources/unsubscribe": "uri" };

// read is a body's messages. The reviver is told the text of a number or a string (its source), and of an object
// nothing: so the id's token is the one that the parser itself took.
function read(bytes) {
  const text = new TextDecoder().decode(bytes);
  const tokens = new Map();
  const parsed = JSON.parse(text, function (key, value, context) {
    if (key === "id" && context?.source !== undefined) {
      tokens.set(this, context.source);
    }
    return value;
  });
  const messages = Array.isArray(parsed) ? parsed : [parsed];
  return messages.map((m) => ({
    id: "id" in m ? (tokens.get(m) ?? JSON.stringify(m.id)) : "",
    method: typeof m.method === "string" ? m.method : "",
    name: String(Object.hasOwn(named, m.method) ? (m.params?.[named[m.method]] ?? "") : ""),
  }));
}

if (typeof JSON.rawJSON !== "function") {
  throw new Error("this Node does not tell the text of a number: 20 or newer is needed");
}
const answers = JSON.parse(readFileSync(0, "utf8")).map((base64) => {
  try {
    return { messages: read(Buffer.from(base64 ?? "", "base64")) };
  } catch (error) {
    return { refused: String(error) };
  }
});
console.log(JSON.stringify(answers));

// Drives openai-node.
import { createRequire } from "node:module";

const [url, key, modules] = process.argv.slice(2);
const { default: OpenAI } = await import(createRequire(`${modules}/`).resolve("openai"));

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, timeout: 30_000 });
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "look_up", description: "Looks up.", parameters } }];
const schema = { name: "place", schema: { ...parameters, additionalProperties: false }, strict: true };
const CHAT = "What is the capital of France?";

const ask = (content, fields = {}) =>
  client.chat.completions.create({ model: "asked", messages: [{ role: "user", content }], ...fields });

async function chat() {
  const completion = await ask(CHAT);
  const [choice] = completion.choices;
  return { text: choice.message.content, finish: choice.finish_reason, total: completion.usage.total_tokens };
}

async function stream(fields) {
  let text = "", finish = null, total = null;
  for await (const chunk of await ask(CHAT, { stream: true, ...fields })) {
    text += chunk.choices[0]?.delta.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    total = chunk.usage?.total_tokens ?? total;
  }
  return { text, finish, total };
}

function called(choice) {
  const call = choice.message.tool_calls[0].function;
  return { name: call.name, arguments: JSON.parse(call.arguments), finish: choice.finish_reason };
}

async function two() {
  const texts = ["", ""];
  for await (const chunk of await ask(CHAT, { n: 2, stream: true }))
    for (const choice of chunk.choices) texts[choice.index] += choice.delta.content ?? "";
  return [(await ask(CHAT, { n: 2 })).choices.map((choice) => choice.message.content), texts];
}

async function logprobs() {
  const whole = (await ask(CHAT, { logprobs: true, top_logprobs: 1 })).choices[0].logprobs.content;
  const parts = [];
  for await (const chunk of await ask(CHAT, { logprobs: true, stream: true }))
    parts.push(...(chunk.choices[0]?.logprobs?.content ?? []));
  return [whole, parts].map((tokens) => tokens.map((token) => token.token).join(""));
}

async function reasoning() {
  let text = "";
  for await (const chunk of await ask("Please think.", { stream: true }))
    text += chunk.choices[0]?.delta.reasoning_content ?? "";
  return [(await ask("Please think.")).choices[0].message.reasoning_content, text];
}

async function statusOf(apiKey, model) {
  const other = client.withOptions({ apiKey });
  try {
    await other.chat.completions.create({ model, messages: [{ role: "user", content: CHAT }] });
  } catch (error) {
    return error.status;
  }
  return "no error";
}

async function midStream() {
  let text = "";
  try {
    for await (const chunk of await ask("Please break.", { stream: true })) text += chunk.choices[0]?.delta.content ?? "";
  } catch (error) {
    return error instanceof OpenAI.APIError ? text : String(error);
  }
  return "no error";
}

async function abort() {
  for await (const chunk of await ask("Please hang.", { stream: true }))
    if (chunk.choices[0]?.delta.content) return chunk.choices[0].delta.content; // leaving the loop aborts the request
}

async function length() {
  const [choice] = (await ask("Please be long.", { max_tokens: 3, stop: ["\n"] })).choices;
  return { text: choice.message.content, finish: choice.finish_reason };
}

const scenarios = {
  chat,
  stream: () => stream({}),
  stream_usage: () => stream({ stream_options: { include_usage: true } }),
  tool: async () => called((await ask("How is the weather?", { tools })).choices[0]),
  tool_stream: async () => {
    const messages = [{ role: "user", content: "How is the weather?" }];
    return called((await client.chat.completions.stream({ model: "asked", messages, tools }).finalChatCompletion()).choices[0]);
  },
  json_schema: async () => {
    const answer = await ask("Answer as JSON.", { response_format: { type: "json_schema", json_schema: schema } });
    return JSON.parse(answer.choices[0].message.content);
  },
  n: two,
  length,
  logprobs,
  reasoning,
  error_401: () => statusOf("sk-wrong", "asked"),
  error_404: () => statusOf(key, "nobody"),
  error_429: () => statusOf(key, "limited"),
  mid_stream: midStream,
  abort,
};

const results = {};
for (const [name, work] of Object.entries(scenarios)) results[name] = await work().catch(String);
console.log(JSON.stringify(results));
process.exit(0);

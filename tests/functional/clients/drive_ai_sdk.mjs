// Drives the Vercel AI SDK with its provider for servers that speak the OpenAI API.
import { createRequire } from "node:module";

const [url, key, modules] = process.argv.slice(2);
const { resolve } = createRequire(`${modules}/`);
const { generateText, streamText, tool, Output } = await import(resolve("ai"));
const { createOpenAICompatible } = await import(resolve("@ai-sdk/openai-compatible"));
const { z } = await import(resolve("zod"));

const provider = (apiKey) =>
  createOpenAICompatible({ name: "glasnost", baseURL: `${url}/v1`, apiKey, includeUsage: true, supportsStructuredOutputs: true });
const model = provider(key)("asked");
const tools = { look_up: tool({ description: "Looks up.", inputSchema: z.object({ city: z.string() }) }) };
const CHAT = "What is the capital of France?";

async function streamed(prompt, fields = {}) {
  let failed = null;
  const result = streamText({ model, prompt, onError: ({ error }) => (failed = error), ...fields });
  let text = "", reasoning = "", call = null, finish = null, total = null;
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "reasoning-delta") reasoning += part.text;
    if (part.type === "tool-call") call = part;
    if (part.type === "error") failed = part.error;
    if (part.type === "finish") [finish, total] = [part.finishReason, part.totalUsage.totalTokens];
  }
  return { text, reasoning, call, finish, total, failed };
}

async function statusOf(apiKey, name) {
  try {
    await generateText({ model: provider(apiKey)(name), prompt: CHAT });
  } catch (error) {
    return (error.lastError ?? error).statusCode ?? String(error);
  }
  return "no error";
}

async function abort() {
  const controller = new AbortController();
  const result = streamText({ model, prompt: "Please hang.", abortSignal: controller.signal, onError: () => {} });
  for await (const part of result.fullStream)
    if (part.type === "text-delta") {
      controller.abort();
      return part.text;
    }
}

const called = (call, finish) => ({ name: call.toolName, arguments: call.input, finish });

const scenarios = {
  chat: async () => {
    const { text, finishReason, usage } = await generateText({ model, prompt: CHAT });
    return { text, finish: finishReason, total: usage.totalTokens };
  },
  stream_usage: async () => {
    const { text, finish, total } = await streamed(CHAT);
    return { text, finish, total };
  },
  tool: async () => {
    const { toolCalls, finishReason } = await generateText({ model, prompt: "How is the weather?", tools });
    return called(toolCalls[0], finishReason.replace("-", "_"));
  },
  tool_stream: async () => {
    const { call, finish } = await streamed("How is the weather?", { tools });
    return called(call, finish.replace("-", "_"));
  },
  json_schema: async () => {
    const output = Output.object({ schema: z.object({ city: z.string() }) });
    return (await generateText({ model, prompt: "Answer as JSON.", output })).output;
  },
  length: async () => {
    const settings = { model, prompt: "Please be long.", maxOutputTokens: 3, stopSequences: ["\n"] };
    const { text, finishReason } = await generateText(settings);
    return { text, finish: finishReason };
  },
  reasoning: async () => {
    const { reasoningText } = await generateText({ model, prompt: "Please think." });
    return [reasoningText, (await streamed("Please think.")).reasoning];
  },
  error_401: () => statusOf("sk-wrong", "asked"),
  error_404: () => statusOf(key, "nobody"),
  error_429: () => statusOf(key, "limited"),
  mid_stream: async () => {
    const { text, failed } = await streamed("Please break.");
    return failed ? text : "no error";
  },
  abort,
};

const results = {};
for (const [name, work] of Object.entries(scenarios)) results[name] = await work().catch(String);
console.log(JSON.stringify(results));
process.exit(0);

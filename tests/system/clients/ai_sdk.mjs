// Vercel's AI SDK: what it makes of a mock, as one line of JSON. Words: its URL, a fault that ends a stream, a provider.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';

globalThis.AI_SDK_LOG_WARNINGS = false;
const [, , url, fault, provider] = process.argv;
const settings = { name: 'mock', baseURL: `${url}/v1`, apiKey: 'any-key', includeUsage: true };
const models = {
  compatible: createOpenAICompatible(settings),
  openai: createOpenAI(settings).chat,
  anthropic: createAnthropic(settings),
}[provider];
const named = (what) => models(`mock-${what}`);

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather = tool({ inputSchema: jsonSchema(parameters), execute: async () => '21 degrees' });
const asked = { model: named('chat'), prompt: 'What is the weather?', maxRetries: 0, maxOutputTokens: 500 };
const forced = { ...asked, tools: { weather }, toolChoice: 'required' };
const called = (calls) => calls.map((call) => [call.toolName, call.input]);

async function streamed(more) {
  const told = { pieces: 0, text: '' };
  const stream = streamText({ ...asked, ...more, onError: () => {} });
  for await (const part of stream.fullStream) {
    if (part.type === 'error') throw part.error;
    told.pieces += part.type === 'text-delta' ? 1 : 0;
    told.text += part.type === 'text-delta' ? part.text : '';
  }
  return { ...told, finish: await stream.finishReason, tokens: (await stream.usage).totalTokens };
}

async function whole() {
  const { text, finishReason, usage } = await generateText(asked);
  return { text, finish: finishReason, tokens: usage.totalTokens };
}

async function toolWhole() {
  return called((await generateText(forced)).toolCalls);
}

async function toolStreamed() {
  return called(await streamText({ ...forced, onError: () => {} }).toolCalls);
}

async function secondTurn() {
  const first = { prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber ? 'auto' : 'required' }) };
  return (await generateText({ ...forced, ...first, stopWhen: isStepCount(2) })).text;
}

async function refused() {
  return generateText({ ...asked, model: models('no-such-model') }).then(() => null, (error) => error.statusCode);
}

async function broken() {
  return streamed({ model: named(`chat+${fault}`) }).then(({ finish }) => finish !== 'stop', () => true);
}

async function leave() {
  const leaving = new AbortController();
  const stream = streamText({ ...asked, model: named('slow'), abortSignal: leaving.signal, onError: () => {} });
  for await (const _ of stream.textStream) leaving.abort();
  return true;
}

const told = {
  whole: await whole(), streamed: await streamed({}), toolWhole: await toolWhole(), toolStreamed: await toolStreamed(),
  secondTurn: await secondTurn(), refused: await refused(), broken: await broken(), left: await leave(),
};
console.log(JSON.stringify(told));

// OpenAI's own SDK for Node: what it makes of a mock, as one line of JSON. Words: its URL, a fault that ends a stream.
import OpenAI from 'openai';

const [, , url, fault] = process.argv;
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any-key', maxRetries: 0 });
const messages = [{ role: 'user', content: 'What is the weather?' }];
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function', function: { name: 'weather', parameters } }];
const asked = { model: 'mock-chat', messages };
const forced = { ...asked, tools, tool_choice: 'required' };

const ask = (more) => client.chat.completions.create({ ...asked, ...more });
const called = (calls) => (calls ?? []).map((call) => [call.function.name, JSON.parse(call.function.arguments)]);

async function streamed(more) {
  const told = { pieces: 0, text: '', finish: null, tokens: 0 };
  for await (const chunk of await ask({ stream: true, stream_options: { include_usage: true }, ...more })) {
    const choice = chunk.choices[0];
    told.pieces += choice?.delta.content ? 1 : 0;
    told.text += choice?.delta.content ?? '';
    told.finish = choice?.finish_reason ?? told.finish;
    told.tokens = chunk.usage?.total_tokens ?? told.tokens;
  }
  return told;
}

async function whole() {
  const { choices: [choice], usage } = await ask({});
  return { text: choice.message.content, finish: choice.finish_reason, tokens: usage.total_tokens };
}

async function toolWhole() {
  return called((await ask(forced)).choices[0].message.tool_calls);
}

async function toolStreamed() {
  return called((await client.chat.completions.stream(forced).finalChatCompletion()).choices[0].message.tool_calls);
}

async function secondTurn() {
  const { message } = (await ask(forced)).choices[0];
  const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '21 degrees' };
  return (await ask({ messages: [...messages, message, result], tools })).choices[0].message.content;
}

async function refused() {
  return ask({ model: 'no-such-model' }).then(() => null, (error) => error.status);
}

async function broken() {
  return streamed({ model: `mock-chat+${fault}` }).then(() => false, () => true);
}

async function leave() {
  for await (const _ of await ask({ model: 'mock-slow', stream: true })) break;
  return true;
}

const told = {
  whole: await whole(), streamed: await streamed({}), toolWhole: await toolWhole(), toolStreamed: await toolStreamed(),
  secondTurn: await secondTurn(), refused: await refused(), broken: await broken(), left: await leave(),
};
console.log(JSON.stringify(told));

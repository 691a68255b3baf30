// Asks a server through OpenAI's own client: node run.mjs ADDRESS MODEL. Prints one JSON document.
import OpenAI from 'openai';

const [, , address, model] = process.argv;
const client = new OpenAI({ baseURL: `${address}v1`, apiKey: 'secret', maxRetries: 0 });
const messages = [{ role: 'user', content: 'Gets the' }];
const result = {};

result.models = (await client.models.list()).data.map(m => m.id);
result.model = (await client.models.retrieve(model)).id;

const chat = await client.chat.completions.create({ model, messages, max_completion_tokens: 10, temperature: 0, logprobs: true, top_logprobs: 2 });
result.chat = chat.choices[0].message.content;
result.finish = chat.choices[0].finish_reason;
result.usage = chat.usage;
result.logprobs = chat.choices[0].logprobs.content.length;

result.stream = '';
for await (const chunk of await client.chat.completions.create({
  model, messages, max_tokens: 10, temperature: 0, stream: true, stream_options: { include_usage: true },
})) {
  result.stream += chunk.choices[0]?.delta.content ?? '';
  result.streamUsage = chunk.usage ?? result.streamUsage;
}

const runner = client.chat.completions.stream({ model, messages, max_tokens: 10, temperature: 0 });
result.helper = (await runner.finalChatCompletion()).choices[0].message.content;

const completion = await client.completions.create({ model, prompt: ['Gets the', 'The'], n: 2, max_tokens: 5, seed: 1, temperature: 0.8 });
result.completions = completion.choices.map(c => c.text);

// The client asks for base64 unless it is told otherwise, and decodes it.
const decoded = await client.embeddings.create({ model, input: ['Gets the', 'The'] });
const floats = await client.embeddings.create({ model, input: ['Gets the', 'The'], encoding_format: 'float' });
result.embeddings = decoded.data.map(d => d.embedding.length);
result.embeddingsAgree = decoded.data.every((d, i) => d.embedding.every((v, k) => v === Math.fround(floats.data[i].embedding[k])));
result.embeddingUsage = decoded.usage;

const errors = [
  () => client.chat.completions.create({ model: 'nobody', messages }),
  () => client.chat.completions.create({ model, messages, response_format: { type: 'json_object' } }),
  () => client.embeddings.create({ model, input: 'x', dimensions: 4096 }),
  () => new OpenAI({ baseURL: `${address}v1`, apiKey: 'wrong', maxRetries: 0 }).models.list(),
];
result.errors = [];
for (const act of errors) {
  try {
    await act();
    result.errors.push('none');
  } catch (e) {
    result.errors.push(`${e.constructor.name} ${e.status} ${e.code}`);
  }
}

console.log(JSON.stringify(result));

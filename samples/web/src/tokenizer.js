// The base's byte-level BPE, from its tokenizer.json.
import { Tokenizer } from '../node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs';

const endOfText = '<|endoftext|>';

export async function openTokenizer(read) {
  const json = async name => JSON.parse(new TextDecoder().decode(await read(name)));
  const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
  const endId = tokenizer.token_to_id(endOfText);
  if (endId === undefined)
    throw new Error(`tokenizer.json has no token ${endOfText}, which ends a text; take another base.`);
  return {
    endId,
    encode: text => tokenizer.encode(text, { add_special_tokens: false }).ids,
    decode: ids => tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  };
}

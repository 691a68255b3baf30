// Writes encoder.json.br, vocab.bpe.br and goldens.json.br beside this file, from the reference implementation in
// JavaScript. Texts are stored as base64 of UTF-16LE, since JSON readers refuse lone surrogates.
//
//   npm pack gpt-3-encoder@1.1.4 && tar xzf gpt-3-encoder-1.1.4.tgz
//   node make_goldens.mjs package          (Node 20.20.2, Unicode 17, wrote the committed files)

import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const source = resolve(process.argv[2] ?? 'package');
const target = dirname(fileURLToPath(import.meta.url));
const { encode } = createRequire(import.meta.url)(join(source, 'Encoder.js'));

// Left out of random text: JavaScript's \s is not White_Space on these two, and the ranges hold the letters and
// numbers that are new in Unicode 17, which other runtimes may not know yet. The tests cover the two on their own.
const whiteSpaceDiffers = [0x85, 0xfeff];
const newInUnicode17 = [
  [0x88f, 0x88f], [0xc5c, 0xc5c], [0xcdc, 0xcdc], [0xa7ce, 0xa7d4], [0xa7f1, 0xa7f1], [0x10940, 0x10959],
  [0x10ec5, 0x10ec7], [0x11db0, 0x11de9], [0x16ea0, 0x16ed3], [0x16ff2, 0x16ff6], [0x187f8, 0x187ff],
  [0x18d09, 0x18d1e], [0x18d80, 0x18df2], [0x1e6c0, 0x1e6ff], [0x2b73a, 0x2b73f], [0x2cea2, 0x2cead],
  [0x323b0, 0x33479],
];
const isUsable = c =>
  !whiteSpaceDiffers.includes(c) && !newInUnicode17.some(([first, last]) => c >= first && c <= last);

let state = 12345;
const random = bound => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * bound);
};
const pick = list => list[random(list.length)];

const blocks = [
  [0x20, 0x7e], [0x20, 0x7e], [0x09, 0x0d], [0xa0, 0x17f], [0x300, 0x36f], [0x370, 0x52f], [0x590, 0x6ff],
  [0x900, 0x97f], [0xe00, 0xe5b], [0x2000, 0x206f], [0x2070, 0x20cf], [0x2150, 0x218b], [0x2460, 0x24ff],
  [0x3000, 0x30ff], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0xd800, 0xdfff], [0xff00, 0xffef], [0x10000, 0x1007f],
  [0x10400, 0x1044f], [0x1d400, 0x1d7ff], [0x1f100, 0x1f64f], [0x20000, 0x2a6df], [0xe0000, 0xe007f],
];
const randomText = (bytes, alphabet) => {
  let text = '';
  while (Buffer.byteLength(text) < bytes) {
    const [first, last] = pick(alphabet);
    for (let run = 1 + random(4); run > 0; run--) {
      const c = first + random(last - first + 1);
      if (isUsable(c)) text += c >= 0xd800 && c <= 0xdfff ? String.fromCharCode(c) : String.fromCodePoint(c);
      if (random(6) === 0) text += ' ';
    }
  }
  return text;
};

const texts = {
  empty: '',
  'one letter': 'a',
  english: 'The quick brown fox jumps over the lazy dog. It was the best of times, it was the worst of times; '
    + 'we had everything before us, we had nothing before us.\n\nChapter 2\n\n"Well," said she, "that\'s that!"',
  'title and rare words': 'Supercalifragilisticexpialidocious Antidisestablishmentarianism ONNXRuntime LoRA QLoRA DoRA',
  contractions: "I'm you're he's we've they'll I'd don't can't it's y'all'd've 'tis 'twas rock'n'roll o'clock '' 's 't",
  'upper-case contractions': "I'M YOU'RE HE'S WE'VE THEY'LL I'D DON'T 'S 'RE 'Ll 'vE",
  'contractions at edges': "'s'sx 'll'l 'v 'r '  's ?'s 1's é's 's's",
  numbers: '0 1 12 123 1234 12345 3.14159 1,000,000 2024-01-31 0x1F 1e-5 ½ ⅓ Ⅷ ² ① ٣ १२३ 𝟘𝟙𝟚 𐄇',
  code: 'public static int Main(string[] args)\n{\n    if (args.Length > 0 && x != null)\n\t\treturn a[i++] ?? 0;'
    + '\n}\n\n// TODO(me): fix\r\ndef f(self, *args, **kwargs) -> None:\n    pass\n#include <stdio.h>\n',
  json: '{"a": [1, 2.5, null, true], "b\\n": {"c": "\\u00e9"}}',
  url: 'https://example.com/a/b?c=d&e=%20f#g user@example.org C:\\Windows\\System32 /usr/local/bin',
  'end of text spelled out': 'before<|endoftext|>after <|endoftext|>',
  emoji: '😀 😀😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 ❤️ 🇩🇪🇫🇷 1️⃣ ✊🏿x',
  cjk: '我爱自然语言处理。日本語のテキスト、カタカナ 한국어 텍스트 조선말 全角　スペース',
  arabic: 'مرحبا بالعالم، كيف حالك؟ ١٢٣ שָׁלוֹם עולם',
  indic: 'नमस्ते दुनिया ক্ষ தமிழ் ภาษาไทย ພາສາລາວ',
  cyrillic: 'Привет, мир! Съешь же ещё этих мягких французских булок',
  'combining marks': 'e\u0301 n\u0303o\u0308 a\u0300\u0301\u0302b  \u0301x é ñ Å A\u030A',
  'supplementary letters': '𝒜𝓑𝒞 𐐷𐐨 x𐐷y 𠀀𠀁 𝒜1𝟘a 𐐷\'s 𐐷 𐐷  𐐷',
  'white space': ' a  b   c\td\t\te\n\nf \n g\r\nh  \n  i   ',
  'only spaces': '     ',
  'space before newline': 'a \nb  \n\n  c\u00a0d\u00a0\u00a0e\u2003f\u2028g\u2029h\u3000i\u1680j\u202fk\u205fl',
  'no white space': 'a\u200bb\u180ec\u2060d\u200c\u200de',
  punctuation: '!!! ??? ... --- ___ *** "quoted" (a) [b] {c} <d> «e» “f” ‘g’ — – … · • ¿¡ §¶ ©®™ °C €£¥ ',
  control: '\u0000\u0001 \u0007\b \u001b[31mred\u001b[0m \u007f \u0080\u009f',
  private: '\ue000 \uf8ff \u{f0000}\u{10ffff} \ufffd\ufffe\uffff',
  'lone surrogates': '\ud800 \udc00x \ud83d\ud83d\ude00 \ude00\ud83d a\udfffb\ud800',
  'long word': 'abcdefghij'.repeat(200),
  'long run': 'a'.repeat(1000) + ' '.repeat(300) + '='.repeat(300) + '\n'.repeat(100),
  'random unicode': randomText(50_000, blocks),
  'random ascii': randomText(20_000, [[0x20, 0x7e], [0x61, 0x7a], [0x61, 0x7a], [0x09, 0x0d]]),
};

const write = (name, data) => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
  writeFileSync(join(target, `${name}.br`), brotliCompressSync(data, { params }));
};
for (const name of ['encoder.json', 'vocab.bpe']) write(name, readFileSync(join(source, name)));
const goldens = Object.entries(texts).map(([name, text]) =>
  ({ name, utf16: Buffer.from(text, 'utf16le').toString('base64'), ids: encode(text) }));
write('goldens.json', JSON.stringify(goldens));

// Serves this folder's page on http://localhost:8080, or the port in PORT; artifacts/ from the folder in ARTIFACTS.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const defaultArtifacts = join(root, 'artifacts');

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

// Scripts and data of this server alone: what is pasted has nowhere to go.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:";

// Files below the two folders alone; anything else is not there.
async function find(url, artifacts) {
  const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  const [folder, name] = path.startsWith('/artifacts/') ? [artifacts, path.slice('/artifacts'.length)] : [root, path];
  const file = join(folder, name.endsWith('/') ? `${name}index.html` : name);
  if (!file.startsWith(folder))
    return undefined;
  const info = await stat(file).catch(() => undefined);
  return info?.isFile() ? { file, size: info.size } : undefined;
}

async function answer(request, response, artifacts) {
  const found = await find(request.url, artifacts).catch(() => undefined);
  if (!found) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  response.writeHead(200, {
    'content-type': types[extname(found.file)] ?? 'application/octet-stream',
    'content-length': found.size,
    'cache-control': 'no-cache',
    'content-security-policy': policy,
  });
  createReadStream(found.file).pipe(response);
}

// Gives the server once it listens; port 0 takes a free one.
export function serve(port, artifacts = process.env.ARTIFACTS ?? defaultArtifacts) {
  const folder = join(artifacts, sep);
  const server = createServer((request, response) => answer(request, response, folder));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve(Number(process.env.PORT ?? 8080));
  console.log(`http://localhost:${server.address().port}`);
}

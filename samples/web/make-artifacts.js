// Writes the page's three artifact folders, and the base as an ONNX model, with the ortpeft command: npm run artifacts.
// ORTPEFT: a built ortpeft.dll to run; without it the command is built first. ARTIFACTS: where to, or artifacts/.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const base = join(here, '../../models/tiny-gpt2-apidocs');
const out = process.env.ARTIFACTS ?? join(here, 'artifacts');
const ortpeft = process.env.ORTPEFT
  ? [process.env.ORTPEFT]
  : ['run', '-c', 'Release', '--project', join(here, '../../tools/OrtPeft.Cli'), '--'];

const adapter = ['--method', 'lora', '--rank', '8', '--alpha', '16', '--target', 'all-linear'];

// The page writes text, so eval_model.onnx gives logits too. The web API of ONNX Runtime's training engine cannot set a
// learning rate, so that goes into its optimizer model.
const folders = {
  ort: ['--runtime', 'ort', '--eval-logits'],
  webgpu: ['--runtime', 'ort', '--provider', 'webgpu', '--eval-logits'],
  'ort-training': ['--runtime', 'ort-training', '--eval-logits', '--fold-lr', '0.005'],
};

const commands = [
  ...Object.entries(folders).map(([name, options]) => [name, 'artifacts', base, ...adapter, ...options]),
  ['base', 'import', base],
];

for (const [name, ...words] of commands) {
  const command = [...ortpeft, ...words, '--out', join(out, name), '--overwrite'];
  const { status, error } = spawnSync('dotnet', command, { stdio: 'inherit' });
  if (error)
    console.error(`dotnet does not start (${error.message}); get the .NET 10 SDK from https://dotnet.microsoft.com`);
  if (status !== 0)
    process.exit(status ?? 1);
}

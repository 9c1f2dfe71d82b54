// Starts the release binary for the JavaScript tests.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const BINARY = join(ROOT, 'target', 'release', 'signalbox');
export const OUT = join(ROOT, 'e2e', 'out');
export const KEY = 'sb-e2e-bootstrap-key';

mkdirSync(OUT, { recursive: true });

export const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** Polls until `check` gives something, and says what never came. */
export async function waitUntil(what, check, seconds = 20) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function start(args, env = {}) {
  const child = spawn(BINARY, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log.text += data));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return { child, log, ended };
}

/** `signalbox up` with every dialect of a simulated provider behind it. */
export async function startSignalbox() {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-e2e-'));
  const [port, providerPort, http, grpc] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const provider = start(['simulate', '--listen', `127.0.0.1:${providerPort}`]);
  writeFileSync(
    join(folder, 'signalbox.yaml'),
    `server:
  otlp_http: 127.0.0.1:${http}
  otlp_grpc: 127.0.0.1:${grpc}
providers:
  - name: up-openai
    kind: sim
    dialect: openai_chat
    base_url: http://127.0.0.1:${providerPort}/v1
  - name: up-anthropic
    kind: sim
    dialect: anthropic_messages
    base_url: http://127.0.0.1:${providerPort}
  - name: up-gemini
    kind: sim
    dialect: gemini
    base_url: http://127.0.0.1:${providerPort}
`,
  );
  const args = ['up', '--data', join(folder, 'data'), '--listen', `127.0.0.1:${port}`];
  const box = start([...args, '--config', join(folder, 'signalbox.yaml')], { SIGNALBOX_BOOTSTRAP_KEY: KEY });
  const url = `http://127.0.0.1:${port}`;
  await waitUntil('Signalbox to be ready', async () => {
    if (box.child.exitCode !== null) throw new Error(`Signalbox ended:\n${box.log.text}`);
    return fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  return {
    url,
    log: box.log,
    async stop() {
      box.child.kill('SIGTERM');
      const status = await box.ended;
      provider.child.kill('SIGKILL');
      if (status !== 0) throw new Error(`Signalbox ended with ${status}:\n${box.log.text}`);
    },
  };
}

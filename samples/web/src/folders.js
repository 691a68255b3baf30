// Where the artifact folders and the tokenizer come from: the web server.

export function fetchFolder(url, advice) {
  return async name => {
    const response = await fetch(new URL(name, url)).catch(() => undefined);
    if (!response)
      throw new Error(`The server does not answer; is 'npm start' still running?`);
    if (!response.ok)
      throw new Error(`${new URL(name, url).pathname} is missing (HTTP ${response.status}). ${advice}`);
    return new Uint8Array(await response.arrayBuffer());
  };
}

// Remembers what was read, so that a second run fetches nothing.
export function remembered(read) {
  const files = new Map();
  return async name => {
    if (!files.has(name))
      files.set(name, await read(name));
    return files.get(name);
  };
}

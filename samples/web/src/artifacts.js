// Reads an artifact folder: artifacts.json says what each file is and what goes in and out of each model.

const newestFormat = 1;

export class ArtifactSet {
  #read;

  // manifest: the parsed artifacts.json; read(name): a promise of the Uint8Array of a file of the folder.
  constructor(manifest, read) {
    this.manifest = manifest;
    this.#read = read;
  }

  static async open(read, runtime) {
    const manifest = JSON.parse(new TextDecoder().decode(await read('artifacts.json')));
    if (manifest.format_version > newestFormat) {
      throw new Error(`artifacts.json has format ${manifest.format_version}, this page reads up to ${newestFormat}; ` +
        'take a newer page, or write the artifacts with the ortpeft command beside it.');
    }
    if (manifest.runtime !== runtime)
      throw new Error(`These artifacts are for the runtime '${manifest.runtime}', '${runtime}' is needed here.`);
    return new ArtifactSet(manifest, read);
  }

  read(name) {
    return this.#read(name);
  }

  // Weights that the models share, for InferenceSession.create's option externalData.
  async externalData() {
    const names = this.manifest.files.external_data ?? [];
    return Promise.all(names.map(async path => ({ path, data: await this.read(path) })));
  }

  // The most tokens a row of text may have.
  get rowLength() {
    const { base, reserved_positions: reserved = 0 } = this.manifest;
    return (base.context_length ?? 1024) - reserved;
  }

  // The rate it trains with: the wanted one, but what --fold-lr chose, or else 0.001, where the API cannot set any.
  learningRate(wanted) {
    const { runtime, fold_lr: folded } = this.manifest;
    return runtime === 'ort-training' ? (folded?.learning_rate ?? 0.001) : wanted;
  }
}

// The one input or output with a role, or undefined.
export const withRole = (values, role) => values.find(value => value.role === role);

// Its name; an error names what is missing.
export function nameOf(values, role, model) {
  const value = withRole(values, role);
  if (!value)
    throw new Error(`${model} has nothing with the role '${role}'; write the artifacts again.`);
  return value.name;
}

import { resolve } from 'node:path';
import { DriftError } from '../drift-error.js';
import { importGguf } from '../model/gguf-import.js';
import { adapterOf, modelSource } from '../model/model-source.js';
import { refuseExisting, writeWhole } from './whole-directory.js';

export interface ImportArguments {
  gguf: string;
  out: string;
}

export async function importModel({ gguf, out }: ImportArguments): Promise<void> {
  refuseExisting(out);
  console.error(`converting ${gguf}`);
  await importGguf(gguf, resolve(out));
  console.log(out);
}

export interface MergeArguments {
  adapter: string;
  base?: string;
  out: string;
}

export async function mergeModel({ adapter, base, out }: MergeArguments): Promise<void> {
  refuseExisting(out);
  const { dir, lora } = base === undefined ? modelSource(adapter) : { dir: base, lora: adapterOf(adapter) };
  if (lora === undefined) throw new DriftError('model-invalid', `${adapter} has no adapter_config.json.`);
  console.error(`merging ${adapter} into ${dir}`);
  const { mergeAdapter } = await import('../model/merge-adapter.js');
  await writeWhole(resolve(out), (partial) => mergeAdapter({ dir, lora }, partial));
  console.log(out);
}

/**
 * Runs TypeScript as it is: `node --import ./scripts/typescript.mjs FILE`. For what is measured and for what runs long: other
 * loaders keep the name of every inner function by a call at each of its makings, which costs a fifth of the time and is not
 * in what users run.
 */
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)

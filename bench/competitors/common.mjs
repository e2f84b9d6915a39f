// Functions shared by the competitors.
import {randomBytes, randomUUID} from 'node:crypto';
import {writeFileSync} from 'node:fs';

export {listen, load, options, report} from '../../tests/third_party/common.mjs';

/** An array of `count` items. */
export const make = (count, item) => Array.from({length: count}, (_, index) => item(index));

/** A random API key as long as Latchkey's. */
export const make_key = () => 'tnx_' + randomBytes(24).toString('hex').slice(0, 47);

/** Write the keys for the load generator, one per line. */
export const write_keys = (file, keys) => writeFileSync(file, keys.join('\n') + '\n', {mode: 0o600});

/** @return the key of an Authorization header, or undefined */
export const key_of = authorization =>
    authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined;

export {randomUUID};

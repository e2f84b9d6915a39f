// What the measured servers share.
import {randomBytes, randomUUID} from 'node:crypto';
import {writeFileSync} from 'node:fs';

export {listen, load, options, tell} from '../../tests/third_party/common.mjs';

/** As many items as asked for. */
export const make = (count, item) => Array.from({length: count}, (_, index) => item(index));

/** An API key as long as ours, without meaning to the server but by its digest. */
export const make_key = () => 'tnx_' + randomBytes(24).toString('hex').slice(0, 47);

/** Leave the keys where the load generator finds them: one a line. */
export const hand_over = (file, keys) => writeFileSync(file, keys.join('\n') + '\n', {mode: 0o600});

/** @return the key of an Authorization header, or nothing */
export const key_of = authorization =>
    authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined;

export {randomUUID};

// The packages of tests/third_party, which are outside of the checkout, at NODE_PATH: `require` honors it, `import`
// does not.
import {createRequire} from 'node:module';
import {fileURLToPath, pathToFileURL} from 'node:url';

const require = createRequire(import.meta.url);

/** Import a package. */
export const load = name => import(pathToFileURL(require.resolve(name)));

/** The folder of a package's file. */
export const resolve = name => require.resolve(name);

/** The root of the sources. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The program under test. */
export const program = process.env.LATCHKEY_PROGRAM ?? `${root}build/test/latchkey`;

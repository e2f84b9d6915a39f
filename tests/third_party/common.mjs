// Shared functions of the programs in this folder: options, package loading, reporting to the test.
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

// The packages are outside of the checkout, at NODE_PATH, which `require` honors and `import` does not.
const require = createRequire(import.meta.url);

/** Import a package of package.json. */
export const load = name => import(pathToFileURL(require.resolve(name)));

/** The options: a JSON object, the only argument. */
export const options = JSON.parse(process.argv[2] ?? '{}');

/** Report a fact to the test, as one line of JSON on standard output. */
export const report = fact => process.stdout.write(JSON.stringify(fact) + '\n');

/** Listen on 127.0.0.1. @return the port, a free one by default */
export const listen = (server, port = 0) =>
    new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => resolve(server.address().port));
    });

// The process ends with its test, which holds the other end of this pipe. With a port given it runs until
// stopped.
if (!options.port) {
    process.stdin.on('close', () => process.exit());
    process.stdin.resume();
}

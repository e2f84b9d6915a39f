// What the peers share.
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

// The packages lie outside of the checkout, where only NODE_PATH tells; `import` does not heed that, `require` does.
const require = createRequire(import.meta.url);

/** Import a package of package.json. */
export const load = name => import(pathToFileURL(require.resolve(name)));

/** The options: one JSON object, given as the only argument. */
export const options = JSON.parse(process.argv[2] ?? '{}');

/** Tell the test something: one line. */
export const tell = fact => process.stdout.write(JSON.stringify(fact) + '\n');

/** Listen at 127.0.0.1. @return the port, a free one unless told */
export const listen = (server, port = 0) =>
    new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => resolve(server.address().port));
    });

// A peer lives as long as its test, which holds the other end of this pipe; one at a port of its own, until stopped.
if (!options.port) {
    process.stdin.on('close', () => process.exit());
    process.stdin.resume();
}

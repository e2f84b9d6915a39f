// The console's modules against TypeScript's checker: JSDoc types, and the shapes of the API as `latchkey openapi`
// prints them.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {program, resolve, root} from './support/packages.mjs';

/** What the types of calls must accept, and what they must refuse. */
const calls = client => `
    import {Client} from ${JSON.stringify(client)};
    export async function check(client: Client, prefix: string) {
        const emails: string[] = (await client.get('/team')).items.map(row => row.email);
        const secret: string = (await client.post('/api-keys', {})).secret;
        const name: string = (await client.get(\`/api-keys/\${prefix}\`)).name;
        const nothing: undefined = await client.delete(\`/api-keys/\${prefix}\`);
        // @ts-expect-error a member that a row does not have
        (await client.get('/team')).items[0].avatar;
        // @ts-expect-error a path that the API does not have
        (await client.get('/teams')).items;
        // @ts-expect-error a method that the path does not have
        (await client.patch('/team', {})).items;
        return [emails, secret, name, nothing];
    }`;

test('the modules have no type errors', () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-types-'));
    try {
        const document = join(folder, 'openapi.json');
        writeFileSync(document, execFileSync(program, ['openapi', '--public-url', 'http://127.0.0.1:8080'],
                                             {maxBuffer: 64 << 20}));
        for (const part of ['types', 'vendor'])
            mkdirSync(join(folder, part));
        // A package may hide its command from `require`, so it is found beside its main file.
        const generator = join(dirname(resolve('openapi-typescript/package.json')), 'bin/cli.js');
        execFileSync(process.execPath, [generator, document, '-o', join(folder, 'types/api.d.ts')], {stdio: 'pipe'});
        const packages = dirname(dirname(resolve('preact/package.json')));
        const from = name => JSON.stringify(join(packages, name));
        writeFileSync(join(folder, 'vendor/preact.d.ts'), `export * from ${from('preact/src/index.d.ts')};\n`);
        writeFileSync(join(folder, 'vendor/hooks.d.ts'), `export * from ${from('preact/hooks/src/index.d.ts')};\n`);
        writeFileSync(join(folder, 'vendor/htm.d.ts'), `declare const htm: {bind(h: unknown):
            (strings: TemplateStringsArray, ...values: any[]) => any};\nexport default htm;\n`);
        const console = join(root, 'handlers/console');
        writeFileSync(join(folder, 'calls.ts'), calls(join(console, 'lib/client.js')));
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
            compilerOptions: {
                allowJs: true, checkJs: true, strict: true, noEmit: true, skipLibCheck: true, target: 'esnext',
                module: 'esnext', moduleResolution: 'bundler', lib: ['esnext', 'dom', 'dom.iterable'], types: [],
                noUnusedLocals: true, noUnusedParameters: true, noImplicitReturns: true,
                // The libraries and the generated types are in other folders here than in a browser.
                rootDirs: [console, folder],
                paths: {preact: [join(packages, 'preact/src/index.d.ts')]},
            },
            include: [`${console}/**/*.js`, `${folder}/**/*.ts`],
        }));
        const compiler = join(dirname(resolve('typescript/package.json')), 'bin/tsc');
        const {status, stdout} = spawnSync(process.execPath, [compiler, '-p', folder], {encoding: 'utf8'});
        assert.equal(status, 0, stdout);
    } finally {
        rmSync(folder, {recursive: true, force: true});
    }
});

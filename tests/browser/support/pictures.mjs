// Pictures of pages, compared with those in tests/browser/screenshots.
import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {load, root} from './packages.mjs';

const {PNG} = (await load('pngjs')).default;
const {default: compare} = await load('pixelmatch');

const references = join(root, 'tests/browser/screenshots');
const updates = process.argv.includes('--update');

/** How much of a picture may differ: the edges of glyphs do, between versions of Chromium and of its libraries. */
const tolerance = 0.004;

/**
 * Half the size and 16 steps a color: a picture takes some kilobytes, and is blind for the smoothing of edges.
 *
 * @param {Buffer} file  a PNG
 */
function reduce(file) {
    const from = PNG.sync.read(file);
    const to = new PNG({width: from.width >> 1, height: from.height >> 1});
    for (let y = 0; y < to.height; ++y)
        for (let x = 0; x < to.width; ++x)
            for (let channel = 0; channel < 4; ++channel) {
                const at = (2 * y * from.width + 2 * x) * 4 + channel;
                const below = at + from.width * 4;
                const mean = (from.data[at] + from.data[at + 4] + from.data[below] + from.data[below + 4]) / 4;
                to.data[(y * to.width + x) * 4 + channel] = Math.round(mean / 17) * 17;
            }
    return to;
}

const write = (path, picture) => writeFileSync(path, PNG.sync.write(picture, {colorType: 2, deflateLevel: 9}));

/** Compare what a page shows with its reference, or with `--update` make it the reference. */
export async function assertLooksAsBefore(page, name) {
    const shown = reduce(await page.screenshot({animations: 'disabled', caret: 'hide'}));
    const path = join(references, `${name}.png`);
    if (updates) {
        mkdirSync(references, {recursive: true});
        write(path, shown);
        return;
    }
    assert.ok(existsSync(path), `${name}.png is missing: run scripts/test-server ../browser/pictures --update`);
    const expected = PNG.sync.read(readFileSync(path));
    assert.deepEqual([shown.width, shown.height], [expected.width, expected.height], name);
    const difference = new PNG({width: shown.width, height: shown.height});
    const share = compare(expected.data, shown.data, difference.data, shown.width, shown.height, {threshold: 0.15})
        / (shown.width * shown.height);
    if (share <= tolerance)
        return;
    const folder = process.env.LATCHKEY_SCREENSHOTS ?? join(tmpdir(), 'latchkey-pictures');
    mkdirSync(folder, {recursive: true});
    write(join(folder, `${name}-shown.png`), shown);
    write(join(folder, `${name}-difference.png`), difference);
    assert.fail(`${name}: ${(100 * share).toFixed(1)} % differ, see ${folder}. If that is meant, run ` +
                'scripts/test-server ../browser/pictures --update');
}

// The console's first view in a browser that has nothing of it yet: bytes, requests, and the time until data is shown.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, launch, open, signIn} from './support/browser.mjs';
import {newAddress, Server, signUp} from './support/server.mjs';

let server, browser, address;
const email = newAddress('grace');

before(async () => {
    // As many connections as an installation has: the calls of the overview come at once.
    server = await Server.start({LATCHKEY_DATABASE_CONNECTIONS: '3'});
    browser = await launch();
    const {workspace, token} = await signUp(server, email);
    await server.call('POST', '/api-keys', {token, body: {name: 'nightly', scopes: ['profile:read']}});
    address = `${server.origin}/console/${workspace}/overview`;
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

/** What a view may take at most, in milliseconds. */
const limit = 150;

/**
 * Where the machine is too busy for that: what it may take as a multiple of the time in which the same browser only
 * fetches the same files, side by side, into a page that does nothing. Both are measured in turns.
 */
const busyLimit = 12;

/** A visit with an empty cache. @return {Promise<{bytes: number, files: string[], time: number}>} milliseconds */
async function visit() {
    const {context, page, faults} = await open(browser, server);
    await signIn(context, server, email);
    // The time of the last change that ended with a heading and without anything on its way.
    await context.addInitScript(() => {
        new MutationObserver(() => {
            const isComplete = document.querySelector('h1') && !document.querySelector('.loading');
            if (!isComplete)
                window.shownAt = undefined;
            else
                window.shownAt ??= performance.now();
        }).observe(document, {childList: true, subtree: true});
    });
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    const files = [];
    session.on('Network.requestWillBeSent', event => files.push(event.request.url));
    session.on('Network.loadingFinished', event => {
        bytes += event.encodedDataLength;
    });
    await page.goto(address);
    await arrive(page, 'Overview');
    await page.waitForLoadState('networkidle');
    const time = await page.evaluate(() => window.shownAt);
    assertFaultless(faults);
    await context.close();
    return {bytes, files, time};
}

/** Fetch files without a cache, and run none. @param {string[]} files @return {Promise<number>} milliseconds */
async function fetchOnly(files) {
    const {context, page, faults} = await open(browser, server);
    await page.goto(`${server.origin}/done?what=signed-out`);
    await page.waitForLoadState('networkidle');
    const time = await page.evaluate(async all => {
        const begin = performance.now();
        await Promise.all(all.map(one => fetch(one, {cache: 'no-store'}).then(answer => answer.arrayBuffer())));
        return performance.now() - begin;
    }, files);
    assertFaultless(faults);
    await context.close();
    return time;
}

/** @param {number[]} times */
const sorted = times => times.map(Math.round).sort((a, b) => a - b);

test('the first view is small, and soon shown', async () => {
    const visits = [], fetches = [];
    for (let number = 0; number < 5; ++number) {
        visits.push(await visit());
        fetches.push(await fetchOnly(visits[0].files.filter(one => one.includes('/assets/'))));
    }
    const [{bytes, files}] = visits;
    const times = sorted(visits.map(one => one.time)), floor = sorted(fetches);
    console.log(`first view: ${bytes} bytes in ${files.length} requests; data shown after ${times} ms, `
        + `its files fetched in ${floor} ms: ${(times[2] / floor[2]).toFixed(2)} times`);
    for (const one of visits)
        assert.ok(one.bytes > 10_000 && one.bytes <= 80_000, `${one.bytes} bytes`);
    // Sanitizers make the server several times slower.
    if (!process.env.LATCHKEY_SANITIZE)
        assert.ok(times[2] <= Math.max(limit, busyLimit * floor[2]), `${times} ms, fetched in ${floor} ms`);
});

// A browser session at /docs: opens {url}, authorizes with {token}, and calls "who is calling". Reports
// {operations: number, status, answer: text, foreign: [URLs of other sites requested], errors: [browser
// errors]}.
import {load, options, report} from './common.mjs';

const {chromium} = (await load('playwright-core')).default;
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
});
const page = await (await browser.newContext()).newPage();
const foreign = [], errors = [];
const origin = new URL(options.url).origin;
page.on('request', one => {
    if (!one.url().startsWith(origin) && !one.url().startsWith('data:'))
        foreign.push(one.url());
});
page.on('console', message => message.type() === 'error' && errors.push(message.text()));
page.on('pageerror', error => errors.push(String(error)));
try {
    await page.goto(options.url);
    await page.waitForSelector('.opblock');
    const operations = await page.locator('.opblock').count();
    await page.locator('button.authorize').first().click();
    const form = page.locator('.auth-container').filter({hasText: 'apiKey (http'});
    await form.locator('input').fill(options.token);
    await form.locator('button[type=submit]').click();
    await page.locator('button.btn-done').first().click();
    const call = page.locator('#operations-Profile-showMe');
    await call.locator('.opblock-summary-control').click();
    await call.locator('button.execute').click();
    const status = await call.locator('.live-responses-table .response-col_status').last().innerText();
    const answer = await call.locator('.live-responses-table .highlight-code').first().innerText();
    report({operations, status: status.trim(), answer, foreign, errors});
} catch (error) {
    process.stderr.write(String(error) + errors.join() + '\n');
} finally {
    await browser.close();
}
process.exit();

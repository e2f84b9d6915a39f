// Opens the {links} of emails one after the other in one tab of a browser, and presses the button of the last
// page, or the one that the selector {button} finds, after entering {password}. Reports {outcome: the page's
// status text, address: of the tab, sent: [URLs and referrers that the browser sent], errors: [browser errors]}.
import {load, options, report} from './common.mjs';

const {chromium} = (await load('playwright-core')).default;
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
});
const page = await (await browser.newContext({ignoreHTTPSErrors: true})).newPage();
const sent = [], errors = [];
page.on('request', one => sent.push(`${one.url().split('#')[0]} ${one.headers().referer ?? ''}`));
page.on('pageerror', error => errors.push(String(error)));
try {
    for (const link of options.links) {
        await page.goto(link);
        await page.waitForFunction(() => document.readyState === 'complete' && location.hash === '');
    }
    const address = page.url();
    if (options.password)
        await page.fill('#password', options.password);
    await page.locator(options.button ?? 'button').click();
    const status = page.locator('[role=status]');
    await status.filter({hasText: /./}).waitFor();   // of this page, or of the one that a sign-in returns to
    report({outcome: await status.innerText(), address, sent, errors});
} catch (error) {
    process.stderr.write(String(error) + errors.join() + '\n');
} finally {
    await browser.close();
}
process.exit();

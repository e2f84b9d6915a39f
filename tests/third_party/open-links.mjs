// Opens the {links} of emails one after the other in one tab of a browser, and presses the button of the last
// page. Reports {outcome: the page's status text, address: of the tab, sent: [URLs and referrers that the browser
// sent], errors: [browser errors]}.
import {load, options, report} from './common.mjs';

const {chromium} = (await load('playwright-core')).default;
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
});
const page = await (await browser.newContext()).newPage();
const sent = [], errors = [];
page.on('request', one => sent.push(`${one.url().split('#')[0]} ${one.headers().referer ?? ''}`));
page.on('pageerror', error => errors.push(String(error)));
try {
    for (const link of options.links) {
        await page.goto(link);
        await page.waitForFunction(() => document.readyState === 'complete' && location.hash === '');
    }
    const address = page.url();
    await page.locator('button').click();
    const status = page.locator('[role=status]');
    await page.waitForFunction(() => document.querySelector('[role=status]').textContent !== '');
    report({outcome: await status.innerText(), address, sent, errors});
} catch (error) {
    process.stderr.write(String(error) + errors.join() + '\n');
} finally {
    await browser.close();
}
process.exit();

// Runs the shop: SAMKLANG_REAL_PORT, _DATABASE (an image that seed.js made), _USER, _PASSWORD, _HOOK_URL, _HOOK_SECRET.
// The database lives in memory and is forgotten at the end, so every start is the same shop.
'use strict';

const { readFileSync } = require('node:fs');
const { JobQueueService, RequestContextService, SearchService, bootstrap } = require('@vendure/core');
const { shopConfig } = require('./config.js');
const { eventsTo } = require('./events.js');

async function main() {
    const { SAMKLANG_REAL_HOOK_URL: hookUrl, SAMKLANG_REAL_HOOK_SECRET: hookSecret } = process.env;
    const app = await bootstrap(shopConfig({
        port: Number(process.env.SAMKLANG_REAL_PORT),
        database: readFileSync(process.env.SAMKLANG_REAL_DATABASE),
        plugins: hookUrl ? [eventsTo(hookUrl, hookSecret)] : [],
    }));
    await app.get(JobQueueService).start();
    // The image holds no search index: what customers find by searching is built at every start.
    await app.get(SearchService).reindex(await app.get(RequestContextService).create({ apiType: 'admin' }));
}

// Whoever started us holds our standard input: when they are gone, so are we.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
main().catch(error => {
    console.error(error);
    process.exit(1);
});

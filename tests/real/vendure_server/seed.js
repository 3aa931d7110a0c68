// Makes the shop's database once: Denmark with 25 % VAT, prices in DKK including tax, two places, the goods of goods.json.
'use strict';

const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { DefaultLogger, LogLevel, TransactionalConnection, bootstrap } = require('@vendure/core');
const { populateInitialData } = require('@vendure/core/cli');
const { shopConfig } = require('./config.js');

const port = Number(process.env.SAMKLANG_REAL_PORT);

const initialData = {
    defaultLanguage: 'en',
    defaultZone: 'Denmark',
    countries: [{ code: 'DK', name: 'Denmark', zone: 'Denmark' }],
    taxRates: [{ name: 'Danish VAT', percentage: 25 }],
    shippingMethods: [{ name: 'Parcel', price: 3900, taxRate: 25 }],
    paymentMethods: [{
        name: 'Dummy',
        handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] },
    }],
    collections: [],
};

let token;

/** One admin call; a GraphQL error or a declared error result ends the seeding. */
async function admin(query, variables = {}) {
    const answer = await fetch(`http://127.0.0.1:${port}/admin-api`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify({ query, variables }),
    });
    token = answer.headers.get('vendure-auth-token') ?? token;
    const { data, errors } = await answer.json();
    const refused = Object.values(data ?? {}).find(result => result?.errorCode);
    if (errors || refused) throw new Error(JSON.stringify(errors ?? refused));
    return data;
}

async function settings() {
    await admin(
        'mutation($u:String!,$p:String!){login(username:$u,password:$p){__typename ...on ErrorResult{errorCode message}}}',
        { u: process.env.SAMKLANG_REAL_USER, p: process.env.SAMKLANG_REAL_PASSWORD },
    );
    const { activeChannel } = await admin('{activeChannel{id}}');
    await admin(
        'mutation($i:UpdateChannelInput!){updateChannel(input:$i){__typename ...on ErrorResult{errorCode message}}}',
        {
            i: {
                id: activeChannel.id, pricesIncludeTax: true, trackInventory: true,
                defaultCurrencyCode: 'DKK', availableCurrencyCodes: ['DKK'],
            },
        },
    );
    const { stockLocations } = await admin('{stockLocations{items{id}}}');
    await admin(
        'mutation($i:UpdateStockLocationInput!){updateStockLocation(input:$i){id}}',
        { i: { id: stockLocations.items[0].id, name: 'Warehouse' } },
    );
    const { createStockLocation } = await admin('mutation{createStockLocation(input:{name:"Aarhus"}){id}}');
    return [stockLocations.items[0].id, createStockLocation.id];
}

async function article(good, places) {
    const sku = good.template + good.suffix;
    const { createProduct } = await admin('mutation($i:CreateProductInput!){createProduct(input:$i){id}}', {
        i: {
            enabled: true,
            translations: [{ languageCode: 'en', name: good.name, slug: sku.toLowerCase(), description: '' }],
        },
    });
    await admin('mutation($i:[CreateProductVariantInput!]!){createProductVariants(input:$i){id}}', {
        i: [{
            productId: createProduct.id, sku, price: good.shop_minor, trackInventory: 'TRUE',
            stockLevels: places.map(place => ({ stockLocationId: place, stockOnHand: 0 })),
            translations: [{ languageCode: 'en', name: good.name }],
        }],
    });
}

async function main() {
    const goods = JSON.parse(readFileSync(process.env.SAMKLANG_REAL_GOODS, 'utf-8'));
    const config = shopConfig({ port });
    const app = await bootstrap({ ...config, logger: new DefaultLogger({ level: LogLevel.Warn, timestamp: true }) });
    await populateInitialData(app, initialData);
    const places = await settings();
    for (const good of goods) await article(good, places);
    const image = app.get(TransactionalConnection).rawConnection.driver.export();
    const target = process.env.SAMKLANG_REAL_DATABASE;
    writeFileSync(`${target}.part`, Buffer.from(image));
    renameSync(`${target}.part`, target);
    console.log(`${goods.length} articles in the shop`);
    process.exit(0);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});

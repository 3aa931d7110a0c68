// The shop's settings, shared by seed.js (makes the database once) and server.js (runs on a copy in memory).
'use strict';

const { DefaultLogger, DefaultSearchPlugin, LogLevel, dummyPaymentHandler } = require('@vendure/core');

/** Settings for a shop on 127.0.0.1:`port`; `database` is an SQLite image as bytes, or undefined for an empty one. */
exports.shopConfig = function shopConfig({ port, database, plugins = [] }) {
    return {
        logger: new DefaultLogger({ level: LogLevel.Info, timestamp: true }),
        apiOptions: { hostname: '127.0.0.1', port, adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
        authOptions: {
            tokenMethod: ['bearer', 'cookie'],
            superadminCredentials: {
                identifier: process.env.SAMKLANG_REAL_USER,
                password: process.env.SAMKLANG_REAL_PASSWORD,
            },
            cookieOptions: { secret: 'loopback only' },
        },
        dbConnectionOptions: { type: 'sqljs', database, synchronize: database === undefined, logging: false },
        paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
        plugins: [DefaultSearchPlugin.init({ bufferUpdates: false }), ...plugins],
    };
};

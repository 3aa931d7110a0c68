// What a merchant's own plugin does: tells a URL of the shop's events, as signed JSON. Sent once; who is down misses it.
'use strict';

const { createHmac } = require('node:crypto');
const { EventBus, Logger, PluginCommonModule, VendurePlugin } = require('@vendure/core');

const SEND_TIMEOUT_MS = 5000;

const TOLD = new Set([
    'ProductEvent', 'ProductVariantEvent', 'ProductVariantPriceEvent', 'StockLocationEvent', 'StockMovementEvent',
    'OrderEvent', 'OrderLineEvent', 'OrderPlacedEvent', 'OrderStateTransitionEvent', 'PaymentStateTransitionEvent',
    'FulfillmentEvent', 'FulfillmentStateTransitionEvent', 'RefundEvent', 'CustomerEvent',
]);

// Plain columns that a receiver can use; relations, contexts and inputs stay at home.
const COLUMNS = [
    'id', 'code', 'sku', 'state', 'total', 'amount', 'method', 'reason', 'enabled', 'productVariantId',
    'stockLocationId', 'quantity', 'emailAddress',
];

function columnsOf(entity) {
    const told = {};
    for (const name of COLUMNS) {
        if (entity[name] !== undefined && typeof entity[name] !== 'object') told[name] = entity[name];
    }
    return told;
}

function bodyOf(event) {
    const body = { event: event.constructor.name, createdAt: event.createdAt };
    for (const [name, value] of Object.entries(event)) {
        if (name === 'ctx' || name === 'input' || name === 'createdAt' || value === undefined || value === null) continue;
        if (Array.isArray(value)) body[name] = value.map(columnsOf);
        else body[name] = typeof value === 'object' ? columnsOf(value) : value;
    }
    return JSON.stringify(body);
}

/** The plugin class for one receiver: POSTs each event, `x-signature` is the hex HMAC-SHA256 of the body's bytes. */
exports.eventsTo = function eventsTo(url, secret) {
    class EventsPlugin {
        constructor(eventBus) {
            this.eventBus = eventBus;
        }

        onApplicationBootstrap() {
            this.eventBus.filter(event => TOLD.has(event.constructor.name)).subscribe(event => this.tell(event));
        }

        async tell(event) {
            const name = event.constructor.name;
            try {
                const body = bodyOf(event);
                const headers = {
                    'content-type': 'application/json',
                    'x-vendure-event': name,
                    'x-signature': createHmac('sha256', secret).update(body).digest('hex'),
                };
                const answer = await fetch(url, {
                    method: 'POST', headers, body, signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
                });
                if (!answer.ok) Logger.warn(`${name} answered ${answer.status}`, 'events');
            } catch (error) {
                Logger.warn(`${name} not told: ${error.message}`, 'events');
            }
        }
    }
    // Decorators without a compiler: the same two things that TypeScript would have written.
    Reflect.defineMetadata('design:paramtypes', [EventBus], EventsPlugin);
    VendurePlugin({ imports: [PluginCommonModule], compatibility: '^3.0.0' })(EventsPlugin);
    return EventsPlugin;
};

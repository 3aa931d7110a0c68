// A Vendure plugin that tells Samklang what moved: one signed POST per event, in order, sent once.
// What is missed while Samklang is away is found by its sweeps, so nothing is stored or repeated here.
'use strict';

const { createHmac } = require('node:crypto');
const {
    EventBus, Fulfillment, Logger, PluginCommonModule, ProductVariant, ProductVariantPrice, TransactionalConnection, VendurePlugin,
} = require('@vendure/core');
const { In } = require('typeorm');

const SEND_TIMEOUT_MS = 5000;
const WAITING_MAX = 10000;
const LOGGER = 'SamklangEvents';

// Each event with the plain columns that it tells and where it finds the ids of the variants meant.
const TOLD = {
    ProductVariantEvent: {
        body: event => ({ entity: rows(event.entity, ['id', 'sku', 'enabled']), type: event.type }),
        variants: event => ids(event.entity),
    },
    ProductVariantPriceEvent: {
        body: event => ({ entity: rows(event.entity, ['id']), type: event.type }),
        variants: (event, connection) => pricedBy(event.entity.map(price => price.id), connection),
    },
    ProductEvent: {
        body: event => ({ entity: rows([event.entity], ['id', 'enabled'])[0], type: event.type }),
        variants: (event, connection) => variantsOf(event.entity.id, connection),
    },
    StockMovementEvent: {
        body: event => ({ stockMovements: rows(event.stockMovements, ['id', 'quantity', 'stockLocationId']), type: event.type }),
        variants: event => ids(event.stockMovements.map(moved => moved.productVariant).filter(Boolean)),
    },
    OrderPlacedEvent: { body: event => ({ ...moved(event), ...ordered(event) }), orders: event => ids([event.order]) },
    OrderStateTransitionEvent: { body: event => ({ ...moved(event), ...ordered(event) }), orders: placed },
    OrderLineEvent: {
        body: event => ({ ...ordered(event), orderLine: row(event.orderLine, ['id', 'productVariantId', 'quantity']), type: event.type }),
        orders: placed,
    },
    PaymentStateTransitionEvent: {
        body: event => ({ ...moved(event), payment: row(event.payment, ['id', 'state', 'amount', 'method']), ...ordered(event) }),
        orders: placed,
    },
    FulfillmentStateTransitionEvent: {
        body: event => ({ ...moved(event), fulfillment: row(event.fulfillment, ['id', 'state', 'method']) }),
        orders: (event, connection) => shippedBy(event.fulfillment.id, connection),
    },
    RefundEvent: {
        body: event => ({ ...ordered(event), refund: row(event.refund, ['id', 'state', 'total', 'method']), type: event.type }),
        orders: placed,
    },
    RefundStateTransitionEvent: {
        body: event => ({ ...moved(event), ...ordered(event), refund: row(event.refund, ['id', 'state', 'total', 'method']) }),
        orders: placed,
    },
};

function ordered(event) {
    return { order: row(event.order, ['id', 'code', 'state', 'total']) };
}

function row(entity, columns) {
    return rows([entity], columns)[0];
}

function moved(event) {
    return { fromState: event.fromState, toState: event.toState };
}

// Carts are nobody's business: an order is told of from the moment it is placed.
function placed(event) {
    return event.order.orderPlacedAt ? ids([event.order]) : [];
}

function rows(entities, columns) {
    return entities.map(entity => Object.fromEntries(columns.filter(name => entity[name] !== undefined).map(name => [name, entity[name]])));
}

function ids(entities) {
    return [...new Set(entities.map(entity => String(entity.id)))];
}

async function variantsOf(productId, connection) {
    const found = await connection.rawConnection.getRepository(ProductVariant).find({ where: { productId }, select: { id: true } });
    return ids(found);
}

async function pricedBy(priceIds, connection) {
    const prices = connection.rawConnection.getRepository(ProductVariantPrice);
    const found = await prices.find({ where: { id: In(priceIds) }, relations: { variant: true } });
    return ids(found.map(price => price.variant).filter(Boolean));
}

async function shippedBy(fulfillmentId, connection) {
    const fulfillments = connection.rawConnection.getRepository(Fulfillment);
    const found = await fulfillments.findOne({ where: { id: fulfillmentId }, relations: { orders: true } });
    return ids(found ? found.orders : []);
}

class SamklangEventsPlugin {
    static options = { url: '', secret: '' };

    /** `url` is the channel's hook address on the hub, `secret` the same text as the channel's hook_secret. */
    static init(options) {
        if (!options.url || !options.secret) throw new Error('SamklangEventsPlugin needs url and secret');
        SamklangEventsPlugin.options = options;
        return SamklangEventsPlugin;
    }

    constructor(eventBus, connection) {
        this.eventBus = eventBus;
        this.connection = connection;
        this.waiting = [];
        this.sending = false;
    }

    // The event bus hands an event to these subscribers after its transaction was committed.
    onApplicationBootstrap() {
        this.eventBus.filter(event => event.constructor.name in TOLD).subscribe(event => this.enqueue(event));
    }

    enqueue(event) {
        if (this.waiting.length >= WAITING_MAX) {
            Logger.warn(`${event.constructor.name} dropped: ${WAITING_MAX} are waiting`, LOGGER);
            return;
        }
        this.waiting.push(event);
        if (!this.sending) this.drain();
    }

    async drain() {
        this.sending = true;
        while (this.waiting.length) await this.post(this.waiting.shift());
        this.sending = false;
    }

    async post(event) {
        const name = event.constructor.name;
        try {
            const told = TOLD[name];
            const said = { event: name, createdAt: event.createdAt, ...told.body(event) };
            if (told.variants) said.variants = await told.variants(event, this.connection);
            if (told.orders) said.orders = await told.orders(event, this.connection);
            if (told.orders && !said.orders.length) return;
            const body = JSON.stringify(said);
            const { url, secret } = SamklangEventsPlugin.options;
            const answer = await fetch(url, {
                method: 'POST',
                headers: {
                    'content-type': 'application/json',
                    'x-vendure-event': name,
                    'x-signature': createHmac('sha256', secret).update(body).digest('hex'),
                },
                body,
                signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
            });
            if (!answer.ok) Logger.warn(`${name}: answered ${answer.status}`, LOGGER);
        } catch (error) {
            Logger.warn(`${name}: not told (${error.message})`, LOGGER);
        }
    }
}

// Decorators written out, so that the file works in JavaScript and TypeScript projects alike.
Reflect.defineMetadata('design:paramtypes', [EventBus, TransactionalConnection], SamklangEventsPlugin);
VendurePlugin({ imports: [PluginCommonModule], compatibility: '^3.0.0' })(SamklangEventsPlugin);

module.exports = { SamklangEventsPlugin };

"""The GraphQL documents about orders; kept beside those of the catalogue, and validated in the same way."""

from __future__ import annotations

from typing import Final

_ADDRESS: Final = "fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber"

# What moves without the order's updatedAt: a digest of this tells whether an order that is known must be read again.
_PULSE: Final = """id state updatedAt totalWithTax
  lines { id quantity }
  payments { id state refunds { id state } }
  fulfillments { id state trackingCode lines { orderLineId quantity } }"""

_ORDER: Final = f"""id code state updatedAt orderPlacedAt currencyCode totalWithTax
  customer {{ id firstName lastName emailAddress phoneNumber }}
  shippingAddress {{ {_ADDRESS} }}
  billingAddress {{ {_ADDRESS} }}
  lines {{
    id quantity orderPlacedQuantity taxRate
    proratedUnitPrice proratedUnitPriceWithTax proratedLinePrice proratedLinePriceWithTax
    productVariant {{ id sku name }}
  }}
  surcharges {{ id description price priceWithTax taxRate }}
  shippingLines {{ id shippingMethod {{ code name }} discountedPrice discountedPriceWithTax }}
  taxSummary {{ taxRate }}
  payments {{
    id method amount state updatedAt
    refunds {{ id total shipping adjustment state updatedAt lines {{ orderLineId quantity }} }}
  }}
  fulfillments {{ id state method trackingCode updatedAt lines {{ orderLineId quantity }} }}
  history(options: {{ filter: {{ type: {{ eq: "ORDER_CANCELLATION" }} }}, take: 500 }}) {{ items {{ id createdAt data }} }}"""

PROBE_ORDERS: Final = f"""query ProbeOrders($known: OrderListOptions!, $edited: OrderListOptions!, $placed: OrderListOptions!) {{
  known: orders(options: $known) {{ items {{ {_PULSE} }} }}
  edited: orders(options: $edited) {{ items {{ updatedAt }} }}
  placed: orders(options: $placed) {{ totalItems items {{ orderPlacedAt }} }}
}}"""

READ_ORDERS: Final = f"""query ReadOrders($options: OrderListOptions!) {{
  orders(options: $options) {{ totalItems items {{ {_ORDER} }} }}
}}"""

ORDER_STANDING: Final = """query OrderStanding($id: ID!) {
  order(id: $id) {
    id state currencyCode
    lines { id quantity }
    fulfillments { id state method trackingCode lines { orderLineId quantity } }
    payments { id amount state refunds { id total state reason } }
    history(options: { filter: { type: { in: ["ORDER_CANCELLATION", "ORDER_NOTE"] } }, take: 500 }) { items { id type data } }
  }
}"""

ADD_FULFILLMENT: Final = """mutation AddFulfillment($input: FulfillOrderInput!) {
  addFulfillmentToOrder(input: $input) {
    __typename
    ... on Fulfillment { id state }
    ... on ErrorResult { errorCode message }
  }
}"""

MOVE_FULFILLMENT: Final = """mutation MoveFulfillment($id: ID!, $state: String!) {
  transitionFulfillmentToState(id: $id, state: $state) {
    __typename
    ... on Fulfillment { id state }
    ... on ErrorResult { errorCode message }
  }
}"""

CANCEL_ORDER: Final = """mutation CancelOrder($input: CancelOrderInput!) {
  cancelOrder(input: $input) {
    __typename
    ... on Order { id state lines { id quantity } }
    ... on ErrorResult { errorCode message }
  }
}"""

REFUND_ORDER: Final = """mutation RefundOrder($input: RefundOrderInput!) {
  refundOrder(input: $input) {
    __typename
    ... on Refund { id total state }
    ... on ErrorResult { errorCode message }
  }
}"""

SETTLE_REFUND: Final = """mutation SettleRefund($input: SettleRefundInput!) {
  settleRefund(input: $input) {
    __typename
    ... on Refund { id total state }
    ... on ErrorResult { errorCode message }
  }
}"""

ADD_NOTE: Final = """mutation AddNote($input: AddNoteToOrderInput!) {
  addNoteToOrder(input: $input) { id }
}"""

UPDATE_NOTE: Final = """mutation UpdateNote($input: UpdateOrderNoteInput!) {
  updateOrderNote(input: $input) { id data }
}"""

ALL: Final = {
    "PROBE_ORDERS": PROBE_ORDERS,
    "READ_ORDERS": READ_ORDERS,
    "ORDER_STANDING": ORDER_STANDING,
    "ADD_FULFILLMENT": ADD_FULFILLMENT,
    "MOVE_FULFILLMENT": MOVE_FULFILLMENT,
    "CANCEL_ORDER": CANCEL_ORDER,
    "REFUND_ORDER": REFUND_ORDER,
    "SETTLE_REFUND": SETTLE_REFUND,
    "ADD_NOTE": ADD_NOTE,
    "UPDATE_NOTE": UPDATE_NOTE,
}

"""The GraphQL documents about orders; kept beside those of the catalogue, and validated in the same way.

A document may cost 1,000 points at most, so an order is read in parts: its head with its lines first, then what was packed,
given back and returned by the ids that the head names, then whatever a part has more of than one answer holds.
"""

from __future__ import annotations

from typing import Final

_BAG: Final = """{
    shopMoney @include(if: $shop) { amount currencyCode }
    presentmentMoney @skip(if: $shop) { amount currencyCode }
  }"""

_ADDRESS: Final = "name company address1 address2 city zip province countryCodeV2 phone"

_LINE: Final = f"""id quantity currentQuantity sku name isGiftCard requiresShipping variant {{ id }}
  originalUnitPriceSet {_BAG}
  discountAllocations {{ allocatedAmountSet {_BAG} }}
  taxLines {{ ratePercentage priceSet {_BAG} }}"""

_PACKED_LINE: Final = "id quantity lineItem { id }"
_OPEN_LINE: Final = "id totalQuantity remainingQuantity lineItem { id }"
_REFUNDED_LINE: Final = f"quantity restockType location {{ id }} lineItem {{ id }} subtotalSet {_BAG} totalTaxSet {_BAG}"

LIST_ORDERS: Final = """query ListOrders($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}"""

NEWEST_ORDERS: Final = """query NewestOrders($first: Int!) {
  orders(first: $first, sortKey: ID, reverse: true) { nodes { id updatedAt } }
}"""

ORDER_HEAD: Final = f"""query OrderHead($id: ID!, $shop: Boolean!, $persons: Boolean!) {{
  order(id: $id) {{
    id name createdAt processedAt updatedAt cancelledAt
    displayFinancialStatus displayFulfillmentStatus
    sourceName sourceIdentifier tags customAttributes {{ key value }}
    currencyCode presentmentCurrencyCode taxesIncluded
    retailLocation {{ id }}
    currentTotalPriceSet {_BAG}
    currentTotalDutiesSet {_BAG}
    currentTotalAdditionalFeesSet {_BAG}
    lineItems(first: 20) {{ nodes {{ {_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    shippingLines(first: 5) {{
      nodes {{ id title currentDiscountedPriceSet {_BAG} taxLines {{ ratePercentage priceSet {_BAG} }} }}
    }}
    transactions(first: 50) {{ id kind status gateway processedAt createdAt amountSet {_BAG} parentTransaction {{ id }} }}
    fulfillments(first: 50) {{ id }}
    fulfillmentOrders(first: 50) {{ nodes {{ id }} }}
    refunds(first: 50) {{ id }}
    returns(first: 20) {{ nodes {{ id }} }}
    email @include(if: $persons)
    phone @include(if: $persons)
    customer @include(if: $persons) {{
      id displayName defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }}
    }}
    shippingAddress @include(if: $persons) {{ {_ADDRESS} }}
    billingAddress @include(if: $persons) {{ {_ADDRESS} }}
  }}
}}"""

PACKED: Final = f"""query Packed($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    __typename
    ... on Fulfillment {{
      id status displayStatus createdAt deliveredAt
      location {{ id }}
      trackingInfo(first: 1) {{ company number }}
      fulfillmentLineItems(first: 50) {{ nodes {{ {_PACKED_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
    ... on FulfillmentOrder {{
      id taskStatus: status
      assignedLocation {{ location {{ id }} }}
      deliveryMethod {{ methodType }}
      lineItems(first: 50) {{ nodes {{ {_OPEN_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
  }}
}}"""

REFUNDED: Final = f"""query Refunded($ids: [ID!]!, $shop: Boolean!) {{
  nodes(ids: $ids) {{
    __typename
    ... on Refund {{
      id createdAt note
      return {{ id }}
      refundLineItems(first: 20) {{ nodes {{ {_REFUNDED_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
      refundShippingLines(first: 5) {{
        nodes {{ shippingLine {{ id }} subtotalAmountSet {_BAG} taxAmountSet {_BAG} }}
      }}
      transactions(first: 10) {{ nodes {{ id }} }}
    }}
  }}
}}"""

RETURNED: Final = """query Returned($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    ... on Return {
      id status createdAt
      reverseFulfillmentOrders(first: 3) {
        nodes {
          lineItems(first: 20) {
            nodes {
              fulfillmentLineItem { lineItem { id } }
              dispositions { id type quantity createdAt location { id } }
            }
          }
        }
      }
    }
  }
}"""

MORE_LINES: Final = f"""query MoreLines($id: ID!, $after: String!, $shop: Boolean!) {{
  node(id: $id) {{
    __typename
    ... on Order {{ lineItems(first: 50, after: $after) {{ nodes {{ {_LINE} }} pageInfo {{ hasNextPage endCursor }} }} }}
    ... on Fulfillment {{
      fulfillmentLineItems(first: 50, after: $after) {{ nodes {{ {_PACKED_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
    ... on FulfillmentOrder {{
      lineItems(first: 50, after: $after) {{ nodes {{ {_OPEN_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
    ... on Refund {{
      refundLineItems(first: 50, after: $after) {{ nodes {{ {_REFUNDED_LINE} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
  }}
}}"""

ORDERS_OF: Final = """query OrdersOf($ids: [ID!]!) {
  nodes(ids: $ids) { __typename ... on FulfillmentOrder { id orderId } }
}"""

FULFIL: Final = """mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status }
    userErrors { field message }
  }
}"""

MOVE: Final = """mutation Move($id: ID!, $location: ID!, $lines: [FulfillmentOrderLineItemInput!]!) {
  fulfillmentOrderMove(id: $id, newLocationId: $location, fulfillmentOrderLineItems: $lines) {
    movedFulfillmentOrder { id status }
    userErrors { field message code }
  }
}"""

PREPARED: Final = """mutation Prepared($input: FulfillmentOrderLineItemsPreparedForPickupInput!) {
  fulfillmentOrderLineItemsPreparedForPickup(input: $input) { userErrors { field message code } }
}"""

ARRIVED: Final = """mutation Arrived($event: FulfillmentEventInput!) {
  fulfillmentEventCreate(fulfillmentEvent: $event) {
    fulfillmentEvent { id status }
    userErrors { field message }
  }
}"""

CANCEL: Final = """mutation Cancel($id: ID!, $reason: OrderCancelReason!, $note: String!) {
  orderCancel(
    orderId: $id, reason: $reason, restock: false, notifyCustomer: false, staffNote: $note,
    refundMethod: { originalPaymentMethodsRefund: false }
  ) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}"""

REFUND: Final = """mutation GiveBack($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id note }
    order { id }
    userErrors { field message }
  }
}"""

NOTE: Final = """mutation Note($input: OrderInput!) {
  orderUpdate(input: $input) {
    order { id customAttributes { key value } }
    userErrors { field message }
  }
}"""

STANDING: Final = """query Standing($id: ID!, $after: String) {
  order(id: $id) {
    id name cancelledAt currencyCode presentmentCurrencyCode
    cancellation { staffNote }
    customAttributes { key value }
    lineItems(first: 100, after: $after) {
      nodes { id quantity currentQuantity refundableQuantity } pageInfo { hasNextPage endCursor }
    }
    transactions(first: 50) {
      id kind status gateway
      amountSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
      parentTransaction { id }
    }
    fulfillments(first: 50) { id }
    fulfillmentOrders(first: 50) { nodes { id } }
    refunds(first: 50) {
      id note
      totalRefundedSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
    }
  }
}"""


ALL: Final = {
    name: value for name, value in globals().items() if name.isupper() and not name.startswith("_") and isinstance(value, str)
}

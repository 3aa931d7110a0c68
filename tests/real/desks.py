"""What people do in the real systems themselves, without the hub: a clerk at the ERP, an editor and a customer of the shop."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx
from systems import RealTryton, RealVendure

Json = dict[str, Any]
ANSWER_SECONDS_MAX = 30


class RefusedByThemError(Exception):
    """The real system said no; the message is theirs."""


class Clerk:
    """Somebody logged in to the ERP."""

    def __init__(self, erp: RealTryton, password: str | None = None) -> None:
        self._client = httpx.Client(base_url=erp.base_url, timeout=ANSWER_SECONDS_MAX, trust_env=False)
        self._path = f"/{erp.database}/rpc/"
        self._context: Json = {}
        try:
            login = self._ask("common.db.login", [erp.user, {"password": password or erp.password}, "en"])
        except RefusedByThemError:
            self.leave()
            raise
        session = base64.b64encode(f"{erp.user}:{login[0]}:{login[1]}".encode()).decode()
        self._client.headers["Authorization"] = f"Session {session}"
        self._context = self.call("res.user.get_preferences", True)

    def call(self, method: str, *params: object, **context: object) -> Any:
        """One model call (`product.product.search_read`); their context, with ours on top, goes last."""
        return self._ask(f"model.{method}", [*params, {**self._context, **context}])

    def articles(self) -> dict[str, Json]:
        """Every article by code, with its id, template, price and the storage's quantity today."""
        fields = ["code", "template", "list_price_used", "quantity", "write_date", "create_date"]
        today = self.call("ir.date.today")
        found = self.call(
            "product.product.search_read", [], 0, 100, [["code", "ASC"]], fields,
            locations=[self.storage()], stock_date_end=today,
        )  # fmt: skip
        return {article["code"]: article for article in found}

    def storage(self) -> int:
        """The id of the warehouse's storage."""
        return int(self.call("stock.location.search", [["code", "=", "STO"]], 0, 1, None)[0])

    def count(self, pieces: Mapping[str, int]) -> None:
        """Set the storage's stock by one stocktake, confirmed."""
        articles = self.articles()
        lines = [{"product": articles[code]["id"], "quantity": quantity} for code, quantity in pieces.items()]
        taken = self.call("stock.inventory.create", [{"location": self.storage(), "lines": [["create", lines]]}])
        self.call("stock.inventory.confirm", taken)

    def reprice(self, code: str, list_price: Decimal) -> None:
        """Change the price without VAT of this article's template."""
        template = self.articles()[code]["template"]
        self.call("product.template.write", [template], {"list_price": _exact(list_price)})

    def ring_up(self, code: str, pieces: int) -> None:
        """Sell these pieces at the ERP's own till, paid by card, and post the sale: its goods leave the storage."""
        article = self.articles()[code]
        net = Decimal(article["list_price_used"]["decimal"])
        (till,) = self.call("sale.point.search", [], 0, 1, None)
        (known, *_) = self.call("sale.point.payment.method.search_read", [], 0, 1, None, ["account"])
        (card,) = self.call("sale.point.payment.method.create", [{"name": "Card", "account": known["account"]}])
        prices = {"unit_list_price": net, "unit_gross_price": net * Decimal("1.25")}
        line = {"product": article["id"], "quantity": pieces, **{name: _exact(price) for name, price in prices.items()}}
        (sale,) = self.call("sale.point.sale.create", [{"point": till, "lines": [["create", [line]]]}])
        (asked,) = self.call("sale.point.sale.read", [sale], ["amount_to_pay"])
        self.call("sale.point.payment.create", [{"sale": sale, "method": card, "amount": asked["amount_to_pay"]}])
        for verb in ("process", "post"):
            self.call(f"sale.point.sale.{verb}", [sale])

    def take_back(self, reference: str, code: str, pieces: int) -> None:
        """Credit pieces of the sale with this reference: a sale below zero that says which order it is about, processed; what
        comes back is received and put away."""
        heads = ["party", "invoice_address", "shipment_address", "currency", "warehouse"]
        details = ["product.code", "product", "unit", "unit_price", "taxes"]
        asked = [*heads, *(f"lines.{name}" for name in details)]
        (sale,) = self.call("sale.sale.search_read", [["reference", "=", reference]], 0, 2, None, asked)
        (line,) = [one for one in sale["lines."] if one["product."] and one["product."]["code"] == code]
        back = {name: line[name] for name in ("product", "unit", "unit_price")}
        back |= {"quantity": -pieces, "taxes": [["add", line["taxes"]]]}
        values = {**{name: sale[name] for name in heads}, "reference": reference, "lines": [["create", [back]]]}
        (credit,) = self.call("sale.sale.create", [{**values, "shipment_method": "order", "invoice_method": "order"}])
        for verb in ("quote", "confirm", "process"):
            self.call(f"sale.sale.{verb}", [credit])
        (made,) = self.call("sale.sale.read", [credit], ["shipment_returns"])
        for verb in ("receive", "do"):
            self.call(f"stock.shipment.out.return.{verb}", made["shipment_returns"])

    def leave(self) -> None:
        self._client.close()

    def _ask(self, method: str, params: Sequence[object]) -> Any:
        answer = self._client.post(self._path, json={"id": 1, "method": method, "params": list(params)})
        if answer.status_code != 200:
            raise RefusedByThemError(f"{method}: {answer.status_code}")
        body = answer.json()
        if "error" in body:
            raise RefusedByThemError(f"{method}: {body['error'][0]}")
        return body["result"]


def _exact(amount: Decimal) -> Json:
    return {"__class__": "Decimal", "decimal": str(amount.quantize(Decimal("0.0001")))}


class ShopDesk:
    """Somebody at the shop: an editor (`/admin-api`, logged in) or a customer (`/shop-api`)."""

    def __init__(self, shop: RealVendure, door: str = "/shop-api") -> None:
        self._client = httpx.Client(base_url=shop.base_url, timeout=ANSWER_SECONDS_MAX, trust_env=False)
        self._door = door

    @classmethod
    def editor(cls, shop: RealVendure, password: str | None = None) -> ShopDesk:
        """A logged-in administrator; a wrong password is refused with their words."""
        desk = cls(shop, "/admin-api")
        login = "mutation($u:String!,$p:String!){login(username:$u,password:$p){__typename ...on ErrorResult{errorCode}}}"
        try:
            desk.ask(login, u=shop.superadmin, p=password or shop.password)
        except RefusedByThemError:
            desk.leave()
            raise
        return desk

    def ask(self, document: str, **variables: object) -> Json:
        """The `data` of one GraphQL call; an error or a declared error result is RefusedByThemError."""
        answer = self._client.post(self._door, json={"query": document, "variables": variables})
        if token := answer.headers.get("vendure-auth-token"):
            self._client.headers["Authorization"] = f"Bearer {token}"
        body: Json = answer.json()
        if body.get("errors"):
            raise RefusedByThemError(body["errors"][0]["message"])
        for result in body["data"].values():
            if isinstance(result, dict) and result.get("errorCode"):
                raise RefusedByThemError(result["errorCode"])
        data: Json = body["data"]
        return data

    def articles(self) -> dict[str, Json]:
        """Every variant by SKU as an editor sees it: id, prices in øre, stock per place in order of place."""
        found = self.ask(
            "{productVariants(options:{take:100}){totalItems items{id sku price priceWithTax currencyCode trackInventory"
            " stockLevels{stockLocationId stockOnHand stockAllocated stockLocation{name}}}}}"
        )["productVariants"]["items"]
        return {variant["sku"]: variant for variant in found}

    def set_stock(self, sku: str, place: str, pieces: int) -> None:
        """An editor's own change of what is on hand at the place of this name."""
        variant = self.articles()[sku]
        (level,) = [one for one in variant["stockLevels"] if one["stockLocation"]["name"] == place]
        self._update(
            {
                "id": variant["id"],
                "stockLevels": [{"stockLocationId": level["stockLocationId"], "stockOnHand": pieces}],
            }
        )

    def set_price(self, sku: str, price_minor: int) -> None:
        """An editor's own change of the price in øre including VAT."""
        self._update({"id": self.articles()[sku]["id"], "prices": [{"currencyCode": "DKK", "price": price_minor}]})

    def leave(self) -> None:
        self._client.close()

    def _update(self, change: Json) -> None:
        self.ask("mutation($i:[UpdateProductVariantInput!]!){updateProductVariants(input:$i){id}}", i=[change])

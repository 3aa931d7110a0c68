"""Gives the initialised ERP a company, books, a till, twelve articles and their first stock.

Runs in the ERP's own environment, not in the hub's: `python tryton_setup.py DATABASE_URI CONFIG USER GOODS`. It talks to the
ERP's own models in process (proteus), so everything it makes went through the defaults and rules of the real thing.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company
from trytond.modules.currency.tests.tools import get_currency

VAT = Decimal("0.25")
FISCAL_YEARS_AHEAD = 3  # the installation is kept, so its books must stay open for a while


def books(settings: Any) -> Any:
    """A Danish company with a chart of accounts, open years and 25 % VAT; gives the articles' accounting category."""
    party = Model.get("party.party")(name="Samklang ApS")
    party.save()
    create_company(party, get_currency("DKK"))
    create_chart()
    today = settings.get_proxy("ir.date").today(settings.context)
    year = create_fiscalyear(today=(today.replace(month=1, day=1), today.replace(year=today.year + FISCAL_YEARS_AHEAD)))
    set_fiscalyear_invoice_sequences(year).click("create_period")
    tax = create_tax(VAT)
    tax.save()
    accounts = get_accounts()
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_revenue, category.account_expense = accounts["revenue"], accounts["expense"]
    category.customer_taxes.append(tax)
    category.save()
    return category


def till() -> None:
    """One point of sale that takes its goods from the warehouse's storage, with cash."""
    (sequence_type,) = Model.get("ir.sequence.type").find([("name", "=", "POS")], limit=1)
    (journal,) = Model.get("account.journal").find([("type", "=", "revenue")], limit=1)
    (storage,) = Model.get("stock.location").find([("code", "=", "STO")])
    (customer,) = Model.get("stock.location").find([("code", "=", "CUS")])
    point = Model.get("sale.point")(name="Till 1", journal=journal)
    point.sequence = Model.get("ir.sequence.strict")(name="POS", company=point.company, sequence_type=sequence_type)
    point.sequence.save()
    point.storage_location, point.customer_location = storage, customer
    point.save()
    method = Model.get("sale.point.payment.method")(name="Cash", account=get_accounts()["cash"], cash=True)
    method.save()


def article(line: dict[str, Any], unit: Any, category: Any) -> Any:
    """One template with one variant; the variant's code is the template's code and the suffix, joined."""
    template = Model.get("product.template")(name=line["name"], code=line["template"], type="goods")
    template.default_uom, template.salable, template.account_category = unit, True, category
    gross = Decimal(line["gross_minor"]) / 100
    template.list_price = (gross / (1 + VAT)).quantize(Decimal("0.0001"))
    template.gross_price = gross.quantize(Decimal("0.0001"))
    (variant,) = template.products
    variant.suffix_code = line["suffix"]
    template.save()
    (variant,) = template.products
    return variant


def stock(counted: list[tuple[Any, int]]) -> None:
    """Count these pieces into the warehouse's storage by one confirmed stocktake."""
    (storage,) = Model.get("stock.location").find([("code", "=", "STO")])
    inventory = Model.get("stock.inventory")(location=storage)
    for variant, pieces in counted:
        inventory.lines.new(product=variant, quantity=float(pieces))
    inventory.click("confirm")


def main(database_uri: str, config_file: str, user: str, goods_file: str) -> None:
    settings = config.set_trytond(database_uri, user=user, config_file=config_file)
    category = books(settings)
    till()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    lines = json.loads(Path(goods_file).read_text(encoding="utf-8"))
    stock([(article(line, unit, category), line["on_hand"]) for line in lines])
    # A fresh administrator may do nothing but administer: without the groups every call below is refused.
    (admin,) = Model.get("res.user").find([("login", "=", user)])
    mine = {group.id for group in admin.groups}
    admin.groups.extend(group for group in Model.get("res.group").find([]) if group.id not in mine)
    admin.save()
    print(f"{len(lines)} articles in the ERP")


if __name__ == "__main__":
    main(*sys.argv[1:])

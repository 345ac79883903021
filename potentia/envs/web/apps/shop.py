"""A shop: products with stock, a cart, orders, addresses and reviews."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from potentia.envs.web.apps.application import TODAY, App, BadInput, route
from potentia.envs.web.apps.words import ADJECTIVES, CITIES, COLOURS, STREETS, THINGS, distinct
from potentia.envs.web.http import Request, Response, redirect

CATEGORIES = ("Kitchen", "Office", "Garden", "Travel")
_A_PAGE = 10


class Shop(App):
    """Products are found by category or search, put into the cart, and ordered to an address."""

    name = "shop"
    title = "Shop"
    schema = """
        CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT UNIQUE, category TEXT, cents INTEGER, stock INTEGER);
        CREATE TABLE cart (id INTEGER PRIMARY KEY, product_id INTEGER UNIQUE REFERENCES product(id), quantity INTEGER);
        CREATE TABLE address (id INTEGER PRIMARY KEY, label TEXT UNIQUE, street TEXT, city TEXT);
        CREATE TABLE purchase (id INTEGER PRIMARY KEY, day TEXT, address_id INTEGER REFERENCES address(id),
                               gift INTEGER, cents INTEGER);
        CREATE TABLE line (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id),
                           product_id INTEGER REFERENCES product(id), quantity INTEGER);
        CREATE TABLE review (id INTEGER PRIMARY KEY, product_id INTEGER REFERENCES product(id), stars INTEGER,
                             comment TEXT);
    """
    bar: ClassVar = {
        "Products": "/",
        "Search": "/search",
        "Cart": "/cart",
        "Orders": "/orders",
        "Addresses": "/addresses",
    }

    def populate(self, random: Random, rows: int) -> None:
        """``rows`` products, two addresses, an earlier order."""
        names = distinct(random, rows, lambda: f"{random.choice(COLOURS)} {random.choice(THINGS)}")
        for name in sorted(names):
            category = random.choice(CATEGORIES)
            self.insert(
                "product",
                name=name,
                category=category,
                cents=random.randrange(300, 9000, 5),
                stock=random.randint(5, 40),
            )
        for label in ("Home", "Work"):
            street = f"{random.randint(1, 99)} {random.choice(STREETS)}"
            self.insert("address", label=label, street=street, city=random.choice(CITIES))
        bought = random.choice(self.rows("SELECT * FROM product"))
        order = self.insert("purchase", day="2026-02-11", address_id=1, gift=0, cents=bought["cents"])
        self.insert("line", purchase_id=order, product_id=bought["id"], quantity=1)
        self.insert("review", product_id=bought["id"], stars=random.randint(2, 5), comment=random.choice(ADJECTIVES))

    @route("GET", "/")
    def front(self, request: Request) -> Response:
        """Products, ten a page, perhaps of one category."""
        category, start = request.asked("category"), int(request.asked("start", "0"))
        found = self.rows("SELECT * FROM product WHERE ? IN ('', category) ORDER BY name", category)
        return self.page(
            "shop/products.html",
            category or "Products",
            products=found[start : start + _A_PAGE],
            categories=CATEGORIES,
            category=category,
            following=start + _A_PAGE if start + _A_PAGE < len(found) else None,
        )

    @route("GET", "/search")
    def search(self, request: Request) -> Response:
        """Products whose name contains a text."""
        wanted = request.asked("q").strip()
        found = self.rows("SELECT * FROM product WHERE instr(lower(name), lower(?)) ORDER BY name", wanted)
        return self.page("shop/search.html", "Search", wanted=wanted, products=found[:_A_PAGE] if wanted else [])

    @route("GET", "/product/{product}")
    def product(self, request: Request, product: int) -> Response:
        """One product, its reviews, and the forms to buy and to review it."""
        del request
        row = self.row("SELECT * FROM product WHERE id = ?", product)
        reviews = self.rows("SELECT * FROM review WHERE product_id = ? ORDER BY id", product)
        return self.page("shop/product.html", row["name"], product=row, reviews=reviews)

    @route("POST", "/product/{product}/cart")
    def add(self, request: Request, product: int) -> Response:
        """Puts some into the cart."""
        row = self.row("SELECT * FROM product WHERE id = ?", product)
        quantity = _quantity(request)
        if quantity > row["stock"]:
            raise BadInput(f"Only {row['stock']} in stock.")
        if not self.change("UPDATE cart SET quantity = quantity + ? WHERE product_id = ?", quantity, product):
            self.insert("cart", product_id=product, quantity=quantity)
        return redirect("/cart")

    @route("POST", "/product/{product}/review")
    def review(self, request: Request, product: int) -> Response:
        """Adds a review."""
        self.row("SELECT * FROM product WHERE id = ?", product)
        stars, comment = request.sent("stars"), request.sent("comment")
        if stars not in {"1", "2", "3", "4", "5"} or not comment:
            raise BadInput("A review needs 1 to 5 stars and a comment.")
        self.insert("review", product_id=product, stars=int(stars), comment=comment)
        return redirect(f"/product/{product}")

    @route("GET", "/cart")
    def cart(self, request: Request) -> Response:
        """What is to be ordered."""
        del request
        lines = self.rows(
            "SELECT cart.id, name, quantity, cents * quantity AS cents FROM cart "
            "JOIN product ON product.id = product_id ORDER BY name"
        )
        return self.page("shop/cart.html", "Cart", lines=lines, total=sum(line["cents"] for line in lines))

    @route("POST", "/cart/{line}/remove")
    def remove(self, request: Request, line: int) -> Response:
        """Takes a line out of the cart."""
        del request
        self.row("SELECT * FROM cart WHERE id = ?", line)
        self.change("DELETE FROM cart WHERE id = ?", line)
        return redirect("/cart")

    @route("GET", "/checkout")
    def checkout(self, request: Request) -> Response:
        """The form of an order."""
        del request
        labels = [row["label"] for row in self.rows("SELECT label FROM address ORDER BY label")]
        return self.page("shop/checkout.html", "Checkout", labels=labels)

    @route("POST", "/checkout")
    def buy(self, request: Request) -> Response:
        """Turns the cart into an order."""
        self.order(request.sent("address"), gift="gift" in request.form)
        return redirect("/orders")

    def order(self, label: str, *, gift: bool) -> int:
        """Orders what is in the cart to the address with this label. The result is the order's id."""
        lines = self.rows("SELECT product_id, quantity, cents FROM cart JOIN product ON product.id = product_id")
        if not lines:
            raise BadInput("The cart is empty.")
        address = self.row("SELECT id FROM address WHERE label = ?", label)["id"]
        total = sum(line["quantity"] * line["cents"] for line in lines)
        order = self.insert("purchase", day=TODAY, address_id=address, gift=int(gift), cents=total)
        for line in lines:
            self.insert("line", purchase_id=order, product_id=line["product_id"], quantity=line["quantity"])
            self.change("UPDATE product SET stock = stock - ? WHERE id = ?", line["quantity"], line["product_id"])
        self.change("DELETE FROM cart")
        return order

    @route("GET", "/orders")
    def orders(self, request: Request) -> Response:
        """All orders, the last first."""
        del request
        found = self.rows(
            "SELECT purchase.id, day, label, gift, purchase.cents, "
            "group_concat(quantity || ' x ' || name, ', ') AS what "
            "FROM purchase JOIN address ON address.id = address_id JOIN line ON purchase_id = purchase.id "
            "JOIN product ON product.id = product_id GROUP BY purchase.id ORDER BY purchase.id DESC"
        )
        return self.page("shop/orders.html", "Orders", orders=found[:_A_PAGE])

    @route("GET", "/addresses")
    def addresses(self, request: Request) -> Response:
        """All addresses, and the form for another."""
        del request
        return self.page(
            "shop/addresses.html", "Addresses", addresses=self.rows("SELECT * FROM address ORDER BY label")
        )

    @route("POST", "/addresses")
    def add_address(self, request: Request) -> Response:
        """Adds an address."""
        values = {name: request.sent(name) for name in ("label", "street", "city")}
        if not all(values.values()):
            raise BadInput("An address needs a label, a street and a city.")
        if self.rows("SELECT id FROM address WHERE label = ?", values["label"]):
            raise BadInput(f"There is an address {values['label']} already.")
        self.insert("address", **values)
        return redirect("/addresses")


def _quantity(request: Request) -> int:
    text = request.sent("quantity", "1")
    if not text.isdecimal() or not 1 <= int(text) <= 99:
        raise BadInput("The quantity must be a number from 1 to 99.")
    return int(text)

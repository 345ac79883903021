"""Tasks in the shop."""

from __future__ import annotations

from random import Random

from potentia.envs.web.apps.shop import Shop
from potentia.envs.web.apps.words import CITIES, FIRST_NAMES, STREETS
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

_SHOP = "http://shop.test"


def _shop(world: AppWorld) -> Shop:
    app = world["shop"]
    assert isinstance(app, Shop)
    return app


def _product(world: AppWorld, name: str) -> int:
    return int(_shop(world).row("SELECT id FROM product WHERE name = ?", name)["id"])


def _names(world: AppWorld) -> list[str]:
    return [row["name"] for row in _shop(world).rows("SELECT name FROM product ORDER BY name")]


def _to_product(world: AppWorld, name: str) -> list[Move]:
    """From anywhere to a product: by the list if it stands on its first page, else by the search."""
    address = f"{_SHOP}/product/{_product(world, name)}"
    if name in _names(world)[:10]:
        return [Move("Products", f"{_SHOP}/"), Move(name, address)]
    query = f"{_SHOP}/search?q={name.replace(' ', '+')}"
    return [Move("Search", f"{_SHOP}/search"), Move("Find", query, {"Product name": name}), Move(name, address)]


def _add(world: AppWorld, name: str, quantity: int) -> Stage:
    values = {"Quantity": str(quantity)}
    moves = [*_to_product(world, name), Move("Add to cart", values=values)]

    def edit(world: AppWorld) -> None:
        _shop(world).insert("cart", product_id=_product(world, name), quantity=quantity)

    return Stage(moves, edit)


def _order(label: str, *, gift: bool = False) -> Stage:
    moves = [
        Move("Cart", f"{_SHOP}/cart"),
        Move("Checkout", f"{_SHOP}/checkout"),
        Move("Place order", values={"Address": label, "Wrap as a gift": gift}),
    ]
    return Stage(moves, lambda world: _shop(world).order(label, gift=gift))


class _ShopTask(Template):
    apps = (Shop,)


class AddToCart(_ShopTask):
    """One product goes into the cart."""

    name = "ShopAddToCart"
    difficulty = "easy"
    complexity = 0.8
    tags = ("create",)
    phrasings = (
        'Put {quantity} of the product "{product}" into the shopping cart.',
        'Add "{product}" to my cart, quantity "{quantity}".',
        'I need {quantity} x "{product}" in the cart; do not order yet.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        return {"product": random.choice(_names(world)), "quantity": str(random.randint(2, 4))}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [_add(world, params["product"], int(params["quantity"]))]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [_add(world, params["product"], int(params["quantity"]) + 1)]


class Buy(_ShopTask):
    """A product is ordered to an address, perhaps as a gift."""

    name = "ShopBuy"
    difficulty = "medium"
    complexity = 2.0
    tags = ("create", "several pages")
    phrasings = (
        'Order one "{product}" to the address "{address}"{wish}.',
        'Buy "{product}" (one piece) and have it sent to "{address}"{wish}.',
        'Please get me the product "{product}", delivered to my "{address}" address{wish}.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        gift = random.random() < 0.5
        wish = ", wrapped as a gift" if gift else ", not wrapped as a gift"
        return {"product": random.choice(_names(world)), "address": random.choice(("Home", "Work")), "wish": wish}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        gift = "not" not in params["wish"]
        return [_add(world, params["product"], 1), _order(params["address"], gift=gift)]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        gift = "not" not in params["wish"]
        return [_add(world, params["product"], 1), _order(params["address"], gift=not gift)]

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["product"], params["address"])


class SaveAddress(_ShopTask):
    """Another address is saved."""

    name = "ShopSaveAddress"
    difficulty = "easy"
    complexity = 1.0
    tags = ("create", "form")
    phrasings = (
        'Save a new address labelled "{label}": "{street}" in "{city}".',
        'Add the address "{street}", "{city}" to the shop under the label "{label}".',
        'Store an address. Label: "{label}". Street: "{street}". City: "{city}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        del world
        street = f"{random.randint(100, 199)} {random.choice(STREETS)}"
        return {"label": random.choice(FIRST_NAMES), "street": street, "city": random.choice(CITIES)}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        del world
        values = {"Label": params["label"], "Street": params["street"], "City": params["city"]}
        return [
            Stage(
                [Move("Addresses", f"{_SHOP}/addresses"), Move("Save address", values=values)],
                lambda world: _shop(world).insert("address", **params),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"street": params["city"], "city": params["street"]})


class Review(_ShopTask):
    """A product is reviewed."""

    name = "ShopReview"
    difficulty = "medium"
    complexity = 1.2
    tags = ("create", "form")
    phrasings = (
        'Review the product "{product}" with "{stars}" stars and the comment "{comment}".',
        'Give "{product}" a rating of "{stars}" and write "{comment}".',
        'Leave the comment "{comment}" and "{stars}" stars on "{product}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        comment = random.choice(("Works well", "Not for me", "Would buy again", "Arrived late", "Fine for the price"))
        return {"product": random.choice(_names(world)), "stars": str(random.randint(1, 4)), "comment": comment}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        values = {"Stars": params["stars"], "Comment": params["comment"]}

        def edit(world: AppWorld) -> None:
            product = _product(world, params["product"])
            _shop(world).insert("review", product_id=product, stars=int(params["stars"]), comment=params["comment"])

        return [Stage([*_to_product(world, params["product"]), Move("Send review", values=values)], edit)]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"stars": "5"})


class EmptyLine(_ShopTask):
    """One of several lines is taken out of the cart."""

    name = "ShopRemoveFromCart"
    difficulty = "easy"
    complexity = 0.6
    tags = ("delete",)
    phrasings = (
        'Take "{product}" out of the cart and leave the rest.',
        'Remove the product "{product}" from my cart.',
        'I do not want "{product}" any more: delete it from the cart only.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        products = random.sample(_names(world), 3)
        for name in products:
            _shop(world).insert("cart", product_id=_product(world, name), quantity=random.randint(1, 3))
        return {"product": products[0], "other": products[1]}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        product = _product(world, params["product"])
        return [
            Stage(
                [Move("Cart", f"{_SHOP}/cart"), Move(f"Remove {params['product']}")],
                lambda world: _shop(world).change("DELETE FROM cart WHERE product_id = ?", product),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, {"product": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["product"],)


class Price(_ShopTask):
    """What does it cost?"""

    name = "ShopPrice"
    difficulty = "easy"
    complexity = 0.8
    tags = ("question", "search")
    phrasings = (
        'What does the product "{product}" cost? Answer with the number as shown.',
        'Tell me the price of "{product}".',
        'Look up "{product}" in the shop and answer with its price.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        return {"product": random.choice(_names(world))}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [Stage(_to_product(world, params["product"]), lambda world: None)]

    def answer(self, world: AppWorld, params: Params) -> str:
        cents = _shop(world).row("SELECT cents FROM product WHERE name = ?", params["product"])["cents"]
        return f"{cents / 100:.2f}"

    def wrong_answer(self, world: AppWorld, params: Params) -> str:
        stock = _shop(world).row("SELECT stock FROM product WHERE name = ?", params["product"])["stock"]
        return str(stock)

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params)


class RestockedOrder(_ShopTask):
    """Two products in one order, each in its own quantity."""

    name = "ShopBuyTwo"
    difficulty = "hard"
    complexity = 3.0
    tags = ("create", "several pages")
    phrasings = (
        'Order {first_quantity} x "{first}" and {second_quantity} x "{second}", to "{address}", not as a gift.',
        'In one order to "{address}" (no gift wrap): {first_quantity} "{first}" and {second_quantity} "{second}".',
        'I need "{first}", quantity {first_quantity}, and "{second}", quantity {second_quantity}: one order to '
        '"{address}", not wrapped.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        first, second = random.sample(_names(world), 2)
        quantities = [str(random.randint(1, 3)) for _ in range(2)]
        address = random.choice(("Home", "Work"))
        return {
            "first": first, "first_quantity": quantities[0], "second": second, "second_quantity": quantities[1],
            "address": address,
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [
            _add(world, params["first"], int(params["first_quantity"])),
            _add(world, params["second"], int(params["second_quantity"])),
            _order(params["address"]),
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [_add(world, params["first"], int(params["first_quantity"])), _order(params["address"])]


SHOP_TEMPLATES: tuple[type[Template], ...] = (
    AddToCart, Buy, SaveAddress, Review, EmptyLine, Price, RestockedOrder,
)  # fmt: skip

"""The ways in which a reader uses the explorer: by mouse, by pen, by touch and by keyboard alone, each with the same
methods. Positions on canvases are shares of their sides, from the upper left corner."""

from itertools import pairwise

WINDOW = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
CALM = {"reduced_motion": "reduce"}


class Mouse:
    options = WINDOW
    pointer = "mouse"

    def __init__(self, page):
        self.page, self.session = page, page.context.new_cdp_session(page)

    def trace(self, selector, points, clicks=1):
        """Press at the first point on an element, or on its label, move over the others, and let go."""
        element = self.page.locator(selector)
        if element.evaluate("element => element.matches('label *')"):
            element = element.locator("xpath=ancestor::label")
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        path = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.send("start", path[0], clicks)
        for (x0, y0), (x1, y1) in pairwise(path):
            for step in range(1, 7):
                self.send("move", (x0 + (x1 - x0) * step / 6, y0 + (y1 - y0) * step / 6), clicks)
        self.send("end", path[-1], clicks)

    def send(self, kind, position, clicks):
        name = {"start": "mousePressed", "move": "mouseMoved", "end": "mouseReleased"}[kind]
        event = {"x": position[0], "y": position[1], "button": "left", "buttons": int(kind != "end")}
        event |= {"pointerType": self.pointer, "clickCount": clicks}
        if kind == "start":
            self.session.send(
                "Input.dispatchMouseEvent", event | {"type": "mouseMoved", "button": "none", "buttons": 0}
            )
        self.session.send("Input.dispatchMouseEvent", event | {"type": name})

    def press(self, selector):
        self.trace(selector, [(0.5, 0.5)])

    def choose_model(self, name, panel):
        self.page.locator(f"#model-{panel}").select_option(label=name)  # the list is the browser's own

    def take_test_image(self):
        """Put a test image on the pad, another one than the first."""
        self.trace("#panel-0 .marks", [(0.45, 0.45)])
        self.trace("#panel-0 .marks", [(0.45, 0.45)], clicks=2)

    def move(self, panel):
        self.trace(f"#panel-{panel} .marks", [(0.7, 0.3)])

    def draw_line(self, panel):
        self.trace(f"#panel-{panel} .marks", [(0.4, 0.4), (0.6, 0.6)])

    def draw(self, points):
        self.trace("#pad", points)


class Pen(Mouse):
    pointer = "pen"


class Touch(Mouse):
    """On a phone in dark mode."""

    options = PHONE

    def send(self, kind, position, clicks):
        points = [] if kind == "end" else [{"x": position[0], "y": position[1]}]
        self.session.send("Input.dispatchTouchEvent", {"type": f"touch{kind.title()}", "touchPoints": points})

    def take_test_image(self):
        self.trace("#panel-0 .marks", [(0.45, 0.45)])
        self.press("#use-nearest")

    def draw_line(self, panel):
        self.press("#draw")
        super().draw_line(panel)


class Keyboard:
    options = CALM

    def __init__(self, page):
        self.page = page

    def focus(self, selector):
        """Go there with the tabulator key."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"cannot be reached: {selector}")

    def type(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def press(self, selector):
        kind = self.page.locator(selector).evaluate("element => element.type")
        if kind != "radio":
            self.focus(selector)
            return self.type("Enter" if kind == "submit" or kind == "button" else "Space")
        name = self.page.locator(selector).get_attribute("name")
        self.focus(f"input[name={name}]")  # that which is chosen; the arrow keys go on from there
        while not self.page.locator(selector).is_checked():
            self.type("ArrowRight")

    def choose_model(self, name, panel):
        names = self.page.locator(f"#model-{panel} option").all_inner_texts()
        self.focus(f"#model-{panel}")
        self.type("Home", *["ArrowDown"] * names.index(name))

    def take_test_image(self):
        self.focus("#index")
        self.type("Control+a", "2", "4", "Enter")

    def move(self, panel):
        self.focus(f"#panel-{panel} .marks")
        self.type("Shift+ArrowRight", "Shift+ArrowUp", "ArrowUp")

    def draw_line(self, panel):
        self.focus(f"#panel-{panel} .marks")
        self.type("Enter", *["Shift+ArrowRight", "Shift+ArrowUp"] * 2, "Enter")

    def draw(self, points):
        self.focus("#pad")
        self.type(*["Shift+ArrowLeft", "Shift+ArrowUp"] * 7)  # to the first pixel
        first, *others = [tuple(min(int(28 * share), 27) for share in point) for point in points]
        self.go((0, 0), first)
        self.type("Space")
        for start, end in pairwise([first, *others]):
            self.go(start, end)
        self.type("Space")

    def go(self, start, end):
        """Move the brush from one pixel to another, by single pixels, as straight as they allow."""
        n = max(abs(end[i] - start[i]) for i in range(2))
        path = [[round(start[i] + (end[i] - start[i]) * step / max(n, 1)) for i in range(2)] for step in range(n + 1)]
        for (x0, y0), (x1, y1) in pairwise(path):
            self.type(*{-1: ["ArrowLeft"], 1: ["ArrowRight"]}.get(x1 - x0, []))
            self.type(*{-1: ["ArrowUp"], 1: ["ArrowDown"]}.get(y1 - y0, []))

"""WhatsApp's formatting: text in, the page's elements out."""

from __future__ import annotations

import json

from support.chromium import Tab

WORDS = {
    "plain": "plain",
    "*bold* _italic_ ~gone~": "<strong>bold</strong> <em>italic</em> <s>gone</s>",
    "*bold _and italic_*": "<strong>bold <em>and italic</em></strong>",
    "(*bold*), *bold*!": "(<strong>bold</strong>), <strong>bold</strong>!",
    "*größer*": "<strong>größer</strong>",
    "`code *as it is*`": "<code>code *as it is*</code>",
    "a ```b``` c": "a <code>b</code> c",
    "snake_case_name 2*3*4": "snake_case_name 2*3*4",
    "*a *": "*a *",
    "*over\ntwo lines*": "*over\ntwo lines*",
    "*": "*",
    "**": "**",
    "javascript:alert(1)": "javascript:alert(1)",
    "<b>&amp;</b>": "&lt;b&gt;&amp;amp;&lt;/b&gt;",
}

LINKS = {
    "see http://a.example/b_c_d.": ("http://a.example/b_c_d", "http://a.example/b_c_d"),
    "(www.a.example)": ("https://www.a.example", "www.a.example"),
    "http://a.example/(b)": ("http://a.example/(b)", "http://a.example/(b)"),
    "*https://a.example*": ("https://a.example", "https://a.example"),
}

BLOCKS = {
    "- a\n- b": ["UL"],
    "* a\n* b": ["UL"],
    "1. a\n2. b": ["OL"],
    "> said\n> so\nyes": ["BLOCKQUOTE", "P"],
    "x\n```a\nb```\ny": ["P", "PRE", "P"],
    "a\n\nb": ["P"],
    "": [],
}


async def test_words_in_a_line(page: Tab) -> None:
    shown = {text: await rendered(page, text, "node.innerHTML") for text in WORDS}

    assert shown == {text: f'<p dir="auto">{html}</p>' for text, html in WORDS.items()}


async def test_links_end_where_the_sentence_goes_on(page: Tab) -> None:
    link = "[...node.querySelectorAll('a')].map((a) => [a.getAttribute('href'), a.textContent])"
    shown = {text: await rendered(page, text, link) for text in LINKS}

    assert shown == {text: [list(found)] for text, found in LINKS.items()}


async def test_lines_become_blocks(page: Tab) -> None:
    tags = "[...node.children].map((child) => child.tagName)"
    shown = {text: await rendered(page, text, tags) for text in BLOCKS}

    assert shown == BLOCKS


async def rendered(page: Tab, text: str, wanted: str) -> object:
    """What *wanted* is of the node the page makes of *text*."""
    render = f"(module) => module.formatted({json.dumps(text)})"
    return await page.js(
        f"import('/format/render.js').then({render}).then((node) => ({{ it: {wanted} }}).it)"
    )

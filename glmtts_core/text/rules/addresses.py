"""Addresses of mail, web, files and machines: always in English, sign by sign."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import digits
from glmtts_core.text.patterns import NUMBER_BEGINS, NUMBER_ENDS
from glmtts_core.text.rule import Found, Rule, rule

#: How the signs of an address are called.
_SIGNS: Final = {
    ".": "dot", "@": "at", "/": "slash", "\\": "backslash", ":": "colon", "-": "dash",
    "_": "underscore", "?": "question mark", "=": "equals", "&": "and", "#": "hash",
    "%": "percent", "+": "plus", "~": "tilde", "*": "star", "!": "exclamation mark",
    ",": "comma", ";": "semicolon", "$": "dollar", "(": "bracket", ")": "bracket",
}  # fmt: skip
_TOP: Final = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|co|cn|tw|hk|mo|sg|jp|kr|uk|de|fr|ru|nl|eu|ch|se|fi|"
    "pl|br|mx|in|au|nz|ca|tv|cc|me|app|dev|xyz|top|vip|wiki|site|online|shop|store|club|tech|cloud|"
    "live|news|blog|pro|link|page|fm|gg|ly|sh|im|us"
)
_FILES: Final = (
    "txt|py|js|ts|md|json|csv|pdf|png|jpe?g|gif|wav|mp3|mp4|cpp|html?|css|ya?ml|toml|sh|exe|docx?|"
    "xlsx?|pptx?|zip|gz|flac"
)
_NUMBERED_DOMAIN: Final = re.compile(r"\d{2,}\.(?:com|cn|net|org)(?:/.*)?")
_PATH: Final = r"[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*[A-Za-z0-9/=_#-]"
_EDGE: Final = r"(?<![A-Za-z0-9._@/-])"
_END: Final = r"(?![A-Za-z0-9_@-])"


def spelled(address: str) -> str:
    """Return ``address`` with its signs as words and its figures one by one; letters stay."""
    parts = re.findall(r"[A-Za-z]+|\d|.", address)
    return " ".join(
        digits(part, "en") if part.isdigit() else _SIGNS.get(part, part) for part in parts
    )


@rule(
    rf"{_EDGE}(?:mailto:)?[A-Za-z0-9._%+-]{{0,64}}[A-Za-z0-9_]@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,8}}",
    {
        "test@163.com": "test at one six three dot com",
        "发到 a_b@c.cn。": "发到 a underscore b at c dot cn。",
    },
)
def mail_address(found: Found) -> str:
    """An address of mail."""
    return spelled(found[0])


@rule(
    rf"{_EDGE}(?:(?:https?|ftp|sftp|file|git|ssh|wss?)://|www\.){_PATH}",
    {
        "请访问 www.example.com 了解": "请访问 www dot example dot com 了解",
        "See https://a.io/x.": "See https colon slash slash a dot io slash x.",
    },
    flags=re.IGNORECASE,
)
def web_address(found: Found) -> str:
    """An address with its protocol, or with www."""
    return spelled(found[0])


@rule(
    r"(?<![A-Za-z])(?:https?|ftp|sftp|file|git|ssh|wss?)://",
    {"https://例子.中国": "https colon slash slash例子点中国"},
    flags=re.IGNORECASE,
)
def protocol(found: Found) -> str:
    """The begin of an address that goes on in another script."""
    return spelled(found[0])


@rule(
    r"\.(?=(?:中国|公司|网络|网址|在线|中文网|商城|我爱你|集团)(?![\u4e00-\u9fff]))",
    {"例子.公司": "例子点公司"},
)
def dot_of_a_chinese_domain(_: Found) -> str:
    """The dot before a top-level domain in ideographs."""
    return "点"


@rule(
    rf"{_EDGE}[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{0,8}}\.(?:{_TOP}|COM|ORG|NET|CN)(?::\d{{2,5}})?"
    rf"(?:/{_PATH})?(?![A-Za-z0-9_@-]|\.[A-Za-z0-9])",
    {
        "I work at Booking.com.": "I work at Booking dot com.",
        "官网example.cn/a": "官网example dot cn slash a",
        "Go to example.com. It is free.": "Go to example dot com. It is free.",
    },
)
def domain(found: Found) -> str | None:
    """A domain without protocol: 163.com is one, "3.in" is a number and a word."""
    named = re.search(r"[A-Za-z].*\.", found[0])
    return spelled(found[0]) if named or _NUMBERED_DOMAIN.fullmatch(found[0]) else None


@rule(
    rf"{_EDGE}(?=[\w-]{{0,63}}[A-Za-z])(?:[A-Za-z0-9_][\w-]{{1,63}}(?:\.[A-Za-z_][\w-]{{0,63}}){{0,8}}\."
    rf"(?:[a-z][a-z0-9]{{1,7}}|NET|PDF|MP[34]|EXE)|[\w-]\.(?:{_FILES})){_END}(?!\.\w)",
    {
        "We use Node.js daily.": "We use Node dot js daily.",
        "打开config.yaml文件": "打开config dot yaml文件",
        "song.mp3": "song dot mp three",
    },
    flags=re.ASCII,
)
def name_with_an_extension(found: Found) -> str:
    """A file's name, or a name with a dot inside."""
    return spelled(found[0])


@rule(
    rf"(?<![A-Za-z0-9.])\.(?:[a-z][a-z0-9]{{1,9}}|NET){_END}",
    {"一个.env文件": "一个dot env文件", ".NET": "dot NET"},
)
def name_that_begins_with_a_dot(found: Found) -> str:
    """An extension or a hidden file."""
    return spelled(found[0])


@rule(
    rf"{NUMBER_BEGINS}(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d{{2,5}})?{NUMBER_ENDS}",
    {
        "服务器10.0.0.5": "服务器一零点零点零点五",
        "at 127.0.0.1": "at one two seven dot zero dot zero dot one",
    },
)
def address_of_a_machine(found: Found) -> str:
    """Four numbers, and perhaps a port."""
    dot, colon = ("点", "冒号") if found.mandarin else (" dot ", " colon ")
    parts = re.split(r"([.:])", found[0])
    signs = {".": dot, ":": colon}
    return "".join(signs.get(part) or digits(part, found.language) for part in parts)


@rule(
    r"(?<![A-Za-z0-9])localhost:\d{2,5}|(?<![A-Za-z0-9])[A-Za-z]:\\[A-Za-z0-9_.\\-]+"
    r"|(?<![A-Za-z0-9./~])~?(?:/[A-Za-z0-9_.-]*[A-Za-z0-9_-]){2,}/?",
    {
        "在/usr/bin里": "在slash usr slash bin里",
        "C:\\Users": "C colon backslash Users",
    },
)
def path(found: Found) -> str:
    """A folder, or a program on this machine."""
    return spelled(found[0])


@rule(
    r"(?<![A-Za-z0-9.])@[A-Za-z0-9_]+",
    {"Follow @studio now": "Follow at studio now", "请@zhang_3": "请at zhang underscore three"},
)
def handle(found: Found) -> str:
    """Somebody's name in a network."""
    return spelled(found[0])


ADDRESSES: Final[tuple[Rule, ...]] = (
    mail_address,
    web_address,
    protocol,
    dot_of_a_chinese_domain,
    domain,
    path,
    handle,
    address_of_a_machine,
    name_with_an_extension,
    name_that_begins_with_a_dot,
)

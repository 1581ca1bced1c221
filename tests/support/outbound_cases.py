"""Addresses that must never be called: written as URLs, or as what a name resolves to."""

PUBLIC = (
    "8.8.8.8",
    "93.184.216.34",
    "52.96.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80e::200e",
)

PRIVATE_V4 = (
    *("127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.0.0.1"),  # noqa: S104
    *("0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200"),
    *("100.127.255.254", "169.254.169.254", "169.254.170.2", "169.254.0.1", "172.16.0.1"),
    *("172.31.255.255", "192.168.0.1", "192.168.255.255", "192.0.0.1", "192.0.0.192"),
    *("192.0.0.8", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1"),
    *("192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "233.252.0.1", "239.255.255.250", "240.0.0.1", "250.1.2.3"),
    *("255.255.255.255", "168.63.129.16"),
)
PRIVATE_V6 = (
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
    *("::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::127.0.0.1", "::7f00:1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1", "100::1", "2001::1"),
    *("2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "2620:4f:8000::1", "3ffe::1"),
    *("3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1"),
    *("fec0::1", "ff02::1", "ff05::2", "ff0e::1", "4000::1", "8000::1", "e000::1"),
)
PRIVATE = (*PRIVATE_V4, *PRIVATE_V6)

DISGUISED = (
    *("2130706433", "017700000001", "0x7f000001", "0x7F000001", "0x7f.0.0.1", "0177.0.0.1"),
    *("127.1", "127.0.1", "0x7f.1", "1", "0", "0x0", "00.00.00.00", "3232235777", "2852039166"),
    *("0xa9fea9fe", "0251.0376.0251.0376", "0xA9.0xFE.0xA9.0xFE", "127.0.0.1.", "127.0.0.01"),
    *("127.000.000.001", "256.256.256.256", "1.2.3", "0127.0.0.1", "8.8.8.010", "134744072"),
    *("[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::]"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "0x7f｡1", "127．0．0．1", "𝟏𝟐𝟕.0.0.1"),
    *("localhost", "LOCALHOST", "localhost.", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "ip6-localhost"),
    *("metadata", "kubernetes", "%31%32%37.0.0.1", "127.0.0.1%00.good.example", "[127.0.0.1]"),
    *("good.example.", "good..example", ".good.example", "-", "..", "go od.example", "[::1"),
    *("127.0.0.1%23.good.example", "127.0.0.1%2f.good.example", "gооd.example\u202e", "a" * 300),
)
"""Hosts that some resolver or parser takes for an address of its own choice."""

MALFORMED = (
    *("https://good.example@127.0.0.1/", "https://127.0.0.1@good.example/"),
    *("https://user:word@good.example/", "https://user@good.example/", "https://:@127.0.0.1/"),
    *("https://good.example%40127.0.0.1/", "https://good.example\\@127.0.0.1/"),
    *("https://127.0.0.1\\.good.example/", "https://127.0.0.1\t/", "https://127.0.0.1\r\n/"),
    *("http://good.example/", "HTTP://good.example/", "ftp://good.example/", "ws://good.example/"),
    *("wss://good.example/", "gopher://127.0.0.1:6379/_INFO", "file:///etc/passwd", "data:,x"),
    *("unix:///run/docker.sock", "dict://127.0.0.1:11211/", "//127.0.0.1/", "127.0.0.1", "https:"),
    *("https://", "https:///path", "https://?x", "https:127.0.0.1", "https:/127.0.0.1/"),
    *("https://good.example:22/", "https://good.example:25/", "https://good.example:80/"),
    *("https://good.example:0/", "https://good.example:99999/", "https://good.example:x/"),
    *("https://[::1]x/", "https://[]/", "https://[good.example]/"),
)


def literal_urls(port: int) -> list[str]:
    """URLs whose host is, or is meant to be taken for, an address, at a port of ours."""
    hosts = (*PRIVATE_V4, *(f"[{address}]" for address in PRIVATE_V6), *DISGUISED)
    return [
        *(f"https://{host}:{port}/hook" for host in hosts),
        *(f"http://{host}:{port}/hook" for host in ("127.0.0.1", "[::1]", "8.8.8.8", "localhost")),
        *MALFORMED,
    ]


def answers() -> list[tuple[str, ...]]:
    """What a name may resolve to that must not be called: something private, alone or among public."""
    return [
        *((address,) for address in PRIVATE),
        *((PUBLIC[0], address) for address in PRIVATE[::4]),
        *((address, PUBLIC[0]) for address in PRIVATE[1::4]),
        *((PUBLIC[0], PUBLIC[3], address, PUBLIC[1]) for address in PRIVATE[2::8]),
        (*PUBLIC, "127.0.0.1"),
        ("fe80::1%lo",),
    ]

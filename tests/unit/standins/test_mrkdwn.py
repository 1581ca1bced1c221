import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.standins.mrkdwn import mrkdwn, plain_text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "*bold* _it_ ~no~ `co*d*e`",
            "<strong>bold</strong> <em>it</em> <s>no</s> <code>co*d*e</code>",
        ),
        ("a\nb", "a<br>b"),
        ("R&amp;D &lt;b&gt;", "R&amp;D &lt;b&gt;"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        (
            "<!channel> <@U1|ann> <#C1|general>",
            '<span class="mention">@channel</span> <span class="mention">@ann</span>'
            ' <span class="mention">#general</span>',
        ),
        (
            "<https://x.y/?a=1&amp;b=2|see *it*>",
            '<a href="https://x.y/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">'
            "see *it*</a>",
        ),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        (
            '<https://x.y/"onclick="a|x>',
            '<a href="https://x.y/&#34;onclick=&#34;a" target="_blank" rel="noopener noreferrer">x</a>',
        ),
    ],
)
def test_slack_text_is_drawn_as_slack_draws_it(text: str, html: str) -> None:
    assert mrkdwn(text) == html


def test_plain_text_is_never_formatted() -> None:
    assert plain_text("*a* <https://x.y> &amp;") == "*a* &lt;https://x.y&gt; &amp;"


@given(st.text(alphabet="<>&\"'*_~`|!@#/:;ajsx=\n ") | st.text())
def test_no_received_text_becomes_markup_of_its_own(text: str) -> None:
    allowed = r"</?(?:strong|em|s|code|span|a|br)(?: [a-z]+=\"[^\"<>]*\")*>"
    for html in (str(mrkdwn(text)), str(plain_text(text))):
        bare = re.sub(allowed, "", html)
        assert "<" not in bare
        assert ">" not in bare
        assert not re.search(r'href="(?!https?://|mailto:)', html, re.IGNORECASE)
